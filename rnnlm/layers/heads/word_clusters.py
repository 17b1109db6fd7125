"""Which words of a vocabulary are frequent, and which targets of a window belong to which of them."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnlm.backend import Array, ops, xp

__all__ = ["Members", "WordClusters"]


@dataclass(frozen=True)
class Members:
    """What the softmaxes of an adaptive one are to predict, of M targets.

    Attributes:
        first: (M,) of the first softmax: a word's rank, or the class of its cluster; -1 where it is ignored.
        rows: of each cluster the rows whose target is in it, in order.
        places: of each cluster the places of these targets in it.
        shares: of each cluster how much its mean counts in that over all targets; 0 where it has none.
    """

    first: Array
    rows: list[Array]
    places: list[Array]
    shares: list[float]


class WordClusters:
    """The V words in order of frequency, cut into a shortlist and K clusters.

    Args:
        sizes: words of the shortlist and of each cluster.

    Attributes:
        cuts: where in that order clusters begin, and V.
        frequencies: (V,) float64 on the host, how frequent each word is; zeros for ids in order of frequency.
    """

    def __init__(self, sizes: list[int]) -> None:
        self.cuts: list[int] = np.cumsum(sizes).tolist()
        self._begins = ops.asarray(np.array(self.cuts[:-1], np.int32))
        self.set_frequencies(np.zeros(self.cuts[-1]))

    def set_frequencies(self, given: Any) -> None:
        """Put the words in order; of equals, the one of the lower id comes first."""
        self.frequencies: NDArray[np.float64] = np.array(given, np.float64)
        self.order = (-self.frequencies).argsort(kind="stable").astype(np.int32)
        ranks = np.empty_like(self.order)
        ranks[self.order] = np.arange(len(ranks))
        self._ranks, self._as_ids = ops.asarray(ranks), bool((ranks[1:] > ranks[:-1]).all())

    def by_id(self, columns: Array) -> Array:
        """Columns (M, V), one for each word, from the order of frequency to that of ids; free where the two are one."""
        return columns if self._as_ids else xp.take(columns, self._ranks, axis=1)

    def members(self, ids: Array, ignored: int) -> Members:
        """Which of the targets ids (M,) belong where. A GPU is waited for, once: it has to tell how many."""
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
