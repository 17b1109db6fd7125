"""Finding answers: the most likely word at each step, or the best of several answers that are followed side by side."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnlm.backend import Array, ops
from rnnlm.layers.functions import softmax

__all__ = ["beam_search", "greedy_search"]

Step = Callable[[NDArray[np.int64]], Array]


def greedy_search(step: Step, start: NDArray[np.int64], size: int, stop_id: int | None) -> NDArray[np.int64]:
    """The most likely word at each step, of equals the first: (N, size).

    Args:
        step: scores (N, V) of what follows words (N,), which follow those of the call before.
        start: (N,) words to begin after.
        size: words of an answer.
        stop_id: what follows this word is filled with it.
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
    """The best `beams` answers that are found by following so many: (N, beams, size), the best first, and their
    natural-log probabilities (N, beams).

    At each step all words after each of the answers so far are looked at, and the best `beams` of all these are kept.
    Source: Graves, Sequence transduction with recurrent neural networks, 2012.

    Args:
        step: as of `greedy_search`, of N * beams rows, those of a question one under the other.
        reorder: called with the numbers of rows to go on from, before the next step.
        start, size, stop_id: as of `greedy_search`; an answer that has stopped keeps its probability.
        beams: how many.
    """
    N = len(start)
    logp = np.full((N, beams), -np.inf)
    logp[:, 0] = 0  # all begin alike: one of them is enough
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
