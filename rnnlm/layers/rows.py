"""Conversion of arrays (N, D) or (N, T, D) to matrices of rows, and back."""

from typing import Any

from rnnlm.backend import Array, xp
from rnnlm.errors import InputError
from rnnlm.layers.base import batch_first, expect, time_major

__all__ = ["from_rows", "to_rows"]


def to_rows(name: str, xs: Array, D: int | str = "D", dtype: Any = None, like: tuple[int, ...] | None = None) -> Array:
    """Return the rows of an array (N, D) or (N, T, D), contiguous: (N, D), or (T N, D), time-major.

    No copy is made if the memory is already laid out so.

    Args:
        name: of the array in error messages.
        xs: the array.
        D: required length of a row; a letter for any.
        dtype: required dtype; None for any floating-point one.
        like: required (N,) or (N, T); None for any.

    Raises:
        InputError: another shape or dtype.
    """
    if like is not None:
        expect(name, xs, (*like, D), dtype)
    elif isinstance(xs, xp.ndarray) and xs.ndim not in (2, 3):
        raise InputError(f"{name} must have shape (N, {D}) or (N, T, {D}), got {xs.shape}")
    else:
        expect(name, xs, ("N", D) if getattr(xs, "ndim", 2) == 2 else ("N", "T", D), dtype)
    return xp.ascontiguousarray(xs) if xs.ndim == 2 else time_major(xs).reshape(-1, xs.shape[-1])


def from_rows(rows: Array, like: tuple[int, ...]) -> Array:
    """Return rows (N, D) or (T N, D) as a view (N, D) or (N, T, D). `like` is (N,) or (N, T)."""
    if len(like) == 1:
        return rows
    N, T = like
    return batch_first(rows.reshape(T, N, -1))
