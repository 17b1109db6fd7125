"""Windows of recurrent layers, all time steps in one launch. Equations and arguments are explained in layers/.

Each function returns False, having done nothing, if the plain loop over time steps should run instead: because of a
mask of the state, another activation than tanh, another dtype than float32, or no plan for such sizes here.
"""

from collections.abc import Callable
from typing import Any

from rnnlm.backend.cuda import lstm_steps, plan
from rnnlm.backend.cuda.cells import rnn_backward, rnn_forward
from rnnlm.backend.cuda.launch import FLOAT, dense, integer, launch_clusters

__all__ = [
    "gru_after_window_backward", "gru_after_window_forward", "lstm_window_backward", "lstm_window_forward",
    "rnn_window_backward", "rnn_window_forward",
]  # fmt: skip

Array = Any


def _launch(module: str, name: str, mask: Array | None, steps: Array, read: tuple[Array, ...], *args: Array) -> bool:
    """Launch a kernel for a window with states `steps` (T+1, N, H); return False if there is none for it.

    `read` are the kernel's first arguments, which are only read and need not be contiguous.
    """
    count, N, H = steps.shape
    way = plan.here(module, H, N) if mask is None and steps.dtype == FLOAT else None
    if way is None:
        return False
    given = (*map(dense, read), *args, integer(count - 1), integer(N))
    launch_clusters(module, name, FLOAT, plan.defines(H, way), -(-N // way.rows), *given)
    return True


def rnn_window_forward(
    hs: Array, Wh: Array, product: Array, mask: Array | None = None, cell: Callable[..., None] = rnn_forward
) -> bool:
    """As the function of this name in layers/rnn.py."""
    return cell is rnn_forward and _launch("rnn_window", "rnn_window_forward", mask, hs, (Wh,), hs)


def rnn_window_backward(
    dhs: Array, hs: Array, das: Array, Wh: Array, dh: Array, mask: Array | None = None,
    cell: Callable[..., None] = rnn_backward,
) -> bool:  # fmt: skip
    """As the function of this name in layers/rnn.py."""
    return cell is rnn_backward and _launch("rnn_window", "rnn_window_backward", mask, hs, (dhs, Wh), hs, das, dh)


def lstm_window_forward(a: Array, hs: Array, cs: Array, Wh: Array, product: Array, mask: Array | None) -> bool:
    """As the function of this name in layers/lstm.py."""
    if _launch("lstm_window", "lstm_window_forward", mask, hs, (Wh,), a, hs, cs):
        return True
    return mask is None and lstm_steps.window_forward(a, hs, cs, Wh)


def lstm_window_backward(dhs: Array, a: Array, cs: Array, Wh: Array, dh: Array, dc: Array, mask: Array | None) -> bool:
    """As the function of this name in layers/lstm.py."""
    if _launch("lstm_window", "lstm_window_backward", mask, cs, (dhs, Wh), a, cs, dh, dc):
        return True
    return mask is None and lstm_steps.window_backward(dhs, a, cs, Wh, dh, dc)


def gru_after_window_forward(
    a: Array, hs: Array, us: Array, Wh: Array, bh: Array, product: Array, mask: Array | None
) -> bool:
    """As the function of this name in layers/gru_after.py."""
    return _launch("gru_window", "gru_after_window_forward", mask, hs, (Wh, bh), a, hs, us)


def gru_after_window_backward(
    dhs: Array, a: Array, hs: Array, us: Array, das: Array, Wh: Array, dh: Array, product: Array, mask: Array | None
) -> bool:
    """As the function of this name in layers/gru_after.py."""
    return _launch("gru_window", "gru_after_window_backward", mask, hs, (dhs, Wh), a, hs, us, das, dh)
