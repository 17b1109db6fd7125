"""Elman RNN: a window of time steps, or one."""

from collections.abc import Callable, Sequence
from typing import Any

from rnnlm.backend import Array, accelerated
from rnnlm.cells.rnn import relu_backward, relu_forward, rnn_backward, rnn_forward
from rnnlm.checks import one_of
from rnnlm.layers.one_step import OneStep
from rnnlm.layers.recurrent import Recurrent
from rnnlm.layers.state_products import from_state, to_state

__all__ = ["RNN", "TimeRNN"]

Cell = Callable[..., None]
ACTIVATIONS: dict[str, tuple[Cell, Cell]] = {"tanh": (rnn_forward, rnn_backward), "relu": (relu_forward, relu_backward)}


@accelerated
def rnn_window_forward(
    hs: Array, Wh: Array, product: Array, mask: Array | None = None, cell: Cell = rnn_forward
) -> None:
    """Run h_t = tanh(h_{t-1} Wh + x_t Wx + b) over a window, or with the activation of another cell.

    Args:
        hs: (T+1, N, H). On entry hs[0] is the state before the window and hs[t+1] is x_t Wx + b; on return hs[t+1]
            is h_t.
        Wh: (H, H).
        product: (N, H), scratch.
        mask: (N, H) dropout mask of the state in the product; None for no dropout.
        cell: the elementwise part of a step.
    """
    multiply = from_state(Wh, mask, hs.shape[1], len(hs) - 1)
    for t in range(len(hs) - 1):
        multiply(hs[t], product)
        cell(hs[t + 1], product)


@accelerated
def rnn_window_backward(
    dhs: Array, hs: Array, das: Array, Wh: Array, dh: Array, mask: Array | None = None, cell: Cell = rnn_backward
) -> None:
    """Backpropagate through a window of `rnn_window_forward`.

    Args:
        dhs: (T, N, H) gradients of h_t from above.
        hs: (T+1, N, H) as `rnn_window_forward` left it.
        das: (T, N, H). On return the gradients of the pre-activations.
        Wh: (H, H).
        dh: (N, H). On entry the gradient of the state after the window; on return that of the state before it.
        mask: as in the forward pass.
        cell: the backward function of the forward pass's cell.
    """
    multiply = to_state(Wh, mask, hs.shape[1], len(das))
    for t in reversed(range(len(das))):
        cell(dhs[t], dh, hs[t + 1], das[t])
        multiply(das[t], dh)


class TimeRNN(Recurrent):
    """An RNN over T time steps.  (N, T, D) -> (N, T, H)

        h_t = tanh(h_{t-1} Wh + x_t Wx + b)         or max(0, ...) for activation 'relu'

    Arguments and attributes are those of `Recurrent`, with one block: Wx (D, H), Wh (H, H), b (H,).

    Args:
        activation: 'tanh' or 'relu'. Source of the latter: Le, Jaitly and Hinton, A simple way to initialize recurrent
            networks of rectified linear units, 2015.
    """

    repeatable = True

    def __init__(
        self, Wx: Array, Wh: Array, b: Array, stateful: bool = False, return_sequences: bool = True,
        weight_drop: float = 0.0, recurrent_dropout: float = 0.0, *, activation: str = "tanh",
    ) -> None:  # fmt: skip
        self._cell, self._cell_backward = ACTIVATIONS[one_of("activation", activation, ACTIVATIONS)]
        super().__init__(Wx, Wh, b, stateful, return_sequences, weight_drop, recurrent_dropout)

    def _preactivations(self, hs: Array) -> Array:
        return hs[1:]  # h_t takes the place of its own pre-activation

    def _window_forward(self, a: Array, Wh: Array, m: Array | None, *states: Array) -> None:
        product = self._buffer("product", a.shape[1:], self.dtype)
        rnn_window_forward(states[0], Wh, product, m, self._cell)

    def _window_backward(
        self, dhs: Array, a: Array, Wh: Array, m: Array | None, states: Sequence[Array], dstates: Sequence[Array],
        kept: Any,
    ) -> tuple[Array, Array]:  # fmt: skip
        das = self._buffer("das", a.shape, self.dtype)
        rnn_window_backward(dhs, states[0], das, Wh, dstates[0], m, self._cell_backward)
        return das, das


class RNN(OneStep):
    """One time step.  (N, D), (N, H) -> (N, H)

        h = tanh(h_prev Wh + x Wx + b)

    Args:
        Wx: (D, H) weights of the input.
        Wh: (H, H) weights of the previous hidden state.
        b: (H,) bias.
    """

    def __init__(self, Wx: Array, Wh: Array, b: Array) -> None:
        super().__init__(TimeRNN(Wx, Wh, b, stateful=True))

    def forward(self, x: Array, h_prev: Array) -> Array:
        """Return the next hidden state (N, H) from the input (N, D) and the previous hidden state (N, H)."""
        return self._forward(x, h_prev)[0]

    def backward(self, dh_next: Array) -> tuple[Array, Array]:
        """Return the gradients (dx, dh_prev) of the two inputs and write those of the weights to `grads`."""
        dx, dh = self._backward(dh_next)
        return dx, dh
