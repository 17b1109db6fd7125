"""Elman RNN cell: the elementwise part of one time step, forward and back.

    h_t = tanh(a_t)        a_t = h_{t-1} Wh + x_t Wx + b, which is the layer's business

Source: Elman, Finding structure in time, Cognitive Science 14 (1990), with tanh for the activation.
"""

from rnnlm.backend import Array, accelerated, xp

__all__ = ["rnn_backward", "rnn_forward"]


@accelerated
def rnn_forward(a: Array) -> None:
    """Leave h in place of the pre-activation a. Any shape."""
    xp.tanh(a, out=a)


@accelerated
def rnn_backward(h: Array, da: Array) -> None:
    """Leave da = dh (1 - h²) in `da`, which holds dh on entry. Shapes alike."""
    da *= 1 - h * h
