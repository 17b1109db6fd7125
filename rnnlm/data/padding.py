"""Rows of different lengths as one array, filled up with a pad; and the samples of a next-word model."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rnnlm.checks import whole_number
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
    """Rows as an array (rows, maxlen), as Keras has it.

    Args:
        sequences: lists of numbers; an empty one becomes pads alone.
        maxlen: length of all rows; that of the longest unless given.
        padding: 'pre' to fill up shorter rows before their first number, 'post' behind their last.
        truncating: 'pre' to cut longer rows at their front, 'post' at their end.
        value: the pad.
        dtype: of the array.

    Raises:
        InputError: no rows, a row that is no list of numbers, or an argument out of range.
    """
    for name, side in (("padding", padding), ("truncating", truncating)):
        if side not in SIDES:
            raise InputError(f"{name} must be 'pre' or 'post', got {side!r}")
    rows = [np.asarray(row) for row in sequences]
    for number, row in enumerate(rows):
        if row.ndim != 1 or (row.size and row.dtype.kind not in "biuf"):
            raise InputError(f"sequence {number} must be a list of numbers, got {sequences[number]!r:.80}")
    if not rows:
        raise InputError("sequences must have at least one row, got none")
    longest = max(len(row) for row in rows) if maxlen is None else whole_number("maxlen", maxlen, 1)
    padded = np.full((len(rows), longest), value, dtype)
    for place, row in zip(padded, rows):
        kept = row[-longest:] if truncating == "pre" else row[:longest]
        if len(kept):
            place[slice(-len(kept), None) if padding == "pre" else slice(len(kept))] = kept
    return padded


def next_word_samples(
    sequences: Sequence[Sequence[int]], maxlen: int | None = None
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Every prefix of at least two words of each sequence: all but its last word, padded in front, and that word.

    Args:
        sequences: lists of ids.
        maxlen: length of a prefix; that of the longest sequence unless given. Longer ones lose their front.

    Returns:
        x: (samples, maxlen - 1).
        y: (samples,) ids of the words that follow.

    Raises:
        InputError: no sequence of two words.
    """
    prefixes = [row[: end + 1] for row in sequences for end in range(1, len(row))]
    if not prefixes:
        raise InputError("sequences must have one of at least two words: a word to begin with, and one that follows")
    padded = pad_sequences(prefixes, maxlen if maxlen is None else whole_number("maxlen", maxlen, 2))
    return padded[:, :-1], padded[:, -1]
