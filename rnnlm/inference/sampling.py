"""Choosing words by their scores."""

from collections.abc import Collection
from dataclasses import dataclass
from math import isfinite

import numpy as np
from numpy.typing import NDArray

from rnnlm.checks import flag, instance_of, listed, number, positive, refused, size, whole_number
from rnnlm.errors import InputError
from rnnlm.randomness import PARTS, StepStreams, fresh_seed

__all__ = ["Sampler", "Sampling"]

FEW = 64  # words that are looked at first for top_p
RUN = 128  # words whose weights are summed first; then only the sums, and one run, are searched
MANY = 1 << 17  # scores from which a second thread is worth waking


@dataclass(frozen=True)
class Sampling:
    """How a word is chosen. `Sampler` checks it.

    Attributes:
        temperature: below 1 keeps closer to the likely words, above 1 strays further.
        top_k: sample from the k most likely words only.
        top_p: sample from the fewest most likely words whose probabilities add up to p or more.
        greedy: take the most likely word, the first of equals.
        seed: the same seed gives the same words; fresh randomness unless given.
    """

    temperature: float = 1.0
    top_k: int | None = None
    top_p: float | None = None
    greedy: bool = False
    seed: int | None = None


class Sampler:
    """Draws from softmax(scores / temperature), row by row, with one random number a row.

    The same seed, part, step and row give the same random number.

    Args:
        vocab_size: V.
        skip_ids: words that are never drawn.
        how: temperature and the like.
        part: of the random numbers: number of the text, of those that a seed has.

    Raises:
        InputError: an argument out of range, or no word left.
    """

    def __init__(
        self, vocab_size: int, skip_ids: Collection[int] | None = None, how: Sampling = Sampling(), part: int = 0
    ) -> None:
        vocab_size, how = size("vocab_size", vocab_size), instance_of("how", how, Sampling)
        unwanted = [] if skip_ids is None else listed("skip_ids", skip_ids, "ids")
        self.skip = np.array(sorted({whole_number("an id of skip_ids", i, 0, vocab_size) for i in unwanted}), np.int64)
        if self.skip.size == vocab_size:
            raise InputError(f"skip_ids must leave a word to sample, got all {vocab_size}")
        positive("temperature (for the limit 0 use greedy)", how.temperature)
        if how.top_k is not None:
            whole_number("top_k", how.top_k, 1)
        if how.top_p is not None and not 0 < number(how.top_p) <= 1:
            raise refused("top_p", "in (0, 1]", how.top_p)
        flag("greedy", how.greedy)
        if how.seed is not None:
            whole_number("seed", how.seed, 0, 2**64)
        self.how, self.seed = how, fresh_seed() if how.seed is None else int(how.seed)
        self._random = StepStreams(self.seed, "sampled words", whole_number("number", part, 0, PARTS))
        self.starts = np.arange(0, vocab_size, RUN)  # of runs of words
        self.words = np.minimum(self.starts[:, None] + np.arange(RUN), vocab_size - 1)
        self.last = vocab_size - self.starts[-1]  # words of the last run

    def __call__(self, scores: NDArray[np.floating], step: int) -> NDArray[np.int64]:
        """A word (N,) for each row of scores (N, V), which are used up.

        Args:
            step: number of the draw; with the seed it names the random numbers.
        """
        if self.how.greedy:
            self._best(scores)
            return scores.argmax(axis=1)
        uniform = self._random.at(step).random(len(scores))
        if len(scores) == 1:
            return np.array([self._find_one(self.weights(scores)[0], uniform[0])])
        from rnnlm.backend.cpu.threads import in_parallel  # scores are on the host, whatever computed them

        words = np.empty(len(scores), np.int64)

        def part(start: int, stop: int) -> None:
            words[start:stop] = self._find(self.weights(scores[start:stop]), uniform[start:stop])

        in_parallel(part, len(scores), worth=scores.size >= MANY)
        return words

    def weights(self, scores: NDArray[np.floating]) -> NDArray[np.floating]:
        """Probabilities of the words up to a factor for each row, 0 for those not wanted, in place of scores (N, V)."""
        best = self._best(scores)
        with np.errstate(over="ignore"):
            scores -= best
            if self.how.temperature != 1:
                scores /= max(self.how.temperature, float(np.finfo(scores.dtype).tiny))
        np.exp(scores, out=scores)
        if self.how.top_k is not None or self.how.top_p is not None:
            for row in scores:
                row[~self._kept(row)] = 0
        return scores

    def _best(self, scores: NDArray[np.floating]) -> NDArray[np.floating]:
        """The best score of each row (N, 1), checked; those of words not wanted become minus infinity."""
        if self.skip.size:
            scores[:, self.skip] = -np.inf
        best = scores.max(axis=1, keepdims=True)
        if not all(map(isfinite, best[:, 0].tolist())):
            raise InputError(f"the model's best score is {best.min()}: its weights are not finite")
        return best

    def _find(self, weights: NDArray[np.floating], uniform: NDArray[np.float64]) -> NDArray[np.int64]:
        """For each row the word at which the sum of weights (N, V) passes the share `uniform` (N,) of all of them.

        Sums of runs of words, which are rounded as the weights are, are searched first, then the run: summing all
        weights one by one takes far longer.
        """
        runs = self._sums(weights)
        ends = runs.cumsum(axis=1)
        wanted = uniform * ends[:, -1]
        run = _first_above(ends, wanted, runs)
        row = np.arange(len(weights))
        before = np.where(run > 0, ends[row, run - 1], 0)
        within = weights[row[:, None], self.words[run]]
        within[run == len(self.starts) - 1, self.last :] = 0  # beyond the last word
        return run * RUN + _first_above(within.cumsum(axis=1, dtype=np.float64), wanted - before, within)

    def _sums(self, weights: NDArray[np.floating]) -> NDArray[np.float64]:
        """Sums (N, runs) of the weights (N, V) of each run of words: by a product, which takes a fifth of reduceat."""
        N, V = weights.shape
        whole = V // RUN * RUN
        sums = np.empty((N, len(self.starts)))
        sums[:, : whole // RUN] = weights[:, :whole].reshape(N, -1, RUN) @ np.ones(RUN, weights.dtype)
        if whole < V:
            sums[:, -1] = weights[:, whole:].sum(axis=1)
        return sums

    def _find_one(self, weights: NDArray[np.floating], uniform: float) -> int:
        """The same for one row (V,), in a third of the time."""
        runs = np.add.reduceat(weights, self.starts)
        ends = runs.cumsum(dtype=np.float64)
        wanted = uniform * ends[-1]
        run = _first_of_row(ends, wanted, runs)
        within = weights[run * RUN : (run + 1) * RUN]
        before = ends[run - 1] if run else 0.0
        return run * RUN + _first_of_row(within.cumsum(dtype=np.float64), wanted - before, within)

    def _kept(self, weights: NDArray[np.floating]) -> NDArray[np.bool_]:
        """Which words top_k and top_p leave, by their weights (V,)."""
        most = min(self.how.top_k or len(weights), len(weights))
        order = _largest(weights, most if self.how.top_p is None else min(most, FEW))
        if self.how.top_p is not None:
            considered = weights if most == len(weights) else weights[_largest(weights, most)]
            wanted = self.how.top_p * considered.sum(dtype=np.float64)
            share = weights[order].cumsum(dtype=np.float64)
            while share[-1] < wanted and len(order) < most:
                order = _largest(weights, min(most, 8 * len(order)))
                share = weights[order].cumsum(dtype=np.float64)
            order = order[: share.searchsorted(wanted) + 1]
        kept = np.zeros(len(weights), bool)
        kept[order] = True
        return kept


def _largest(weights: NDArray[np.floating], count: int) -> NDArray[np.int64]:
    """Where the `count` largest of the weights (V,) are, in falling order, the first of equals first."""
    if count < len(weights):  # to sort all takes five times as long
        least = np.partition(weights, -count)[-count]
        above = (weights > least).nonzero()[0]
        chosen = np.concatenate([above, (weights == least).nonzero()[0][: count - len(above)]])
    else:
        chosen = np.arange(len(weights))
    return chosen[(-weights[chosen]).argsort(kind="stable")]


def _first_above(
    sums: NDArray[np.float64], wanted: NDArray[np.float64], parts: NDArray[np.floating]
) -> NDArray[np.int64]:
    """Where in each row the running sums of `parts` exceed `wanted` (N,); rounding never leads to a part of 0."""
    place = np.minimum((sums <= wanted[:, None]).sum(axis=1), parts.shape[1] - 1)
    if parts[np.arange(len(parts)), place].all():
        return place
    return np.minimum(place, parts.shape[1] - 1 - (parts[:, ::-1] > 0).argmax(axis=1))


def _first_of_row(sums: NDArray[np.float64], wanted: float, parts: NDArray[np.floating]) -> int:
    """The same for one row."""
    place = min(int(sums.searchsorted(wanted, side="right")), len(parts) - 1)
    return place if parts[place] else min(place, int(parts.nonzero()[0][-1]))
