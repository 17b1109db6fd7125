"""GRU: a window of time steps, or one, with the reset gate applied before or after the matrix product."""

from collections.abc import Sequence
from typing import Any

from rnnlm.backend import Array, accelerated, ops, xp
from rnnlm.cells.gru import gru_reset, gru_reset_backward, gru_update, gru_update_backward
from rnnlm.checks import flag
from rnnlm.layers.gru_after import gru_after_window_backward, gru_after_window_forward
from rnnlm.layers.one_step import OneStep
from rnnlm.layers.recurrent import Recurrent
from rnnlm.layers.state_products import from_state, to_state

__all__ = ["GRU", "TimeGRU"]


@accelerated
def gru_window_forward(a: Array, hs: Array, rhs: Array, Wh: Array, zr: Array, g: Array, mask: Array | None) -> None:
    """Run a GRU over a window, with the reset gate applied before the product.

    Args:
        a: (T, N, 3H). On entry x_t Wx + b; on return z, r and the candidate.
        hs: (T+1, N, H). On entry hs[0] is the state before the window; on return hs[t+1] is h_t.
        rhs: (T, N, H). On return r h_{t-1}.
        Wh: (H, 3H).
        zr, g: (N, 2H) and (N, H), scratch.
        mask: (N, H) dropout mask of the state in both products; None for no dropout.
    """
    H = len(Wh)
    of_zr, of_g = (from_state(W, mask, a.shape[1], len(a)) for W in (Wh[:, : 2 * H], Wh[:, 2 * H :]))
    for t in range(len(a)):
        of_zr(hs[t], zr)
        gru_reset(a[t], zr, hs[t], rhs[t])
        of_g(rhs[t], g)
        gru_update(a[t], g, hs[t], hs[t + 1])


@accelerated
def gru_window_backward(
    dhs: Array, a: Array, hs: Array, Wh: Array, dh: Array, zr: Array, g: Array, product: Array, mask: Array | None
) -> None:
    """Backpropagate through a window of `gru_window_forward`.

    Args:
        dhs: (T, N, H) gradients of h_t from above.
        a: (T, N, 3H). On entry the gates; on return the gradients of the pre-activations.
        hs: (T+1, N, H) as `gru_window_forward` left it.
        Wh: (H, 3H).
        dh: (N, H). On entry the gradient of the state after the window; on return that of the state before it.
        zr, g, product: (N, 2H) and twice (N, H), scratch.
        mask: as in the forward pass.
    """
    H = len(Wh)
    of_zr, of_g = (to_state(W, mask, a.shape[1], len(a)) for W in (Wh[:, : 2 * H], Wh[:, 2 * H :]))
    product[...] = 0
    for t in reversed(range(len(a))):
        gru_update_backward(dhs[t], dh, product, a[t], hs[t], g)
        of_g(g, product)
        gru_reset_backward(product, dh, a[t], hs[t], zr)
        of_zr(zr, product)
    dh += product


class TimeGRU(Recurrent):
    """A GRU over T time steps.  (N, T, D) -> (N, T, H)

        z = sigmoid(x_t Wxz + h_{t-1} Whz + bz)
        r = sigmoid(x_t Wxr + h_{t-1} Whr + br)
        g = tanh(x_t Wxg + (r h_{t-1}) Whg + bg)              or, with reset_after,
        g = tanh(x_t Wxg + bxg + r (h_{t-1} Whg + bhg))
        h_t = (1 - z) h_{t-1} + z g

    Arguments and attributes are those of `Recurrent`, with the three blocks z r g: Wx (D, 3H), Wh (H, 3H), b (3H,).

    Args:
        reset_after: False for the reset gate of the book, True for that of cuDNN, PyTorch and Keras; b is then (2, 3H),
            a bias for the input's product and one for the state's.
    """

    repeatable = True
    gates = 3

    def __init__(
        self, Wx: Array, Wh: Array, b: Array, stateful: bool = False, return_sequences: bool = True,
        weight_drop: float = 0.0, recurrent_dropout: float = 0.0, *, reset_after: bool = False,
    ) -> None:  # fmt: skip
        self.biases = 2 if flag("reset_after", reset_after) else 1
        super().__init__(Wx, Wh, b, stateful, return_sequences, weight_drop, recurrent_dropout)

    @property
    def reset_after(self) -> bool:
        """Whether the reset gate comes after the product, as b has been made for."""
        return self.biases == 2

    def _window_forward(self, a: Array, Wh: Array, m: Array | None, *states: Array) -> Array:
        (hs,) = states
        held = self._buffer("held", hs[1:].shape, self.dtype)  # r h_{t-1}, or h_{t-1} Whg + bhg, of all time steps
        if self.reset_after:
            scratch = self._scratch("product", hs, 3)
            gru_after_window_forward(a, hs, held, Wh, xp.ascontiguousarray(self.params[2][1]), scratch, m)
        else:
            gru_window_forward(a, hs, held, Wh, self._scratch("zr", hs, 2), self._scratch("g", hs), m)
        return held

    def _window_backward(
        self, dhs: Array, a: Array, Wh: Array, m: Array | None, states: Sequence[Array], dstates: Sequence[Array],
        kept: Any,
    ) -> tuple[Array, Array]:  # fmt: skip
        (hs,), (dh,), product = states, dstates, self._scratch("product", states[0])
        if self.reset_after:
            of_state = self._buffer("das", a.shape, self.dtype)
            gru_after_window_backward(dhs, a, hs, kept, of_state, Wh, dh, product, m)
            return a, of_state
        zr, g = self._scratch("zr", hs, 2), self._scratch("g", hs)
        gru_window_backward(dhs, a, hs, Wh, dh, zr, g, product, m)
        return a, a

    def _scratch(self, name: str, hs: Array, blocks: int = 1) -> Array:
        """Return scratch memory (N, blocks * H) for one time step."""
        _, N, H = hs.shape
        return self._buffer(name, (N, blocks * H), self.dtype)

    def _hidden_gradients(self, das: Array, of_state: Array, h_prevs: Array, kept: Any) -> None:
        _, dWh, db = self.grads
        M, H = h_prevs.shape
        ones = self._ones(M)
        if self.reset_after:
            ops.matmul(h_prevs.T, of_state, out=dWh)
            ops.matmul(ones, das, out=db[:1])
            ops.matmul(ones, of_state, out=db[1:])
            return
        for rows, columns in ((h_prevs, slice(0, 2 * H)), (kept.reshape(M, H), slice(2 * H, 3 * H))):
            product = self._buffer("product", (H, columns.stop - columns.start), self.dtype)
            ops.matmul(rows.T, xp.ascontiguousarray(das[:, columns]), out=product)
            dWh[:, columns] = product
        ops.matmul(ones, das, out=db[None])


class GRU(OneStep):
    """One time step.  (N, D), (N, H) -> (N, H). Equations and arguments are those of `TimeGRU`."""

    def __init__(self, Wx: Array, Wh: Array, b: Array, reset_after: bool = False) -> None:
        super().__init__(TimeGRU(Wx, Wh, b, stateful=True, reset_after=reset_after))

    def forward(self, x: Array, h_prev: Array) -> Array:
        """Return the next hidden state (N, H) from the input (N, D) and the previous hidden state (N, H)."""
        return self._forward(x, h_prev)[0]

    def backward(self, dh_next: Array) -> tuple[Array, Array]:
        """Return the gradients (dx, dh_prev) of the two inputs and write those of the weights to `grads`."""
        dx, dh = self._backward(dh_next)
        return dx, dh
