"""Losses of sentences that stand alone, those of like length side by side."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnlm.backend import Array, ops, xp
from rnnlm.data.sentences import like_lengths, side_by_side
from rnnlm.inference.predictor import Predictor, rows_of

__all__ = ["TOKENS", "losses_by_line"]

TOKENS = 2048  # scored at once, unless asked otherwise: memory grows with it times the vocabulary


def losses_by_line(
    model: Predictor, rows: Sequence[NDArray[np.integer]], tokens: int | None = None
) -> list[NDArray[np.float64]]:
    """Cross-entropy in nats of each token of each sentence, (length,), in the order given; the state is left anywhere.

    Args:
        model: a predictor; it begins each sentence with a reset state, and after an `<eos>`.
        rows: ids of each sentence, `<eos>` the last of them.
        tokens: how many to score at once, the empty places after shorter sentences included; what is usual, or what
            the model says, unless given.
    """
    tokens = rows_of(model, TOKENS) if tokens is None else tokens
    found: list[Any] = [None] * len(rows)
    for numbers in like_lengths([len(row) for row in rows], tokens):
        model.reset_state()
        xs, ts = side_by_side([rows[number] for number in numbers])
        nats = _losses_by_window(model, xs, ts, max(1, tokens // len(numbers)))
        for number, line in zip(numbers, nats):
            found[number] = line[: len(rows[number])]
    return found


def _losses_by_window(model: Predictor, xs: NDArray[Any], ts: NDArray[Any], window: int) -> NDArray[np.float64]:
    """`model.losses` (N, T) on the host, `window` time steps at a time, so that memory does not grow with T."""
    starts = range(0, xs.shape[1], window)
    parts: list[Array] = [
        model.losses(xs[:, start : start + window], ts[:, start : start + window]) for start in starts
    ]
    return ops.asnumpy(xp.concatenate([ops.asarray(part) for part in parts], axis=1))
