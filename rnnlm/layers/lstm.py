"""LSTM: a window of time steps, or one."""

from collections.abc import Sequence
from typing import Any

from rnnlm.backend import Array, accelerated
from rnnlm.cells.lstm import lstm_backward, lstm_forward
from rnnlm.errors import InputError
from rnnlm.layers.base import batch_first
from rnnlm.layers.one_step import OneStep
from rnnlm.layers.recurrent import Recurrent
from rnnlm.layers.state_products import from_state, to_state

__all__ = ["LSTM", "TimeLSTM"]


@accelerated
def lstm_window_forward(a: Array, hs: Array, cs: Array, Wh: Array, product: Array, mask: Array | None) -> None:
    """Run an LSTM over a window.

    Args:
        a: (T, N, 4H). On entry x_t Wx + b; on return the gates f g i o.
        hs, cs: (T+1, N, H). On entry hs[0] and cs[0] are the state before the window; on return hs[t+1] is h_t and
            cs[t+1] is c_t.
        Wh: (H, 4H).
        product: (N, 4H), scratch.
        mask: (N, H) dropout mask of the state in the product; None for no dropout.
    """
    multiply = from_state(Wh, mask, a.shape[1], len(a))
    for t in range(len(a)):
        multiply(hs[t], product)
        lstm_forward(a[t], product, cs[t], cs[t + 1], hs[t + 1])


@accelerated
def lstm_window_backward(dhs: Array, a: Array, cs: Array, Wh: Array, dh: Array, dc: Array, mask: Array | None) -> None:
    """Backpropagate through a window of `lstm_window_forward`.

    Args:
        dhs: (T, N, H) gradients of h_t from above.
        a: (T, N, 4H). On entry the gates; on return the gradients of the pre-activations.
        cs: (T+1, N, H) as `lstm_window_forward` left it.
        Wh: (H, 4H).
        dh, dc: (N, H). On entry the gradients of the state after the window; on return those of the state before it.
        mask: as in the forward pass.
    """
    multiply = to_state(Wh, mask, a.shape[1], len(a))
    for t in reversed(range(len(a))):
        lstm_backward(dhs[t], dh, dc, a[t], cs[t], cs[t + 1])
        multiply(a[t], dh)


class TimeLSTM(Recurrent):
    """An LSTM over T time steps.  (N, T, D) -> (N, T, H)

        f = sigmoid(a_f)   g = tanh(a_g)   i = sigmoid(a_i)   o = sigmoid(a_o)      a_t = h_{t-1} Wh + x_t Wx + b
        c_t = f c_{t-1} + g i
        h_t = o tanh(c_t)

    Arguments and attributes are those of `Recurrent`, with the four blocks f g i o: Wx (D, 4H), Wh (H, 4H), b (4H,).

    Attributes:
        c, dc: (N, H) cell state and its gradient, as h and dh.
    """

    repeatable = True
    gates = 4
    remembering = 1
    states = ("h", "c")
    c: Array | None
    dc: Array | None

    @property
    def gate_values(self) -> dict[str, Array]:
        """Copies of the gates f, g, i, o of the last forward, each (N, T, H); not available after a backward."""
        if self._saved is None:
            raise InputError("gate_values are those of a forward, and a backward uses them up: run forward first")
        _, a, *_ = self._saved
        H = len(self.params[1])
        return {name: batch_first(a[:, :, k * H : (k + 1) * H]).copy() for k, name in enumerate("fgio")}

    def _window_forward(self, a: Array, Wh: Array, m: Array | None, *states: Array) -> None:
        hs, cs = states
        lstm_window_forward(a, hs, cs, Wh, self._buffer("product", a.shape[1:], self.dtype), m)

    def _window_backward(
        self, dhs: Array, a: Array, Wh: Array, m: Array | None, states: Sequence[Array], dstates: Sequence[Array],
        kept: Any,
    ) -> tuple[Array, Array]:  # fmt: skip
        lstm_window_backward(dhs, a, states[1], Wh, dstates[0], dstates[1], m)
        return a, a


class LSTM(OneStep):
    """One time step.  (N, D), (N, H), (N, H) -> (N, H), (N, H)

        f = sigmoid(a_f)   g = tanh(a_g)   i = sigmoid(a_i)   o = sigmoid(a_o)      a = h_prev Wh + x Wx + b
        c = f c_prev + g i
        h = o tanh(c)

    Args:
        Wx: (D, 4H) weights of the input, columns f g i o.
        Wh: (H, 4H) weights of the previous hidden state.
        b: (4H,) bias.
    """

    def __init__(self, Wx: Array, Wh: Array, b: Array) -> None:
        super().__init__(TimeLSTM(Wx, Wh, b, stateful=True))

    def forward(self, x: Array, h_prev: Array, c_prev: Array) -> tuple[Array, Array]:
        """Return the next (h, c), each (N, H), from the input (N, D) and the previous h and c (N, H)."""
        h, c = self._forward(x, h_prev, c_prev)
        return h, c

    def backward(self, dh_next: Array, dc_next: Array) -> tuple[Array, Array, Array]:
        """Return the gradients (dx, dh_prev, dc_prev) of the three inputs and write those of the weights to `grads`."""
        dx, dh, dc = self._backward(dh_next, dc_next)
        return dx, dh, dc
