"""Elman RNN: one step, and a window of time steps."""

from rnnlm.backend import Array, accelerated, xp
from rnnlm.cells.rnn import rnn_backward, rnn_forward
from rnnlm.errors import InputError
from rnnlm.layers.base import Layer, batch_first, expect, time_major

__all__ = ["RNN", "TimeRNN"]


def expect_weights(Wx: Array, Wh: Array, b: Array, gates: int = 1) -> None:
    """Check the weights of a recurrent layer: Wx (D, gH), Wh (H, gH), b (gH,) for g gates, all of one dtype."""
    expect("Wh", Wh, ("H", f"{gates}H" if gates > 1 else "H"))
    H = Wh.shape[0]
    expect("Wh", Wh, (H, gates * H))
    expect("Wx", Wx, ("D", gates * H), Wh.dtype)
    expect("b", b, (gates * H,), Wh.dtype)


@accelerated
def rnn_window_forward(hs: Array, Wh: Array) -> None:
    """Run h_t = tanh(h_{t-1} Wh + x_t Wx + b) over a window.

    Args:
        hs: (T+1, N, H). On entry hs[0] is the state before the window and hs[t+1] is x_t Wx + b; on return hs[t+1]
            is h_t.
        Wh: (H, H).
    """
    product = xp.empty_like(hs[0])
    for h_prev, h in zip(hs[:-1], hs[1:]):
        xp.matmul(h_prev, Wh, out=product)
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
    WhT = xp.ascontiguousarray(Wh.T)  # once a window: small products with a transposed operand take twice as long
    dh = xp.zeros_like(hs[0])
    for h, da in zip(hs[:0:-1], das[::-1]):
        da += dh
        rnn_backward(h, da)
        xp.matmul(da, WhT, out=dh)
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
        expect_weights(Wx, Wh, b)
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


class TimeRNN(Layer):
    """An RNN over T time steps.  (N, T, D) -> (N, T, H)

        h_t = tanh(h_{t-1} Wh + x_t Wx + b)

    The product of all inputs with Wx is one matrix product before the loop over time, and dWx, dWh, db are one each
    after it: only h_{t-1} Wh has to wait for the step before.

    Args:
        Wx: (D, H) weights of the input.
        Wh: (H, H) weights of the previous hidden state.
        b: (H,) bias.
        stateful: begin a window with the state that the last one ended with; otherwise with zeros.

    Attributes:
        h: (N, H) state after the last time step, or None: the next window begins with zeros.
        dh: (N, H) gradient of the state that the window began with, after a backward.
    """

    names = ("Wx", "Wh", "b")

    def __init__(self, Wx: Array, Wh: Array, b: Array, stateful: bool = False) -> None:
        expect_weights(Wx, Wh, b)
        super().__init__(Wx, Wh, b)
        self.stateful = stateful
        self.h: Array | None = None
        self.dh: Array | None = None

    def set_state(self, h: Array | None) -> None:
        """Begin the next window with a copy of `h` (N, H), or with zeros for None.

        Raises:
            InputError: a wrong shape or dtype, or a layer that is not stateful.
        """
        if h is not None:
            if not self.stateful:
                raise InputError("a state can be set only on a stateful layer: TimeRNN(..., stateful=True)")
            expect("h", h, ("N", len(self.params[1])), self.dtype)
            h = h.copy()
        self.h = h

    def get_state(self) -> tuple[Array] | None:
        """A copy of the state, to be given back as `set_state(*state)`; None for zeros."""
        return None if self.h is None else (self.h.copy(),)

    def reset_state(self) -> None:
        """Begin the next window with zeros."""
        self.h = None

    def forward(self, xs: Array) -> Array:
        """Hidden states (N, T, H) of the inputs (N, T, D).

        Raises:
            InputError: wrong shape or dtype, or a carried state of another batch size.
        """
        Wx, Wh, b = self.params
        D, H = Wx.shape
        expect("xs", xs, ("N", "T", D), self.dtype)
        x = time_major(xs)
        T, N, _ = x.shape
        state = self._initial_state(N)
        hs = self._buffer("hs", (T + 1, N, H), self.dtype)
        hs[0] = state  # before the rest is overwritten: the state may be this buffer's own last step
        rows = hs[1:].reshape(T * N, H)
        xp.matmul(x.reshape(T * N, D), Wx, out=rows)
        rows += b
        rnn_window_forward(hs, Wh)
        self.h = hs[T]
        self._save(x, hs)
        return batch_first(hs[1:])

    def backward(self, dhs: Array) -> Array:
        """Gradient (N, T, D) of the inputs; those of the weights are left in `grads`, that of the state in `dh`."""
        Wx, Wh, _ = self.params
        dWx, dWh, db = self.grads
        x, hs = self._restore()
        T, N, D = x.shape
        H = len(Wh)
        expect("dhs", dhs, (N, T, H), self.dtype)
        self._done()
        das = self._buffer("das", (T, N, H), self.dtype)
        das[...] = dhs.swapaxes(0, 1)
        self.dh = rnn_window_backward(hs, das, Wh)
        rows = das.reshape(T * N, H)
        xp.matmul(x.reshape(T * N, D).T, rows, out=dWx)
        xp.matmul(hs[:-1].reshape(T * N, H).T, rows, out=dWh)
        rows.sum(axis=0, out=db)
        dx = self._buffer("dx", x.shape, self.dtype)
        xp.matmul(rows, Wx.T, out=dx.reshape(T * N, D))
        return batch_first(dx)

    def _initial_state(self, N: int) -> Array | int:
        if not self.stateful or self.h is None:
            return 0
        H = len(self.params[1])
        if self.h.shape != (N, H):
            raise InputError(f"h, the carried state, must be {(N, H)}, got {self.h.shape}: reset_state() first")
        return self.h
