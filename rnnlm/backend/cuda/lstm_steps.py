"""Windows of an LSTM too large for registers: a launch for each time step, with product and cell fused.

Equations and arguments are explained in layers/lstm.py. Each function returns False, having done nothing, if the plain
loop should run instead.
"""

from typing import Any

from rnnlm.backend.cuda import skinny
from rnnlm.backend.cuda.cells import lstm_backward, rows_of
from rnnlm.backend.cuda.graphs import idle
from rnnlm.backend.cuda.launch import FLOAT, blocks_for, empty, integer, launch

__all__ = ["window_backward", "window_forward"]

Array = Any


def window_forward(a: Array, hs: Array, cs: Array, Wh: Array) -> bool:
    """Run a window forward. A step multiplies the state with Wh, whose columns are interleaved by hidden unit."""
    T, N, _ = a.shape
    if not skinny.pays(Wh, N, T):
        return False
    H = len(Wh)
    idle()
    W = empty(Wh.shape, FLOAT)
    launch("layout", "interleave", FLOAT, blocks_for(H * H), Wh, integer(Wh.strides[0] // 4), W, integer(H), integer(H))
    step, stride, rows = skinny.launcher("lstm_step", W, N), integer(4 * H), integer(N)
    for t in range(T):
        step(hs[t], W, stride, a[t], cs[t], cs[t + 1], hs[t + 1], rows)
    return True


def window_backward(dhs: Array, a: Array, cs: Array, Wh: Array, dh: Array, dc: Array) -> bool:
    """Run a window backward. A step multiplies the gradients of the step after it with Whᵀ, then runs its own cell."""
    T, N, _ = a.shape
    if not skinny.pays(Wh.T, N, T):
        return False
    idle()
    W = skinny.laid_out(Wh.T)
    step, stride, rows = skinny.launcher("lstm_step_backward", W, N), integer(W.strides[0] // 4), integer(N)
    lstm_backward(dhs[T - 1], dh, dc, a[T - 1], cs[T - 1], cs[T])
    for t in reversed(range(T - 1)):
        step(a[t + 1], W, stride, *rows_of(dhs[t]), dc, a[t], cs[t], cs[t + 1], rows)
    skinny.multiplier(W, N)(a[0], dh)
    return True
