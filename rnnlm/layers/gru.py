"""GRU: one step, and a window of time steps, with the reset gate before or after the matrix product."""

from typing import Any

from rnnlm.backend import Array, accelerated, ops, xp
from rnnlm.cells.gru import gru_reset, gru_reset_backward, gru_update, gru_update_backward
from rnnlm.layers.base import Layer, expect
from rnnlm.layers.recurrent import Recurrent

__all__ = ["GRU", "TimeGRU"]


@accelerated
def gru_window_forward(a: Array, hs: Array, rhs: Array, Wh: Array) -> None:
    """Run a GRU over a window, the reset gate before the product.

    Args:
        a: (T, N, 3H). On entry x_t Wx + b; on return z, r and the candidate.
        hs: (T+1, N, H). On entry hs[0] is the state before the window; on return hs[t+1] is h_t.
        rhs: (T, N, H). On return r h_{t-1}.
        Wh: (H, 3H).
    """
    H = len(Wh)
    of_zr, of_g = (ops.multiplier(W, a.shape[1], len(a)) for W in (Wh[:, : 2 * H], Wh[:, 2 * H :]))
    zr, g = xp.empty_like(a[0, :, : 2 * H]), xp.empty_like(hs[0])
    for gates, h_prev, h, rh in zip(a, hs, hs[1:], rhs):
        of_zr(h_prev, zr)
        gates[:, : 2 * H] += zr
        gru_reset(gates, h_prev, rh)
        of_g(rh, g)
        gates[:, 2 * H :] += g
        gru_update(gates, h_prev, h)


@accelerated
def gru_window_backward(dhs: Array, a: Array, hs: Array, Wh: Array) -> Array:
    """The gradient's way back through a window; a (T, N, 3H) becomes the gradients of the pre-activations.

    Returns:
        dh: (N, H) gradient of the state before the window.
    """
    H = len(Wh)
    of_zr, of_g = (ops.multiplier(W.T, a.shape[1], len(a)) for W in (Wh[:, : 2 * H], Wh[:, 2 * H :]))
    dh, product = xp.zeros_like(hs[0]), xp.empty_like(hs[0])
    for dy, gates, h_prev in zip(dhs[::-1], a[::-1], hs[-2::-1]):
        dh += dy
        gru_update_backward(dh, gates, h_prev)
        of_g(xp.ascontiguousarray(gates[:, 2 * H :]), product)
        gru_reset_backward(product, gates, h_prev)
        dh += product
        of_zr(xp.ascontiguousarray(gates[:, : 2 * H]), product)
        dh += product
    return dh


@accelerated
def gru_after_window_forward(a: Array, hs: Array, us: Array, Wh: Array, bh: Array) -> None:
    """Run a GRU over a window, the reset gate after the product.

    Args:
        a: (T, N, 3H). On entry x_t Wx + bx; on return z, r and the candidate.
        hs: (T+1, N, H). On entry hs[0] is the state before the window; on return hs[t+1] is h_t.
        us: (T, N, H). On return u = h_{t-1} Whg + bh_g.
        Wh: (H, 3H).
        bh: (3H,).
    """
    H = len(Wh)
    product, ru, multiply = xp.empty_like(a[0]), xp.empty_like(hs[0]), ops.multiplier(Wh, a.shape[1], len(a))
    for gates, h_prev, h, u in zip(a, hs, hs[1:], us):
        multiply(h_prev, product)
        product += bh
        gates[:, : 2 * H] += product[:, : 2 * H]
        u[...] = product[:, 2 * H :]
        gru_reset(gates, u, ru)
        gates[:, 2 * H :] += ru
        gru_update(gates, h_prev, h)


@accelerated
def gru_after_window_backward(dhs: Array, a: Array, hs: Array, us: Array, das: Array, Wh: Array) -> Array:
    """The gradient's way back; a (T, N, 3H) becomes the gradients of the input's products, das those of the state's.

    Returns:
        dh: (N, H) gradient of the state before the window.
    """
    H = len(Wh)
    multiply = ops.multiplier(Wh.T, a.shape[1], len(a))
    dh, product, du = xp.zeros_like(hs[0]), xp.empty_like(hs[0]), xp.empty_like(hs[0])
    for dy, gates, h_prev, u, da in zip(dhs[::-1], a[::-1], hs[-2::-1], us[::-1], das[::-1]):
        dh += dy
        gru_update_backward(dh, gates, h_prev)
        du[...] = gates[:, 2 * H :]
        gru_reset_backward(du, gates, u)
        da[:, : 2 * H] = gates[:, : 2 * H]
        da[:, 2 * H :] = du
        multiply(da, product)
        dh += product
    return dh


class TimeGRU(Recurrent):
    """A GRU over T time steps.  (N, T, D) -> (N, T, H)

        z = sigmoid(x_t Wxz + h_{t-1} Whz + bz)
        r = sigmoid(x_t Wxr + h_{t-1} Whr + br)
        g = tanh(x_t Wxg + (r h_{t-1}) Whg + bg)              or, with reset_after,
        g = tanh(x_t Wxg + bxg + r (h_{t-1} Whg + bhg))
        h_t = (1 - z) h_{t-1} + z g

    Arguments and attributes are those of `Recurrent`, with the three blocks z r g: Wx (D, 3H), Wh (H, 3H), b (3H,).

    Args:
        reset_after: False for the reset gate of the book, True for that of cuDNN, PyTorch and Keras, with a bias
            (2, 3H): of the input's product, and of the state's.
    """

    gates = 3

    def __init__(
        self,
        Wx: Array,
        Wh: Array,
        b: Array,
        stateful: bool = False,
        reset_after: bool = False,
        return_sequences: bool = True,
        weight_drop: float = 0.0,
    ) -> None:
        self.reset_after = reset_after
        self.biases = 2 if reset_after else 1
        super().__init__(Wx, Wh, b, stateful, return_sequences, weight_drop)

    def _held_back(self, hs: Array) -> Array:
        """Where (T, N, H) r h_{t-1}, or u, of all time steps is kept between the two ways."""
        return self._buffer("held", hs[1:].shape, self.dtype)

    def _window_forward(self, a: Array, Wh: Array, *states: Array) -> None:
        (hs,) = states
        if self.reset_after:
            gru_after_window_forward(a, hs, self._held_back(hs), Wh, self.params[2][1])
        else:
            gru_window_forward(a, hs, self._held_back(hs), Wh)

    def _window_backward(self, dhs: Array, a: Array, Wh: Array, *states: Array) -> tuple[Array, tuple[Any, ...]]:
        (hs,) = states
        if not self.reset_after:
            return a, (gru_window_backward(dhs, a, hs, Wh),)
        das = self._buffer("das", a.shape, self.dtype)
        return a, (gru_after_window_backward(dhs, a, hs, self._held_back(hs), das, Wh),)

    def _hidden_gradients(self, das: Array, h_prevs: Array) -> None:
        _, dWh, db = self.grads
        M, H = h_prevs.shape
        ones = xp.ones((1, M), self.dtype)
        if self.reset_after:
            of_state = self._buffer("das", das.shape, self.dtype)
            ops.matmul(h_prevs.T, of_state, out=dWh)
            xp.matmul(ones, das, out=db[:1])
            xp.matmul(ones, of_state, out=db[1:])
            return
        held = self._buffer("held", (M, H), self.dtype)
        for rows, columns in ((h_prevs, slice(0, 2 * H)), (held, slice(2 * H, 3 * H))):
            product = self._buffer("product", (H, columns.stop - columns.start), self.dtype)
            ops.matmul(rows.T, xp.ascontiguousarray(das[:, columns]), out=product)
            dWh[:, columns] = product
        xp.matmul(ones, das, out=db[None])


class GRU(Layer):
    """One time step.  (N, D), (N, H) -> (N, H). Equations and arguments are those of `TimeGRU`."""

    names = ("Wx", "Wh", "b")

    def __init__(self, Wx: Array, Wh: Array, b: Array, reset_after: bool = False) -> None:
        self._window = TimeGRU(Wx, Wh, b, stateful=True, reset_after=reset_after)
        super().__init__(Wx, Wh, b)
        self._window.params, self._window.grads = self.params, self.grads

    def forward(self, x: Array, h_prev: Array) -> Array:
        """The next hidden state (N, H) from the input (N, D) and the previous hidden state (N, H)."""
        Wx, Wh, _ = self.params
        expect("x", x, ("N", len(Wx)), self.dtype)
        expect("h_prev", h_prev, (len(x), len(Wh)), self.dtype)
        self._window.set_state(h_prev)
        return self._window.forward(x[:, None])[:, 0].copy()

    def backward(self, dh_next: Array) -> tuple[Array, Array]:
        """Gradients (dx, dh_prev) of the two inputs; those of the weights are left in `grads`."""
        expect("dh_next", dh_next, ("N", len(self.params[1])), self.dtype)
        dx = self._window.backward(dh_next[:, None])[:, 0].copy()
        dh_prev: Any = self._window.dh
        return dx, dh_prev
