"""Elman RNN: one step, and a window of time steps."""

from typing import Any

from rnnlm.backend import Array, accelerated, ops, xp
from rnnlm.cells.rnn import rnn_backward, rnn_forward
from rnnlm.layers.base import Layer, expect
from rnnlm.layers.recurrent import Recurrent, expect_weights

__all__ = ["RNN", "TimeRNN"]


@accelerated
def rnn_window_forward(hs: Array, Wh: Array) -> None:
    """Run h_t = tanh(h_{t-1} Wh + x_t Wx + b) over a window.

    Args:
        hs: (T+1, N, H). On entry hs[0] is the state before the window and hs[t+1] is x_t Wx + b; on return hs[t+1]
            is h_t.
        Wh: (H, H).
    """
    product, multiply = xp.empty_like(hs[0]), ops.multiplier(Wh, hs.shape[1], len(hs) - 1)
    for h_prev, h in zip(hs[:-1], hs[1:]):
        multiply(h_prev, product)
        h += product
        rnn_forward(h)


@accelerated
def rnn_window_backward(hs: Array, das: Array, Wh: Array) -> Array:
    """The gradient's way back through a window.

    Args:
        hs: (T+1, N, H) as `rnn_window_forward` left it.
        das: (T, N, H). On entry the gradients of h_t from above; on return those of the pre-activations.
        Wh: (H, H).

    Returns:
        dh: (N, H) gradient of the state before the window.
    """
    dh, multiply = xp.zeros_like(hs[0]), ops.multiplier(Wh.T, hs.shape[1], len(das))
    for h, da in zip(hs[:0:-1], das[::-1]):
        da += dh
        rnn_backward(h, da)
        multiply(da, dh)
    return dh


class RNN(Layer):
    """One time step.  (N, D), (N, H) -> (N, H)

        h = tanh(h_prev Wh + x Wx + b)

    Args:
        Wx: (D, H) weights of the input.
        Wh: (H, H) weights of the previous hidden state.
        b: (H,) bias.
    """

    names = ("Wx", "Wh", "b")

    def __init__(self, Wx: Array, Wh: Array, b: Array) -> None:
        expect_weights(Wx, Wh, b, gates=1)
        super().__init__(Wx, Wh, b)

    def forward(self, x: Array, h_prev: Array) -> Array:
        """The next hidden state (N, H) from the input (N, D) and the previous hidden state (N, H)."""
        Wx, Wh, b = self.params
        expect("x", x, ("N", Wx.shape[0]), self.dtype)
        expect("h_prev", h_prev, (len(x), len(Wh)), self.dtype)
        h = xp.matmul(h_prev, Wh) + xp.matmul(x, Wx) + b
        rnn_forward(h)
        self._save(x, h_prev, h)
        return h

    def backward(self, dh_next: Array) -> tuple[Array, Array]:
        """Gradients (dx, dh_prev) of the two inputs; those of the weights are left in `grads`."""
        Wx, Wh, _ = self.params
        dWx, dWh, db = self.grads
        x, h_prev, h = self._restore()
        expect("dh_next", dh_next, h.shape, self.dtype)
        self._done()
        da = dh_next.copy()
        rnn_backward(h, da)
        xp.matmul(x.T, da, out=dWx)
        xp.matmul(h_prev.T, da, out=dWh)
        da.sum(axis=0, out=db)
        return xp.matmul(da, Wx.T), xp.matmul(da, Wh.T)


class TimeRNN(Recurrent):
    """An RNN over T time steps.  (N, T, D) -> (N, T, H)

        h_t = tanh(h_{t-1} Wh + x_t Wx + b)

    Arguments and attributes are those of `Recurrent`, with one block: Wx (D, H), Wh (H, H), b (H,).
    """

    def _preactivations(self, hs: Array) -> Array:
        return hs[1:]  # h_t takes the place of its own pre-activation

    def _window_forward(self, a: Array, Wh: Array, *states: Array) -> None:
        rnn_window_forward(states[0], Wh)

    def _window_backward(self, dhs: Array, a: Array, Wh: Array, *states: Array) -> tuple[Array, tuple[Any, ...]]:
        das = self._buffer("das", a.shape, self.dtype)
        das[...] = dhs
        return das, (rnn_window_backward(states[0], das, Wh),)
