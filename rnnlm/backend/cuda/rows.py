"""Rows by the ids of words, and windows of a corpus. Arguments stand in layers/embedding.py and data/batches.py."""

from typing import Any

from rnnlm.backend.cuda.launch import FLOAT, blocks_for, dense, integer, launch, word

__all__ = ["add_rows", "clear_rows", "read_window"]

Array = Any


def add_rows(out: Array, ids: Array, rows: Array) -> None:
    """layers/embedding.py; rows of one id are added in their order, so that reruns give the same bits."""
    M, D = rows.shape
    whole = dense(out)
    launch(
        "rows",
        "add_rows",
        out.dtype,
        M,
        whole,
        ids.astype(integer, copy=False),
        rows,
        integer(M),
        integer(len(out)),
        integer(D),
    )
    if whole is not out:
        out[...] = whole


def clear_rows(out: Array, ids: Array) -> None:
    """layers/embedding.py"""
    whole = dense(out)
    launch("rows", "clear_rows", out.dtype, ids.size, whole, ids.astype(integer, copy=False), *map(integer, out.shape))
    if whole is not out:
        out[...] = whole


def read_window(data: Array, jump: int, begin: int, window: Array) -> None:
    """data/batches.py"""
    T, N = window.shape
    where = (word(data.size), word(jump), word(begin))
    launch("rows", "read_window", FLOAT, blocks_for(T * N), data, *where, window, integer(T), integer(N))
