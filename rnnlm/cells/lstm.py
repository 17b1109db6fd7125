"""LSTM cell: the elementwise part of one time step, forward and back.

    f = sigmoid(a_f)   g = tanh(a_g)   i = sigmoid(a_i)   o = sigmoid(a_o)
    c_t = f c_{t-1} + g i
    h_t = o tanh(c_t)

The pre-activations h_{t-1} Wh + x_t Wx + b are four blocks f g i o side by side. The layer brings their two parts: the
product with h_{t-1}, which has to wait for the step before, and the rest. The cell c is carried on by a sum, so that
its gradient passes a step multiplied by f alone, where a plain RNN's is multiplied by Wh and squashed.

Sources: Hochreiter and Schmidhuber, Long short-term memory, Neural Computation 9 (1997); with the forget gate of Gers,
Schmidhuber and Cummins, Learning to forget, Neural Computation 12 (2000). No peepholes.
"""

from rnnlm.backend import Array, accelerated, xp
from rnnlm.cells.sigmoid import sigmoid_

__all__ = ["blocks", "lstm_backward", "lstm_forward"]


def blocks(a: Array, count: int) -> list[Array]:
    """The `count` blocks (N, H), side by side in an (N, count H) array, as views."""
    H = a.shape[1] // count
    return [a[:, k * H : (k + 1) * H] for k in range(count)]


@accelerated
def lstm_forward(a: Array, product: Array, c_prev: Array, c: Array, h: Array) -> None:
    """Write c and h, both (N, H); leave the gates in place of a. The pre-activations are a + product, (N, 4H)."""
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
    """Leave the gradient of the pre-activations in place of the gates, and dc_prev in place of dc; dh is used up.

    dy (N, H) is the gradient of h_t from above; dh and dc, those of h_t and c_t by way of the next step.
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
