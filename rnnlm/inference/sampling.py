"""Sampling of words from scores, with temperature, top-k, top-p, or greedily."""

from collections.abc import Collection
from dataclasses import dataclass
from math import isfinite

import numpy as np
from numpy.typing import NDArray

from rnnlm.checks import flag, instance_of, listed, number, positive, refused, size, whole_number
from rnnlm.errors import InputError
from rnnlm.randomness import PARTS, StepStreams, fresh_seed

__all__ = ["Sampler", "Sampling"]

FEW = 64  # words sorted first for top_p
RUN = 128  # words in a run; only the sums of runs, and then one run, are searched
MANY = 1 << 17  # scores from which a second thread pays


@dataclass(frozen=True)
class Sampling:
    """Sampling options. `Sampler` checks them.

    Attributes:
        temperature: scores are divided by it; below 1 favours likely words, above 1 flattens the distribution.
        top_k: sample only from the k most likely words.
        top_p: sample only from the smallest set of most likely words whose probabilities add up to at least p.
        greedy: take the most likely word; ties go to the lower id.
        seed: the same seed gives the same words; by default a fresh one.
    """

    temperature: float = 1.0
    top_k: int | None = None
    top_p: float | None = None
    greedy: bool = False
    seed: int | None = None


class Sampler:
    """Draws words from softmax(scores / temperature), with one random number for each row.

    The random number is determined by seed, part, step and row.

    Args:
        vocab_size: V.
        skip_ids: words that are never drawn.
        how: the options.
        part: number of the text; texts of the same seed but different parts use independent random numbers.

    Raises:
        InputError: an argument is out of range, or all words are skipped.
    """

    def __init__(
        self, vocab_size: int, skip_ids: Collection[int] | None = None, how: Sampling = Sampling(), part: int = 0
    ) -> None:
        vocab_size, how = size("vocab_size", vocab_size), instance_of("how", how, Sampling)
        unwanted = [] if skip_ids is None else listed("skip_ids", skip_ids, "ids")
        self.skip = np.array(sorted({whole_number("an id of skip_ids", i, 0, vocab_size) for i in unwanted}), np.int64)
        if self.skip.size == vocab_size:
            raise InputError(f"skip_ids must leave a word to sample, got all {vocab_size}")
        self.temperature = positive("temperature (for the limit 0 use greedy)", how.temperature)
        self.most = vocab_size if how.top_k is None else min(whole_number("top_k", how.top_k, 1), vocab_size)
        if how.top_p is not None and not 0 < number(how.top_p) <= 1:
            raise refused("top_p", "in (0, 1]", how.top_p)
        flag("greedy", how.greedy)
        if how.seed is not None:
            whole_number("seed", how.seed, 0, 2**64)
        self.how, self.seed = how, fresh_seed() if how.seed is None else int(how.seed)
        self._random = StepStreams(self.seed, "sampled words", whole_number("number", part, 0, PARTS))
        self.starts = np.arange(0, vocab_size, RUN)  # of runs of words
        self.words = np.minimum(self.starts[:, None] + np.arange(RUN), vocab_size - 1)
        self.last = vocab_size - self.starts[-1]  # number of words in the last run

    def __call__(self, scores: NDArray[np.floating], step: int) -> NDArray[np.int64]:
        """Draw a word for each row of scores (N, V), which are overwritten; returns ids (N,).

        Args:
            step: number of the draw, which selects the random numbers.
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
        """Overwrite scores (N, V) with probabilities up to a factor for each row, 0 for excluded words; return them."""
        best = self._best(scores)
        with np.errstate(over="ignore"):
            scores -= best
            if self.temperature != 1:
                scores /= max(self.temperature, float(np.finfo(scores.dtype).tiny))
        np.exp(scores, out=scores)
        if self.how.top_k is not None or self.how.top_p is not None:
            for row in scores:
                row[~self._kept(row)] = 0
        return scores

    def _best(self, scores: NDArray[np.floating]) -> NDArray[np.floating]:
        """Return the highest score of each row (N, 1), checked to be finite; set those of skipped words to -inf."""
        if self.skip.size:
            scores[:, self.skip] = -np.inf
        best = scores.max(axis=1, keepdims=True)
        if not all(map(isfinite, best[:, 0].tolist())):
            raise InputError(f"the model's best score is {best.min()}: its weights are not finite")
        return best

    def _find(self, weights: NDArray[np.floating], uniform: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return for each row the word at which the running sum of weights (N, V) exceeds `uniform` (N,) of the total.

        The sums of runs of words, which have the precision of the weights, are searched first, then one run: a running
        sum over all words takes far longer.
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
        """Return the sums (N, runs) of the weights (N, V) of each run, by a product: 5 times faster than reduceat."""
        N, V = weights.shape
        whole = V // RUN * RUN
        sums = np.empty((N, len(self.starts)))
        sums[:, : whole // RUN] = weights[:, :whole].reshape(N, -1, RUN) @ np.ones(RUN, weights.dtype)
        if whole < V:
            sums[:, -1] = weights[:, whole:].sum(axis=1)
        return sums

    def _find_one(self, weights: NDArray[np.floating], uniform: float) -> int:
        """As `_find`, for one row (V,), in a third of the time."""
        runs = np.add.reduceat(weights, self.starts)
        ends = runs.cumsum(dtype=np.float64)
        wanted = uniform * ends[-1]
        run = _first_of_row(ends, wanted, runs)
        within = weights[run * RUN : (run + 1) * RUN]
        before = ends[run - 1] if run else 0.0
        return run * RUN + _first_of_row(within.cumsum(dtype=np.float64), wanted - before, within)

    def _kept(self, weights: NDArray[np.floating]) -> NDArray[np.bool_]:
        """Return a mask of the words that top_k and top_p keep, from their weights (V,)."""
        order = _largest(weights, self.most if self.how.top_p is None else min(self.most, FEW))
        if self.how.top_p is not None:
            considered = weights if self.most == len(weights) else weights[_largest(weights, self.most)]
            wanted = self.how.top_p * considered.sum(dtype=np.float64)
            share = weights[order].cumsum(dtype=np.float64)
            while share[-1] < wanted and len(order) < self.most:
                order = _largest(weights, min(self.most, 8 * len(order)))
                share = weights[order].cumsum(dtype=np.float64)
            order = order[: share.searchsorted(wanted) + 1]
        kept = np.zeros(len(weights), bool)
        kept[order] = True
        return kept


def _largest(weights: NDArray[np.floating], count: int) -> NDArray[np.int64]:
    """Return the indices of the `count` largest weights (V,), in falling order; ties go to the lower index."""
    if count < len(weights):  # sorting all takes five times as long
        least = np.partition(weights, -count)[-count]
        above = (weights > least).nonzero()[0]
        chosen = np.concatenate([above, (weights == least).nonzero()[0][: count - len(above)]])
    else:
        chosen = np.arange(len(weights))
    return chosen[(-weights[chosen]).argsort(kind="stable")]


def _first_above(
    sums: NDArray[np.float64], wanted: NDArray[np.float64], parts: NDArray[np.floating]
) -> NDArray[np.int64]:
    """Return the first index in each row at which `sums`, the running sums of `parts`, exceed `wanted` (N,).

    Never an index whose part is 0, even if rounding leads past the end.
    """
    place = np.minimum((sums <= wanted[:, None]).sum(axis=1), parts.shape[1] - 1)
    if parts[np.arange(len(parts)), place].all():
        return place
    return np.minimum(place, parts.shape[1] - 1 - (parts[:, ::-1] > 0).argmax(axis=1))


def _first_of_row(sums: NDArray[np.float64], wanted: float, parts: NDArray[np.floating]) -> int:
    """As `_first_above`, for one row."""
    place = min(int(sums.searchsorted(wanted, side="right")), len(parts) - 1)
    return place if parts[place] else min(place, int(parts.nonzero()[0][-1]))
