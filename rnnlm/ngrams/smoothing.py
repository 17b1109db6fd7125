"""Interpolated modified Kneser-Ney smoothing.

    p(w | h) = (a(h w) - D(a(h w))) / a(h) + gamma(h) p(w | h')

For the highest order a(h w) is the count of an n-gram, for lower orders the number of different words before it; a(h)
is the sum of a(h w) over w; h' is h without its first word; the discounts D(1), D(2) and D(3) (for all counts from 3
on) are subtracted from counts; gamma(h) is the mass this frees, so that probabilities sum to 1. Below order 1,
p is 1 / V.

Sources: Chen and Goodman, An empirical study of smoothing techniques for language modeling, 1998 (the equation, the
discounts); Heafield, Pouzyrevsky, Clark and Koehn, Scalable modified Kneser-Ney language model estimation, 2013
(n-grams after `<s>`, cut-offs).
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rnnlm.checks import sequence, size, whole_number
from rnnlm.data.tokens import Tokens
from rnnlm.errors import InputError
from rnnlm.ngrams.counts import ORDERS, Advance, continuations, count
from rnnlm.ngrams.model import NGram, Table

__all__ = ["USUAL_DISCOUNTS", "cutoff_limits", "discounts_of", "kneser_ney"]

USUAL_DISCOUNTS = (0.5, 1.0, 1.5)  # if counts of counts give none, as for small or artificial texts (as in KenLM)


def kneser_ney(
    ids: ArrayLike | Tokens,
    vocab_size: int,
    eos_id: int,
    order: int = 5,
    cutoffs: Sequence[int] = (),
    advance: Advance | None = None,
) -> NGram:
    """Return an n-gram model with interpolated modified Kneser-Ney smoothing; unseen words have a probability, too.

    Args:
        ids: (tokens,) of a text, counted line by line.
        vocab_size: V.
        eos_id: id of `<eos>`, which ends lines.
        order: n, length of the longest n-grams, 1 to 255.
        cutoffs: for each order from 2 on, leave out n-grams that occur at most this often; must not decrease, and the
            last one also holds for all higher orders. Their probability mass goes to the shorter n-grams.
        advance: called with the number of tokens after each order.

    Raises:
        DataError: an empty text.
        InputError: ids outside the vocabulary, another order, or decreasing cut-offs.
    """
    limits = cutoff_limits(cutoffs, order)
    order, vocab_size = len(limits), size("vocab_size", vocab_size)
    levels = count(ids, vocab_size, eos_id, order, advance)
    lower, places = np.full(1, 1 / vocab_size), np.zeros(1, np.int64)  # below order 1; all words are kept
    tables: list[Table] = []
    discounts = []
    for n, level in enumerate(levels, 1):
        counts = level.counts.copy() if n == order else continuations(level, levels[n])
        contexts = level.contexts(vocab_size)  # zeros for the words
        if n == 1:
            counts[vocab_size] = 0  # <s> is never predicted
        taken = discounts_of(counts)
        kept = level.counts > limits[n - 1]
        probs, gamma = _interpolated(counts, kept, contexts, taken, len(lower), lower[level.suffixes])
        if n == 1:
            probs[vocab_size] = 0
        else:
            tables[-1].backoffs[:] = np.log(gamma[places >= 0])
        tables.append(_table(level.keys[kept], places, probs[kept], vocab_size + 1, last=n == order))
        discounts.append((float(taken[1]), float(taken[2]), float(taken[3])))
        lower, places = probs, np.where(kept, np.cumsum(kept) - 1, -1)
    return NGram(tables, vocab_size, int(eos_id), discounts)


def _interpolated(
    counts: NDArray[np.int64],
    kept: NDArray[np.bool_],
    contexts: NDArray[np.int64],
    taken: NDArray[np.float64],
    size: int,
    lower: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the probabilities (entries,) of an order's n-grams, and gamma (size,) of contexts; 1 if nothing follows.

    Args:
        counts: (entries,) a(h w).
        kept: (entries,) whether each n-gram is kept; all counts of the others go to gamma.
        contexts: (entries,) index of h.
        taken: (4,) discounts D, by count.
        size: number of contexts.
        lower: (entries,) p(w | h').
    """
    discounts = taken[np.minimum(counts, 3)]
    totals = np.bincount(contexts, counts, size)
    freed = np.bincount(contexts, np.where(kept, discounts, counts), size)
    gamma = np.divide(freed, totals, out=np.ones(size), where=totals > 0)
    probs = np.where(kept, counts - discounts, 0.0)
    probs /= totals[contexts]
    probs += gamma[contexts] * lower
    return probs, gamma


def _table(
    keys: NDArray[np.int64], places: NDArray[np.int64], probs: NDArray[np.float64], size: int, last: bool
) -> Table:
    """Return the table of the n-grams that are kept, with contexts renumbered; `size` is V + 1."""
    with np.errstate(divide="ignore"):  # <s> has no probability
        logprobs = np.log(probs)
    return Table(places[keys // size] * size + keys % size, logprobs, np.zeros(0 if last else len(keys)))


def discounts_of(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the discounts (4,) of counts 0, 1, 2, and 3 or more.

    D(k) = k - (k + 1) Y n(k + 1) / n(k), where Y = n(1) / (n(1) + 2 n(2)) and n(k) n-grams have count k. If some n(k)
    is 0, or a discount is not in (0, k], the result is (0, 0.5, 1, 1.5).
    """
    n = np.bincount(np.minimum(counts, 5), minlength=6)[:5].tolist()
    if all(n[1:]):
        y = n[1] / (n[1] + 2 * n[2])
        found = [k - (k + 1) * y * n[k + 1] / n[k] for k in (1, 2, 3)]
        if all(0 < d <= k for k, d in enumerate(found, 1)):
            return np.array([0.0, *found])
    return np.array([0.0, *USUAL_DISCOUNTS])


def cutoff_limits(cutoffs: Sequence[int], order: int) -> list[int]:
    """Return for each order the highest count of n-grams to leave out; -1 for order 1, which keeps all words.

    Raises:
        InputError: another order than 1 to 255, or cut-offs that decrease or are too many.
    """
    order = whole_number("order", order, 1, ORDERS)
    given = sequence("cutoffs", cutoffs, "numbers, one for each order from 2 on")
    checked = [whole_number("a cut-off", limit, 0) for limit in given]
    if checked != sorted(checked):
        raise InputError(f"cut-offs must not fall from order to order, got {checked}")
    if len(checked) > order - 1:
        raise InputError(f"cut-offs are for the orders from 2 to {order}, got {len(checked)} of them")
    rest = checked[-1] if checked else 0
    return [-1, *checked, *[rest] * (order - 1 - len(checked))]
