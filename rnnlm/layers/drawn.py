"""Initial weights of layers that draw their own, as Keras has them."""

from math import sqrt

import numpy as np

from rnnlm.backend import Array, ops
from rnnlm.randomness import stream

__all__ = ["draw_embedding", "draw_recurrent"]


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
