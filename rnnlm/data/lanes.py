"""Windows of a text for an evaluation: cut into lanes side by side, every token but the first a target once."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from rnnlm.data.tokens import Tokens

__all__ = ["lane_windows"]


def lane_windows(
    ids: Tokens, lanes: int, window: int, start_id: int | None = None
) -> Iterator[tuple[NDArray[np.int64], ...]]:
    """Inputs and targets (lanes, steps), read as they are asked for.

    The first lanes are longer by one if need be; the others are filled with targets -1, which don't count.

    Args:
        ids: (tokens,).
        lanes: parts of the text, each of which follows the one before.
        window: most time steps at once.
        start_id: read before the text, whose first token is then a target too.
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
    """The ids from `begin` to before `end`; at -1 stands `start_id`."""
    if begin >= 0:
        return ids.read(begin, end)
    return np.concatenate([np.array([start_id], np.int64), ids.read(0, end)])
