"""Decoding: greedy search and beam search."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnlm.backend import Array, ops
from rnnlm.layers.functions import softmax

__all__ = ["beam_search", "greedy_search"]

Step = Callable[[NDArray[np.int64]], Array]


def greedy_search(step: Step, start: NDArray[np.int64], size: int, stop_id: int | None) -> NDArray[np.int64]:
    """Return the most likely word at each step, ties going to the lower id: (N, size).

    Args:
        step: maps words (N,), which continue the previous call's, to the scores (N, V) of the next word.
        start: (N,) words before the first of each answer.
        size: number of words of an answer.
        stop_id: word that ends an answer, and fills the rest of its row; None for no such word.
    """
    answers = np.empty((len(start), size), np.int64)
    words, stopped = start, np.zeros(len(start), bool)
    for t in range(size):
        words = ops.asnumpy(step(words).argmax(axis=1)).astype(np.int64)
        if stop_id is not None:
            words[stopped] = stop_id
            stopped |= words == stop_id
        answers[:, t] = words
        if stopped.all():
            answers[:, t:] = words[:, None]
            break
    return answers


def beam_search(
    step: Step, reorder: Callable[[NDArray[np.int64]], Any], start: NDArray[np.int64], size: int, beams: int,
    stop_id: int | None,
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:  # fmt: skip
    """Return the `beams` answers found by beam search, (N, beams, size), the best first, and their log-probabilities
    (N, beams) in nats.

    Each step extends each of the answers so far by every word and keeps the `beams` best of all these. Source: Graves,
    Sequence transduction with recurrent neural networks, 2012.

    Args:
        step: as in `greedy_search`, but for N * beams rows, those of one question consecutive.
        reorder: called after each step with the row numbers from which the next step continues.
        start, size, stop_id: as in `greedy_search`; an answer that has ended keeps its probability.
        beams: beam width.
    """
    N = len(start)
    logp = np.full((N, beams), -np.inf)
    logp[:, 0] = 0  # all beams start equal, so only one may be extended
    answers = np.empty((N, beams, size), np.int64)
    words, rows = np.repeat(start, beams), np.arange(N)[:, None]
    for t in range(size):
        with np.errstate(divide="ignore"):  # a probability of 0
            nats = np.log(ops.asnumpy(softmax(step(words))).astype(np.float64)).reshape(N, beams, -1)
        V = nats.shape[2]
        if stop_id is not None and t:
            nats[answers[:, :, t - 1] == stop_id] = np.where(np.arange(V) == stop_id, 0.0, -np.inf)
        total = (logp[:, :, None] + nats).reshape(N, -1)
        best = np.argsort(-total, axis=1, kind="stable")[:, :beams]
        logp = np.take_along_axis(total, best, axis=1)
        beam = best // V
        answers = answers[rows, beam]
        answers[:, :, t] = best % V
        words = answers[:, :, t].reshape(-1)
        reorder((rows * beams + beam).reshape(-1))
    return answers, logp
