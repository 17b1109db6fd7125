"""Elman RNN cell: the elementwise part of one time step, forward and backward.

    h_t = tanh(a_t)        a_t = h_{t-1} Wh + x_t Wx + b

The layer computes the two parts of a_t: the product with h_{t-1}, which has to wait for the previous step, and the
rest.

Source: Elman, Finding structure in time, Cognitive Science 14 (1990), here with tanh or max(0, a) as the activation.
"""

from rnnlm.backend import Array, accelerated, xp

__all__ = ["relu_backward", "relu_forward", "rnn_backward", "rnn_forward"]


@accelerated
def rnn_forward(a: Array, product: Array) -> None:
    """Overwrite a with h = tanh(a + product). Both have the same shape, any."""
    a += product
    xp.tanh(a, out=a)


@accelerated
def rnn_backward(dy: Array, dh: Array, h: Array, da: Array) -> None:
    """Write da = (dy + dh) (1 - h²), all (N, H). dy and dh are the gradients of h_t from above and the next step."""
    xp.add(dy, dh, out=da)
    da *= 1 - h * h


def relu_forward(a: Array, product: Array) -> None:
    """Overwrite a with h = max(0, a + product). Both have the same shape, any."""
    a += product
    xp.maximum(a, 0, out=a)


def relu_backward(dy: Array, dh: Array, h: Array, da: Array) -> None:
    """Write da = dy + dh where h > 0, else 0, all (N, H)."""
    xp.add(dy, dh, out=da)
    da *= h > 0
