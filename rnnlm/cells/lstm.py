"""LSTM cell: the elementwise part of one time step, forward and backward.

    f = sigmoid(a_f)   g = tanh(a_g)   i = sigmoid(a_i)   o = sigmoid(a_o)
    c_t = f c_{t-1} + g i
    h_t = o tanh(c_t)

The pre-activations h_{t-1} Wh + x_t Wx + b are four blocks f g i o side by side. The layer computes their two parts:
the product with h_{t-1}, which has to wait for the previous step, and the rest. The cell state c is updated by a sum,
so a step multiplies its gradient only by f, while that of a plain RNN is multiplied by Wh and the derivative of tanh.

Sources: Hochreiter and Schmidhuber, Long short-term memory, Neural Computation 9 (1997); with the forget gate of Gers,
Schmidhuber and Cummins, Learning to forget, Neural Computation 12 (2000). No peepholes.
"""

from rnnlm.backend import Array, accelerated, xp
from rnnlm.cells.sigmoid import sigmoid_

__all__ = ["blocks", "lstm_backward", "lstm_forward"]


def blocks(a: Array, count: int) -> list[Array]:
    """Return views of the `count` blocks (N, H) that lie side by side in an (N, count H) array."""
    H = a.shape[1] // count
    return [a[:, k * H : (k + 1) * H] for k in range(count)]


@accelerated
def lstm_forward(a: Array, product: Array, c_prev: Array, c: Array, h: Array) -> None:
    """Write c and h, both (N, H), and overwrite a with the gates. The pre-activations are a + product, (N, 4H)."""
    a += product
    f, g, i, o = blocks(a, 4)
    sigmoid_(f)
    xp.tanh(g, out=g)
    sigmoid_(a[:, 2 * c.shape[1] :])  # i and o at once
    xp.multiply(f, c_prev, out=c)
    c += g * i
    xp.tanh(c, out=h)
    h *= o


@accelerated
def lstm_backward(dy: Array, dh: Array, dc: Array, gates: Array, c_prev: Array, c: Array) -> None:
    """Overwrite the gates with the gradient of the pre-activations, and dc with dc_prev; dh is overwritten too.

    dy (N, H) is the gradient of h_t from above; dh and dc are those of h_t and c_t from the next step.
    """
    dh += dy
    f, g, i, o = blocks(gates, 4)
    tanh_c = xp.tanh(c)
    do = dh * tanh_c
    dc += dh * o * (1 - tanh_c * tanh_c)
    df, dg, di = dc * c_prev, dc * i, dc * g
    dc *= f
    xp.multiply(df, f * (1 - f), out=f)
    xp.multiply(dg, 1 - g * g, out=g)
    xp.multiply(di, i * (1 - i), out=i)
    xp.multiply(do, o * (1 - o), out=o)
