"""Sentences that stand alone, side by side: grouped by length, the shorter ones of a group filled up."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["like_lengths", "side_by_side"]


def like_lengths(lengths: Sequence[int], tokens: int) -> list[list[int]]:
    """Numbers of sentences of like length, so many that with padding they have at most `tokens` tokens."""
    order = sorted(range(len(lengths)), key=lengths.__getitem__)
    groups: list[list[int]] = []
    for number in order:  # the longest of its group so far
        if not groups or (len(groups[-1]) + 1) * lengths[number] > tokens:
            groups.append([])
        groups[-1].append(number)
    return groups


def side_by_side(rows: Sequence[NDArray[np.int64]]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Inputs and targets (N, T) of N sentences: each word is the target of all before it, the first one after `<eos>`.

    Shorter rows are filled with targets -1, which do not count.

    Args:
        rows: ids of each sentence, `<eos>` the last of them.
    """
    longest = max(len(row) for row in rows)
    xs = np.zeros((len(rows), longest), np.int64)
    ts = np.full((len(rows), longest), -1, np.int64)
    for x, t, row in zip(xs, ts, rows):
        x[0], x[1 : len(row)] = row[-1], row[:-1]
        t[: len(row)] = row
    return xs, ts
