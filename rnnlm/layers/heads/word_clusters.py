"""Partition of a vocabulary by frequency, and of a window's targets, for the adaptive softmax."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnlm.backend import Array, ops, xp

__all__ = ["Members", "WordClusters"]


@dataclass(frozen=True)
class Members:
    """The targets of each softmax of an adaptive softmax, for M targets in all.

    Attributes:
        first: (M,) targets of the first softmax: a word's rank, or the class of its cluster; -1 where ignored.
        rows: for each cluster, the rows whose target is in it, in order.
        places: for each cluster, the indices of these targets within it.
        shares: for each cluster, its fraction of the targets that count, the weight of its mean loss.
    """

    first: Array
    rows: list[Array]
    places: list[Array]
    shares: list[float]


class WordClusters:
    """The V words in order of falling frequency, split into a shortlist and K clusters.

    Args:
        sizes: number of words in the shortlist and in each cluster.

    Attributes:
        cuts: where in that order each cluster begins, and V.
        frequencies: (V,) float64 on the host, of each word; zeros if ids are already in order of frequency.
    """

    def __init__(self, sizes: list[int]) -> None:
        self.cuts: list[int] = np.cumsum(sizes).tolist()
        self._begins = ops.asarray(np.array(self.cuts[:-1], np.int32))
        self.set_frequencies(np.zeros(self.cuts[-1]))

    def set_frequencies(self, given: Any) -> None:
        """Order the words by falling frequency; ties go to the lower id."""
        self.frequencies: NDArray[np.float64] = np.array(given, np.float64)
        self.order = (-self.frequencies).argsort(kind="stable").astype(np.int32)
        ranks = np.empty_like(self.order)
        ranks[self.order] = np.arange(len(ranks))
        self._ranks, self._as_ids = ops.asarray(ranks), bool((ranks[1:] > ranks[:-1]).all())

    def by_id(self, columns: Array) -> Array:
        """Return columns (M, V), one a word, in order of ids instead of frequency; no copy if the orders are equal."""
        return columns if self._as_ids else xp.take(columns, self._ranks, axis=1)

    def members(self, ids: Array, ignored: int) -> Members:
        """Assign the targets ids (M,) to the softmaxes. Waits once for a GPU, to read the number in each cluster."""
        K, M = len(self.cuts) - 1, len(ids)
        counted = ids != ignored
        ranks = xp.take(self._ranks, xp.where(counted, ids, 0))
        cluster = (ranks[:, None] >= self._begins).sum(axis=1)  # 0 for the shortlist
        first = xp.where(cluster > 0, self.cuts[0] - 1 + cluster, ranks)
        cluster = xp.where(counted, cluster, K + 1)
        sizes = ops.asnumpy((cluster[:, None] == xp.arange(K + 2)).sum(axis=0))
        sorted_rows, ends = xp.argsort(cluster, kind="stable"), sizes.cumsum().tolist()
        rows = [sorted_rows[begin:end] for begin, end in zip(ends, ends[1:-1])]
        places = [xp.take(ranks, own) - begin for own, begin in zip(rows, self.cuts)]
        shares = (sizes[1:-1] / max(1, M - sizes[-1])).tolist()
        return Members(xp.where(counted, first, -1), rows, places, shares)
