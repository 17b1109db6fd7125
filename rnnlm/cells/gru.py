"""GRU cell: the elementwise parts of one time step, forward and back.

    z = sigmoid(a_z)   r = sigmoid(a_r)   g = tanh(a_g)      g is the candidate, h~ in the book
    h_t = (1 - z) h_{t-1} + z g

The pre-activations are three blocks z r g side by side. The layer brings their two parts: products with h_{t-1}, which
have to wait for the step before, and the rest. There are two kinds of GRU. The reset gate r is applied before the
matrix product or after it:

    before:  a_g = x_t Wxg + (r h_{t-1}) Whg + b_g
    after:   a_g = x_t Wxg + bx_g + r u          u = h_{t-1} Whg + bh_g

Before, a step is cut in two where the product comes between: `gru_reset`, then `gru_update`. After, it is one piece.

Sources: Cho et al., Learning phrase representations using RNN encoder-decoder, EMNLP 2014, whose z is 1 - z here, as in
Chung et al., Empirical evaluation of gated recurrent neural networks, 2014 (before); cuDNN, PyTorch and Keras (after;
PyTorch's z is 1 - z too).
"""

from rnnlm.backend import Array, accelerated, xp
from rnnlm.cells.lstm import blocks
from rnnlm.cells.sigmoid import sigmoid_

__all__ = [
    "gru_after_backward", "gru_after_forward", "gru_reset", "gru_reset_backward", "gru_update", "gru_update_backward",
]  # fmt: skip


def _mix(g: Array, z: Array, h_prev: Array, h: Array) -> None:
    """h = (1 - z) h_prev + z g"""
    xp.subtract(g, h_prev, out=h)
    h *= z
    h += h_prev


def _unmix(dy: Array, dh: Array, product: Array, gates: Array, h_prev: Array) -> None:
    """Leave the gradients of a_z and a_g in place of z and g, and the direct part of dh_prev in place of dh.

    The gradient of h_t is dy + dh + product: from above, and the two ways from the next step.
    """
    z, _, g = blocks(gates, 3)
    dh += dy
    dh += product
    dz = dh * (g - h_prev)
    dg = dh * z
    dh -= dg
    xp.multiply(dz, z * (1 - z), out=z)
    xp.multiply(dg, 1 - g * g, out=g)


@accelerated
def gru_reset(a: Array, product: Array, m: Array, rm: Array) -> None:
    """Leave z and r in place of their blocks of a (N, 3H), and write r m, where m is h_{t-1}, both (N, H).

    Their pre-activations are those of a + product; product is (N, 2H).
    """
    H = m.shape[1]
    a[:, : 2 * H] += product
    sigmoid_(a[:, : 2 * H])
    xp.multiply(a[:, H : 2 * H], m, out=rm)


@accelerated
def gru_update(a: Array, product: Array, h_prev: Array, h: Array) -> None:
    """Write h (N, H); leave g = tanh(a_g + product) in place of a_g of a (N, 3H), whose other blocks are z and r."""
    z, _, g = blocks(a, 3)
    g += product
    xp.tanh(g, out=g)
    _mix(g, z, h_prev, h)


@accelerated
def gru_update_backward(dy: Array, dh: Array, product: Array, gates: Array, h_prev: Array, da_g: Array) -> None:
    """Leave the gradients of a_z and a_g in place of z and g, that of a_g in `da_g` too, and pass dh on.

    Args:
        dy: (N, H) gradient of h_t from above.
        dh, product: (N, H) gradients of h_t by way of the next step, in two parts. dh becomes that of h_{t-1} as far as
            it goes past the gates.
        gates: (N, 3H), z r g.
        h_prev: (N, H).
        da_g: (N, H), to be overwritten: contiguous, as the product that follows wants it.
    """
    _unmix(dy, dh, product, gates, h_prev)
    da_g[...] = blocks(gates, 3)[2]


@accelerated
def gru_reset_backward(drm: Array, dh: Array, gates: Array, m: Array, da_zr: Array) -> None:
    """Leave the gradient of a_r in place of r, those of a_z and a_r in `da_zr` (N, 2H), and add that of m to dh.

    drm (N, H) is the gradient of r m; it is used up.
    """
    H = m.shape[1]
    r = gates[:, H : 2 * H]
    dr = drm * m
    drm *= r
    dh += drm
    xp.multiply(dr, r * (1 - r), out=r)
    da_zr[...] = gates[:, : 2 * H]


@accelerated
def gru_after_forward(a: Array, product: Array, b: Array, h_prev: Array, u: Array, h: Array) -> None:
    """Write u and h, both (N, H); leave z r g in place of a (N, 3H).

    product (N, 3H) = h_prev Wh is used up; b (3H,) is its bias.
    """
    H = h.shape[1]
    product += b
    u[...] = product[:, 2 * H :]
    a[:, : 2 * H] += product[:, : 2 * H]
    sigmoid_(a[:, : 2 * H])
    z, r, g = blocks(a, 3)
    g += r * u
    xp.tanh(g, out=g)
    _mix(g, z, h_prev, h)


@accelerated
def gru_after_backward(dy: Array, dh: Array, product: Array, gates: Array, h_prev: Array, u: Array, da: Array) -> None:
    """Leave the gradients of the input's products in place of the gates, those of the state's in `da`, and pass dh on.

    Arguments are those of `gru_update_backward`; u and da (N, 3H) as `gru_after_forward` had u and its product.
    """
    _unmix(dy, dh, product, gates, h_prev)
    H = u.shape[1]
    _, r, da_g = blocks(gates, 3)
    xp.multiply(da_g, r, out=da[:, 2 * H :])
    xp.multiply(da_g * u, r * (1 - r), out=r)
    da[:, : 2 * H] = gates[:, : 2 * H]
