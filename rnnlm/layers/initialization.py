"""Random initial weights of layers that draw their own: of recurrent layers and embeddings as in Keras."""

from math import sqrt
from typing import Any, Self

import numpy as np

from rnnlm.backend import Array, ops, xp
from rnnlm.checks import size
from rnnlm.layers.expected import expect_dtype
from rnnlm.layers.state import Stateful
from rnnlm.randomness import fresh_seed, stream

__all__ = ["Drawn", "draw_embedding", "draw_recurrent"]


def draw_recurrent(Wx: Array, Wh: Array, b: Array, seed: int, number: int, remembering: int) -> None:
    """Draw Wx uniformly by Glorot and Bengio (2010) and the blocks of Wh orthogonal; set b to zeros.

    Args:
        Wx, Wh, b: weights of a recurrent layer, overwritten.
        seed, number: of the random stream: the network's seed and the layer's place in it.
        remembering: number of blocks of the bias, from the first on, that are set to ones instead.
    """
    rng, H = stream(seed, "initial weights", part=number), len(Wh)
    bound = sqrt(6 / sum(Wx.shape))
    Wx[...] = ops.asarray(rng.uniform(-bound, bound, Wx.shape))
    blocks = [np.linalg.qr(rng.standard_normal((H, H))) for _ in range(Wh.shape[1] // H)]
    Wh[...] = ops.asarray(np.concatenate([q * np.sign(np.diag(r)) for q, r in blocks], axis=1))
    b[...] = 0
    b[..., : remembering * H] = 1


def draw_embedding(W: Array, seed: int, number: int) -> None:
    """Draw W uniformly in [-0.05, 0.05)."""
    W[...] = ops.asarray(stream(seed, "initial weights", part=number).uniform(-0.05, 0.05, W.shape))


class Drawn(Stateful):
    """A recurrent layer that is given its weights or draws its own."""

    gates: int
    remembering = 0  # blocks of the bias, from the first on, that are ones when weights are drawn
    draws = False  # whether the layer draws its own weights

    @classmethod
    def of_size(cls, inputs: int, hidden: int, dtype: str = "float32", **options: Any) -> Self:
        """Return a layer of D inputs and H hidden units that draws its own weights, much as Keras does: Wx uniform by
        Glorot and Bengio (2010), the blocks of Wh orthogonal, b zeros, and ones for the forget gate of an LSTM.

        They are drawn from a fresh seed, and again from a `Sequential`'s own seed when it is made of this layer. The
        layer is not stateful unless `options` say so.

        Args:
            inputs: D.
            hidden: H.
            dtype: of the weights; a `Sequential` converts them to its own.
            options: further arguments of the class, such as `return_sequences=False`.
        """
        D, H, kind = size("inputs", inputs), size("hidden", hidden), expect_dtype("dtype", dtype)
        b = (cls.gates * H,) if not options.get("reset_after", False) else (2, cls.gates * H)
        zeros = (xp.zeros(shape, kind) for shape in ((D, cls.gates * H), (H, cls.gates * H), b))
        layer = cls(*zeros, **options)
        layer.draws = True
        layer.draw(fresh_seed(), 0)
        return layer

    def draw(self, seed: int, number: int) -> None:
        """Draw the weights again, if the layer draws its own."""
        if self.draws:
            Wx, Wh, b = self.params
            draw_recurrent(Wx, Wh, b, seed, number, self.remembering)
