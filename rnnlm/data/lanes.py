"""Windows for evaluation: a text is split into lanes that are read in parallel, and each token but the first is a
target exactly once."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from rnnlm.data.tokens import Tokens

__all__ = ["lane_windows"]


def lane_windows(
    ids: Tokens, lanes: int, window: int, start_id: int | None = None
) -> Iterator[tuple[NDArray[np.int64], ...]]:
    """Yield inputs and targets (lanes, steps), reading the ids on demand.

    The first lanes may be longer by one token; the others are padded with targets -1, which are not scored.

    Args:
        ids: (tokens,).
        lanes: number of consecutive parts that are read in parallel.
        window: largest number of time steps at once.
        start_id: id that is read before the text, so that its first token is a target, too.
    """
    before = 0 if start_id is None else 1
    short, longer = divmod(len(ids) - 1 + before, lanes)
    begins = [lane * short + min(lane, longer) for lane in range(lanes + 1)]
    longest = short + (longer > 0)
    for start in range(0, longest, window):
        steps = min(window, longest - start)
        xs = np.zeros((lanes, steps), np.int64)
        ts = np.full((lanes, steps), -1, np.int64)
        for lane, (begin, end) in enumerate(zip(begins, begins[1:])):
            part = _read(ids, begin + start - before, min(begin + start + steps, end) + 1 - before, start_id)
            xs[lane, : len(part) - 1], ts[lane, : len(part) - 1] = part[:-1], part[1:]
        yield xs, ts


def _read(ids: Tokens, begin: int, end: int, start_id: int | None) -> NDArray[np.integer]:
    """Return the ids from `begin` to before `end`; position -1 is `start_id`."""
    if begin >= 0:
        return ids.read(begin, end)
    return np.concatenate([np.array([start_id], np.int64), ids.read(0, end)])
