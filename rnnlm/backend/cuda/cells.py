"""Cells: one time step in one launch. Equations and arguments are explained in rnnlm/cells/."""

from typing import Any

from rnnlm.backend.cuda.launch import blocks_for, integer, launch

__all__ = [
    "gru_after_backward", "gru_after_forward", "gru_reset", "gru_reset_backward", "gru_update", "gru_update_backward",
    "lstm_backward", "lstm_forward", "rnn_backward", "rnn_forward", "rows_of",
]  # fmt: skip

Array = Any


def _launch(name: str, shape: tuple[int, int], *args: Any) -> None:
    """Launch a kernel with a thread for each hidden unit of each row, (N, H)."""
    N, H = shape
    launch("cells", name, args[0].dtype, blocks_for(N * H), *args, integer(N), integer(H))


def rows_of(dy: Array) -> tuple[Array, Any]:
    """Return a gradient from above (N, H) with contiguous rows, copied if needed, and its row stride in elements."""
    if dy.strides[1] != dy.itemsize:
        dy = dy.copy()
    return dy, integer(dy.strides[0] // dy.itemsize)


def rnn_forward(a: Array, product: Array) -> None:
    """As the function of this name in cells/rnn.py."""
    launch("cells", "rnn_forward", a.dtype, blocks_for(a.size), a, product, integer(a.size))


def rnn_backward(dy: Array, dh: Array, h: Array, da: Array) -> None:
    """As the function of this name in cells/rnn.py."""
    _launch("rnn_backward", h.shape, *rows_of(dy), dh, h, da)


def lstm_forward(a: Array, product: Array, c_prev: Array, c: Array, h: Array) -> None:
    """As the function of this name in cells/lstm.py."""
    _launch("lstm_forward", c.shape, a, product, c_prev, c, h)


def lstm_backward(dy: Array, dh: Array, dc: Array, gates: Array, c_prev: Array, c: Array) -> None:
    """As the function of this name in cells/lstm.py."""
    _launch("lstm_backward", c.shape, *rows_of(dy), dh, dc, gates, c_prev, c)


def gru_reset(a: Array, product: Array, m: Array, rm: Array) -> None:
    """As the function of this name in cells/gru.py."""
    _launch("gru_reset", m.shape, a, product, m, rm)


def gru_update(a: Array, product: Array, h_prev: Array, h: Array) -> None:
    """As the function of this name in cells/gru.py."""
    _launch("gru_update", h.shape, a, product, h_prev, h)


def gru_update_backward(dy: Array, dh: Array, product: Array, gates: Array, h_prev: Array, da_g: Array) -> None:
    """As the function of this name in cells/gru.py."""
    _launch("gru_update_backward", dh.shape, *rows_of(dy), dh, product, gates, h_prev, da_g)


def gru_reset_backward(drm: Array, dh: Array, gates: Array, m: Array, da_zr: Array) -> None:
    """As the function of this name in cells/gru.py."""
    _launch("gru_reset_backward", dh.shape, drm, dh, gates, m, da_zr)


def gru_after_forward(a: Array, product: Array, b: Array, h_prev: Array, u: Array, h: Array) -> None:
    """As the function of this name in cells/gru.py."""
    _launch("gru_after_forward", h.shape, a, product, b, h_prev, u, h)


def gru_after_backward(dy: Array, dh: Array, product: Array, gates: Array, h_prev: Array, u: Array, da: Array) -> None:
    """As the function of this name in cells/gru.py."""
    _launch("gru_after_backward", dh.shape, *rows_of(dy), dh, product, gates, h_prev, u, da)
