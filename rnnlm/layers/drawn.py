"""Initial weights of layers that draw their own, as Keras has them."""

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
    """Wx uniform by Glorot and Bengio (2010), the blocks of Wh orthogonal, b zeros.

    Args:
        Wx, Wh, b: weights of a recurrent layer, to be overwritten.
        seed, number: of the stream: a network's, and a layer's place in it.
        remembering: blocks of the bias, from the first on, that are ones.
    """
    rng, H = stream(seed, "initial weights", part=number), len(Wh)
    bound = sqrt(6 / sum(Wx.shape))
    Wx[...] = ops.asarray(rng.uniform(-bound, bound, Wx.shape))
    blocks = [np.linalg.qr(rng.standard_normal((H, H))) for _ in range(Wh.shape[1] // H)]
    Wh[...] = ops.asarray(np.concatenate([q * np.sign(np.diag(r)) for q, r in blocks], axis=1))
    b[...] = 0
    b[..., : remembering * H] = 1


def draw_embedding(W: Array, seed: int, number: int) -> None:
    """W uniform in [-0.05, 0.05)."""
    W[...] = ops.asarray(stream(seed, "initial weights", part=number).uniform(-0.05, 0.05, W.shape))


class Drawn(Stateful):
    """A recurrent layer that is given its weights, or draws them."""

    gates: int
    remembering = 0  # blocks of the bias, from the first on, that begin with ones where weights are drawn
    draws = False  # whether the layer draws its own weights

    @classmethod
    def of_size(cls, inputs: int, hidden: int, dtype: str = "float32", **options: Any) -> Self:
        """A layer of D inputs and H hidden units that draws its weights, much as Keras does: Wx uniform by Glorot and
        Bengio (2010), the blocks of Wh orthogonal, b zeros, and ones for the forget gate of an LSTM.

        A `Sequential` draws them anew, from its seed; until then they are of fresh randomness. The layer is not
        stateful unless that is asked for.

        Args:
            inputs: D.
            hidden: H.
            dtype: of the weights; within a `Sequential` they have its dtype.
            options: of the class, `return_sequences=False`, say.
        """
        D, H, kind = size("inputs", inputs), size("hidden", hidden), expect_dtype("dtype", dtype)
        b = (cls.gates * H,) if options.get("reset_after") is not True else (2, cls.gates * H)
        zeros = (xp.zeros(shape, kind) for shape in ((D, cls.gates * H), (H, cls.gates * H), b))
        layer = cls(*zeros, **options)
        layer.draws = True
        layer.draw(fresh_seed(), 0)
        return layer

    def draw(self, seed: int, number: int) -> None:
        """Draw the weights anew, if they are the layer's own to draw."""
        if self.draws:
            Wx, Wh, b = self.params
            draw_recurrent(Wx, Wh, b, seed, number, self.remembering)
