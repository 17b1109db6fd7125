"""Minimum error rate training: at which value of a scale do the best hypotheses have the fewest errors?

Along one scale s the totals of the hypotheses are straight lines, value + s * slope. The best one changes only where
lines cross, so all values at which an utterance's errors change are known exactly. Source: Och, Minimum error rate
training in statistical machine translation, ACL 2003.
"""

from collections.abc import Iterator, Sequence
from math import inf

import numpy as np
from numpy.typing import NDArray

__all__ = ["Lines", "fewest_errors"]

Lines = tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]


def fewest_errors(utterances: Sequence[Lines], lowest: float) -> tuple[float, int]:
    """Return the scale s >= `lowest` at which the hypotheses with the highest totals have the fewest errors, and these.

    Args:
        utterances: for each the totals at s = 0, their slopes, and the errors of the hypotheses.
        lowest: 0 or minus infinity.
    """
    total, changes = 0, []
    for values, slopes, errors in utterances:
        best = _first(values, slopes, lowest)
        total += int(errors[best])
        for place, after in _crossings(values, slopes, best, lowest):
            changes.append((place, int(errors[after] - errors[best])))
            best = after
    changes.sort()
    edges = [lowest, *(place for place, _ in changes), inf]
    counts = total + np.cumsum([0, *(change for _, change in changes)])
    ranges: list[tuple[float, float]] = []
    least = min(number for number, low, high in zip(counts.tolist(), edges, edges[1:]) if low < high)
    for number, low, high in zip(counts.tolist(), edges, edges[1:]):
        if number == least and low < high and ranges and ranges[-1][1] == low:
            ranges[-1] = ranges[-1][0], high
        elif number == least and low < high:
            ranges.append((low, high))
    low, high = max(ranges, key=lambda pair: pair[1] - pair[0])
    if _middle(low, high) in edges:  # where lines cross, whichever comes first is taken
        low = _middle(low, high)
        high = min(edge for edge in edges if edge > low)
    return _middle(low, high), least


def _crossings(
    values: NDArray[np.float64], slopes: NDArray[np.float64], best: int, place: float
) -> Iterator[tuple[float, int]]:
    """Yield from a place on, at which line `best` is the highest, where the highest line changes, and to which one."""
    while (steeper := np.flatnonzero(slopes > slopes[best])).size:
        crossings = (values[best] - values[steeper]) / (slopes[steeper] - slopes[best])
        place = max(place, float(crossings.min()))
        next_ones = steeper[crossings == crossings.min()]
        best = int(next_ones[slopes[next_ones].argmax()])
        yield place, best


def _first(values: NDArray[np.float64], slopes: NDArray[np.float64], place: float) -> int:
    """Return the highest of some lines just above a place, 0 or minus infinity; of equal ones the first."""
    backwards = -np.arange(len(values))
    order = np.lexsort((backwards, values, -slopes) if place == -inf else (backwards, slopes, values))
    return int(order[-1])


def _middle(low: float, high: float) -> float:
    """Return a value within a range, of which an end may be infinite."""
    if low == -inf:
        return high - 1 if high < inf else 0.0
    return (low + high) / 2 if high < inf else low + 1
