"""GRU cell: the elementwise parts of one time step, forward and back.

    z = sigmoid(a_z)   r = sigmoid(a_r)   g = tanh(a_g)      g is the candidate, h~ in the book
    h_t = (1 - z) h_{t-1} + z g

The pre-activations, three blocks z r g side by side, are the layer's business, and there are two kinds of them. The
reset gate r is applied before the matrix product or after it:

    before:  a_g = x_t Wxg + (r h_{t-1}) Whg + b_g
    after:   a_g = x_t Wxg + bx_g + r u          u = h_{t-1} Whg + bh_g

so that a step is cut in two where the product comes between: `gru_reset`, then `gru_update`.

Sources: Cho et al., Learning phrase representations using RNN encoder-decoder, EMNLP 2014, whose z is 1 - z here, as in
Chung et al., Empirical evaluation of gated recurrent neural networks, 2014 (before); cuDNN, PyTorch and Keras (after;
PyTorch's z is 1 - z too).
"""

from rnnlm.backend import Array, accelerated, xp
from rnnlm.cells.lstm import blocks
from rnnlm.cells.sigmoid import sigmoid_

__all__ = ["gru_reset", "gru_reset_backward", "gru_update", "gru_update_backward"]


@accelerated
def gru_reset(a: Array, m: Array, rm: Array) -> None:
    """Leave z and r in place of a_z and a_r of a (N, 3H), and write r m, both (N, H).

    m is what the reset gate holds back: h_{t-1} before the product, u after it.
    """
    H = m.shape[1]
    sigmoid_(a[:, : 2 * H])
    xp.multiply(a[:, H : 2 * H], m, out=rm)


@accelerated
def gru_update(a: Array, h_prev: Array, h: Array) -> None:
    """Write h (N, H); leave g in place of a_g of a (N, 3H), whose other blocks are z and r already."""
    z, _, g = blocks(a, 3)
    xp.tanh(g, out=g)
    xp.subtract(g, h_prev, out=h)
    h *= z
    h += h_prev


@accelerated
def gru_update_backward(dh: Array, gates: Array, h_prev: Array) -> None:
    """Leave the gradients of a_z and a_g in place of z and g, and the direct part of dh_prev in place of dh (N, H)."""
    z, _, g = blocks(gates, 3)
    dz = dh * (g - h_prev)
    dg = dh * z
    dh -= dg
    xp.multiply(dz, z * (1 - z), out=z)
    xp.multiply(dg, 1 - g * g, out=g)


@accelerated
def gru_reset_backward(drm: Array, gates: Array, m: Array) -> None:
    """Leave the gradient of a_r in place of r, and that of m in place of drm (N, H), the gradient of r m."""
    _, r, _ = blocks(gates, 3)
    dr = drm * m
    drm *= r
    xp.multiply(dr, r * (1 - r), out=r)
