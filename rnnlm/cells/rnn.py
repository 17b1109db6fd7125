"""Elman RNN cell: the elementwise part of one time step, forward and back.

    h_t = tanh(a_t)        a_t = h_{t-1} Wh + x_t Wx + b

The layer brings the two parts of a_t: the product with h_{t-1}, which has to wait for the step before, and the rest.

Source: Elman, Finding structure in time, Cognitive Science 14 (1990), with tanh for the activation.
"""

from rnnlm.backend import Array, accelerated, xp

__all__ = ["relu_backward", "relu_forward", "rnn_backward", "rnn_forward"]


@accelerated
def rnn_forward(a: Array, product: Array) -> None:
    """Leave h = tanh(a + product) in place of a. Any shape, both alike."""
    a += product
    xp.tanh(a, out=a)


@accelerated
def rnn_backward(dy: Array, dh: Array, h: Array, da: Array) -> None:
    """Write da = (dy + dh) (1 - h²), all (N, H): the gradients of h_t from above and by way of the next step."""
    xp.add(dy, dh, out=da)
    da *= 1 - h * h


def relu_forward(a: Array, product: Array) -> None:
    """Leave h = max(0, a + product) in place of a. Any shape, both alike."""
    a += product
    xp.maximum(a, 0, out=a)


def relu_backward(dy: Array, dh: Array, h: Array, da: Array) -> None:
    """Write da = dy + dh where h > 0, else 0, all (N, H)."""
    xp.add(dy, dh, out=da)
    da *= h > 0
