"""GRU cell: the elementwise parts of one time step, forward and backward.

    z = sigmoid(a_z)   r = sigmoid(a_r)   g = tanh(a_g)      g is the candidate, h~ in the book
    h_t = (1 - z) h_{t-1} + z g

The pre-activations are three blocks z r g side by side. The layer computes their two parts: the products with h_{t-1},
which have to wait for the previous step, and the rest. There are two kinds of GRU, with the reset gate r applied before
or after the matrix product:

    before:  a_g = x_t Wxg + (r h_{t-1}) Whg + b_g
    after:   a_g = x_t Wxg + bx_g + r u          u = h_{t-1} Whg + bh_g

"Before" takes two functions, `gru_reset` and `gru_update`, with a product between them; "after" takes one.

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
    """Write h = (1 - z) h_prev + z g."""
    xp.subtract(g, h_prev, out=h)
    h *= z
    h += h_prev


def _unmix(dy: Array, dh: Array, product: Array, gates: Array, h_prev: Array) -> None:
    """Overwrite z and g in `gates` with the gradients of a_z and a_g, and dh with the direct part of dh_prev.

    The gradient of h_t is dy + dh + product: from above, and the two parts from the next step. Its direct part of
    dh_prev is the one by the factor 1 - z.
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
    """Overwrite the first two blocks of a (N, 3H) with z and r, and write rm = r m, where m is h_{t-1}, both (N, H).

    The pre-activations of z and r are a[:, :2H] + product; product is (N, 2H).
    """
    H = m.shape[1]
    a[:, : 2 * H] += product
    sigmoid_(a[:, : 2 * H])
    xp.multiply(a[:, H : 2 * H], m, out=rm)


@accelerated
def gru_update(a: Array, product: Array, h_prev: Array, h: Array) -> None:
    """Write h (N, H), and overwrite the block a_g of a (N, 3H), which has z and r, with g = tanh(a_g + product)."""
    z, _, g = blocks(a, 3)
    g += product
    xp.tanh(g, out=g)
    _mix(g, z, h_prev, h)


@accelerated
def gru_update_backward(dy: Array, dh: Array, product: Array, gates: Array, h_prev: Array, da_g: Array) -> None:
    """Overwrite z and g with the gradients of a_z and a_g, and dh with the direct part of the gradient of h_{t-1}.

    Args:
        dy: (N, H) gradient of h_t from above.
        dh, product: (N, H) gradients of h_t from the next step, in two parts. dh becomes the part of the gradient of
            h_{t-1} that does not pass through the gates.
        gates: (N, 3H), z r g.
        h_prev: (N, H).
        da_g: (N, H), overwritten with a contiguous copy of the gradient of a_g, for the product that follows.
    """
    _unmix(dy, dh, product, gates, h_prev)
    da_g[...] = blocks(gates, 3)[2]


@accelerated
def gru_reset_backward(drm: Array, dh: Array, gates: Array, m: Array, da_zr: Array) -> None:
    """Overwrite r with the gradient of a_r, copy those of a_z and a_r to `da_zr` (N, 2H), and add that of m to dh.

    drm (N, H) is the gradient of r m; it is overwritten.
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
    """Write u and h, both (N, H), and overwrite a (N, 3H) with z r g.

    product (N, 3H) = h_prev Wh is overwritten; b (3H,) is its bias.
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
    """Overwrite the gates with the gradients of x_t Wx + bx, and write those of h_{t-1} Wh + bh to `da` (N, 3H).

    Other arguments, dh included, are those of `gru_update_backward`; u is as `gru_after_forward` left it.
    """
    _unmix(dy, dh, product, gates, h_prev)
    H = u.shape[1]
    _, r, da_g = blocks(gates, 3)
    xp.multiply(da_g, r, out=da[:, 2 * H :])
    xp.multiply(da_g * u, r * (1 - r), out=r)
    da[:, : 2 * H] = gates[:, : 2 * H]
