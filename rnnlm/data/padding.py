"""Padding rows of different lengths to one array; samples for next-word models."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rnnlm.checks import array_of, dtype_of, one_of, refused, sequence, shown, size
from rnnlm.data.ids import ids_of
from rnnlm.errors import InputError

__all__ = ["next_word_samples", "pad_sequences"]

SIDES = ("pre", "post")


def pad_sequences(
    sequences: Sequence[ArrayLike],
    maxlen: int | None = None,
    padding: str = "pre",
    truncating: str = "pre",
    value: float = 0,
    dtype: Any = np.int64,
) -> NDArray[Any]:
    """Pad rows to an array (rows, maxlen), like Keras's `pad_sequences`.

    Args:
        sequences: lists of numbers; an empty one becomes padding only.
        maxlen: length of all rows (default: that of the longest).
        padding: 'pre' to pad shorter rows at the front, 'post' at the end.
        truncating: 'pre' to cut longer rows at the front, 'post' at the end.
        value: the padding value.
        dtype: dtype of the array.

    Raises:
        InputError: no rows, a row that is not a list of numbers, or an argument out of range.
    """
    one_of("padding", padding, SIDES)
    one_of("truncating", truncating, SIDES)
    dtype, given = dtype_of("dtype", dtype), sequence("sequences", sequences, "rows")
    rows = [array_of(f"sequence {number}", row) for number, row in enumerate(given)]
    for number, row in enumerate(rows):
        if row.ndim != 1:
            raise InputError(f"sequence {number} must be a list of numbers, got {shown(given[number])}")
        _expect_kept(f"sequence {number}", row, dtype)
    if not rows:
        raise InputError("sequences must have at least one row, got none")
    longest = max(len(row) for row in rows) if maxlen is None else size("maxlen", maxlen)
    pad = array_of("value", value)
    if pad.ndim:
        raise refused("value", "a number", value)
    _expect_kept("value", pad, dtype)
    padded = np.full((len(rows), longest), pad, dtype)
    for place, row in zip(padded, rows):
        kept = row[-longest:] if truncating == "pre" else row[:longest]
        if len(kept):
            place[slice(-len(kept), None) if padding == "pre" else slice(len(kept))] = kept
    return padded


def _expect_kept(name: str, numbers: NDArray[Any], dtype: np.dtype[Any]) -> None:
    """Check that converting numbers to a dtype does not change them; for float dtypes rounding is allowed."""
    with np.errstate(all="ignore"):
        kept = dtype.kind == "f" or bool((numbers.astype(dtype) == numbers).all())
    if not kept:
        raise InputError(f"{name} must be numbers that {dtype} has, got {shown(numbers.tolist())}: name another dtype")


def next_word_samples(
    sequences: Sequence[Sequence[int]], maxlen: int | None = None
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return each prefix of at least two words of each sequence: all but its last word, padded at the front, and that.

    Args:
        sequences: lists of ids.
        maxlen: length of a prefix (default: that of the longest sequence). Longer ones are cut at the front.

    Returns:
        x: (samples, maxlen - 1).
        y: (samples,) ids of the words that follow.

    Raises:
        InputError: no sequence has two words.
    """
    rows = [ids_of("a row of sequences", row) for row in sequence("sequences", sequences, "lists of ids")]
    prefixes = [row[: end + 1] for row in rows for end in range(1, len(row))]
    if not prefixes:
        raise InputError("sequences must have one of at least two words: a word to begin with, and one that follows")
    padded = pad_sequences(prefixes, maxlen if maxlen is None else size("maxlen", maxlen, 2))
    return padded[:, :-1], padded[:, -1]
