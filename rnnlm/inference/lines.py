"""Losses of independent sentences, scored in batches of similar length."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnlm.backend import Array, ops, xp
from rnnlm.data.sentences import like_lengths, side_by_side
from rnnlm.inference.predictor import Predictor, expect_losses, losses_of, rows_of

__all__ = ["TOKENS", "losses_by_line"]

TOKENS = 2048  # scored at once by default: memory grows with it times the vocabulary


def losses_by_line(
    model: Predictor, rows: Sequence[NDArray[np.integer]], tokens: int | None = None
) -> list[NDArray[np.float64]]:
    """Return the cross-entropy in nats of each token of each sentence, (length,), in the order given.

    Changes the model's state.

    Args:
        model: a predictor; it starts each sentence from a reset state, after reading an `<eos>`.
        rows: ids of each sentence, which end with `<eos>`.
        tokens: number to score at once, padding included; by default the model's `rows`, or 2,048.
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
    """Return `model.losses` (N, T) on the host, computed `window` time steps at a time to bound memory."""
    starts = range(0, xs.shape[1], window)
    parts: list[Array] = [
        losses_of(model, xs[:, start : start + window], ts[:, start : start + window]) for start in starts
    ]
    return expect_losses(model, ops.asnumpy(xp.concatenate(parts, axis=1)))
