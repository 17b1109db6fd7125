"""Random initial weights of the language models."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnlm.backend import Array, ops
from rnnlm.errors import InputError
from rnnlm.layers.named import CELLS
from rnnlm.models.config import ModelConfig
from rnnlm.randomness import stream

__all__ = ["Weights", "are_drawn", "undrawn"]

_DRAWN = ContextVar("drawn", default=True)


@contextmanager
def undrawn() -> Iterator[None]:
    """Within this context, models are built with zero weights, because weights will be loaded next: drawing them, in
    float64, would take more time and memory than loading."""
    token = _DRAWN.set(False)
    try:
        yield
    finally:
        _DRAWN.reset(token)


def are_drawn() -> bool:
    """Return False inside `undrawn`, where weights are zeros to be overwritten."""
    return _DRAWN.get()


class Weights:
    """Draws one layer's initial weights on the host, in float64, so that they are the same for all backends and dtypes.

    Each layer k of a model, counted among those with weights, has its own random stream (`rnnlm.randomness`). The
    distributions are set by `ModelConfig.init`.
    """

    def __init__(self, config: ModelConfig, layer: int) -> None:
        self.config = config
        self._rng = stream(config.seed, "initial weights", part=layer)

    def embedding(self) -> Array:
        """Return word vectors (V, D)."""
        shape = self.config.vocab_size, self.config.wordvec_size
        return self._array(self._uniform(shape) if self._bounded else self._normal(shape, 1 / 100))

    def recurrent(self, D: int, H: int) -> tuple[Array, Array, Array]:
        """Return Wx (D, gH), Wh (H, gH) and b (gH,), or (2, gH) for a GRU with `reset_after`."""
        c, g = self.config, CELLS[self.config.cell].gates
        bias_shape = (2, g * H) if c.reset_after else (g * H,)
        if self._bounded:
            bound = c.init_range if c.init == "uniform" else 1 / sqrt(H)
            Wx, Wh, b = (self._uniform(shape, bound) for shape in ((D, g * H), (H, g * H), bias_shape))
        else:
            Wx = self._normal((D, g * H), 1 / sqrt(D))
            Wh = self._normal((H, g * H), 1 / sqrt(H)) if c.init == "book" else self._orthogonal(H, g)
            b = self._uniform(bias_shape, c.bias_range)
        if c.forget_bias:
            first = b if b.ndim == 1 else b[0]
            first[:H] += c.forget_bias if c.cell == "lstm" else -c.forget_bias
        return self._array(Wx), self._array(Wh), self._array(b)

    def hidden(self, D: int, H: int) -> tuple[Array, Array]:
        """Return W (D, H) and b (H,) of a feed-forward hidden layer."""
        W = self._uniform((D, H)) if self._bounded else self._normal((D, H), 1 / sqrt(D))
        b = self._uniform((H,), self.config.init_range if self._bounded else self.config.bias_range)
        return self._array(W), self._array(b)

    def projection(self, H: int, D: int) -> Array:
        """Return W (H, D) of a layer without a bias."""
        return self._array(self._uniform((H, D)) if self._bounded else self._normal((H, D), 1 / sqrt(H)))

    def affine(self, H: int, V: int | None = None) -> tuple[Array, Array]:
        """Return W (H, V) and b (V,) of an output layer; V is by default the vocabulary size."""
        return self.projection(H, self.config.vocab_size if V is None else V), self.affine_bias(V)

    def affine_bias(self, V: int | None = None) -> Array:
        """Return the bias b (V,) of an output layer; V is by default the vocabulary size."""
        bounds = {"uniform": self.config.init_range, "torch": 0.0}
        return self._array(
            self._uniform(
                (self.config.vocab_size if V is None else V,), bounds.get(self.config.init, self.config.bias_range)
            )
        )

    @property
    def _bounded(self) -> bool:
        return self.config.init in ("uniform", "torch")

    def _normal(self, shape: tuple[int, ...], scale: float) -> NDArray[Any]:
        return self._rng.standard_normal(shape) * scale if _DRAWN.get() else self._zeros(shape)

    def _uniform(self, shape: tuple[int, ...], bound: float | None = None) -> NDArray[Any]:
        if not _DRAWN.get():
            return self._zeros(shape)
        return self._rng.uniform(-1, 1, shape) * (self.config.init_range if bound is None else bound)

    def _orthogonal(self, H: int, blocks: int) -> NDArray[Any]:
        """Return orthogonal (H, H) blocks side by side. Source: Saxe, McClelland and Ganguli, Exact solutions to the
        nonlinear dynamics of learning in deep linear neural networks, ICLR 2014."""
        if not _DRAWN.get():
            return self._zeros((H, blocks * H))
        pairs = [np.linalg.qr(self._rng.standard_normal((H, H))) for _ in range(blocks)]
        return np.concatenate([q * np.sign(np.diag(r)) for q, r in pairs], axis=1)

    def _zeros(self, shape: tuple[int, ...]) -> NDArray[Any]:
        """Return zeros, whose memory the system allocates only when it is first written."""
        return np.zeros(shape, self.config.dtype)

    def _array(self, a: NDArray[Any]) -> Array:
        if _DRAWN.get() and np.abs(a).max() > np.finfo(self.config.dtype).max:
            raise InputError(
                f"initial weights must be finite in {self.config.dtype}, got {np.abs(a).max():g}: take a smaller "
                "init_range, bias_range or forget_bias"
            )
        return ops.asarray(a, self.config.dtype)
