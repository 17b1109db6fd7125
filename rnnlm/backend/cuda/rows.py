"""Rows by word id, and windows of a corpus. Arguments are explained in layers/embedding.py and data/tokens.py."""

from typing import Any

from rnnlm.backend.cuda.launch import FLOAT, blocks_for, dense, integer, launch, word, write_back

__all__ = ["add_rows", "read_window"]

Array = Any


def add_rows(out: Array, ids: Array, rows: Array) -> None:
    """As the function of this name in layers/embedding.py, but rows of one id are added in order: reruns are equal."""
    (V, D), M, whole = out.shape, len(rows), dense(out)
    numbers = (integer(M), integer(V), integer(D))
    launch("rows", "add_rows", out.dtype, M, whole, ids.astype(integer, copy=False), rows, *numbers)
    write_back([out], [whole])


def read_window(data: Array, jump: int, begin: int, window: Array) -> None:
    """As the function of this name in data/tokens.py."""
    T, N = window.shape
    where = (word(data.size), word(jump), word(begin))
    launch("rows", "read_window", FLOAT, blocks_for(T * N), data, *where, window, integer(T), integer(N))
