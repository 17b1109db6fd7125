"""Adaptive softmax: frequent words in one softmax, rare ones in clusters that are computed where they are needed."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnlm.backend import Array, ops, xp
from rnnlm.checks import array_of, flag, instance_of, refused, sequence
from rnnlm.errors import InputError
from rnnlm.layers.affine import MatMul, TimeAffine
from rnnlm.layers.base import Layer, Shape, batch_first, expect, time_major
from rnnlm.layers.heads.affine_softmax import TimeAffineWithLoss
from rnnlm.layers.heads.base import Head, expect_targets, factor_of

__all__ = ["TimeAdaptiveSoftmaxWithLoss"]


class TimeAdaptiveSoftmaxWithLoss(Head):
    """Adaptive softmax and mean cross-entropy in nats, for large vocabularies.  (N, T, H), (N, T) -> ()

        p(w) = p_0(w)                    of the shortlist, the c words that are most frequent
        p(w) = p_0(C_k) p_k(w)           of cluster k = 1 ... K, which has V_k less frequent ones
        p_0 = softmax(h W_0 + b_0)       (H, c + K), (c + K,): the shortlist, then a class for each cluster
        p_k = softmax(h P_k W_k + b_k)   (H, d_k), (d_k, V_k), (V_k,)

    These are the probabilities of all words: they sum to 1. In training p_k is computed for the hidden states alone
    whose target is in cluster k, which are gathered: that is what it saves.

    Words are numbered by falling frequency, unless `set_frequencies` says how frequent each is; a model saves that with
    its weights. On a GPU each `loss` waits for the device once, to learn how many targets each cluster has.

    Source: Grave, Joulin, Cissé, Grangier and Jégou, Efficient softmax approximation for GPUs, ICML 2017.

    Args:
        first: from H to c + K scores.
        clusters: of each cluster the product with P_k, from H to d_k, and the layer from there to V_k scores.

    Attributes:
        frequencies: (V,) float64 on the host, how frequent each word is; zeros for ids in order of frequency.
        others are those of `Head`.
    """

    called = "adaptive"

    def __init__(self, first: TimeAffine, clusters: Sequence[tuple[MatMul, TimeAffine]]) -> None:
        super().__init__()
        self._first = TimeAffineWithLoss(instance_of("first", first, TimeAffine))
        self._clusters = [_cluster(k, one, self._first) for k, one in enumerate(sequence("clusters", clusters), 1)]
        parts = self.parts()
        self.params = [p for part in parts.values() for p in part.params]
        self.grads = [g for part in parts.values() for g in part.grads]
        self.names = tuple(f"{name}.{own}" for name, part in parts.items() for own in part.names)
        shortlist = first.params[1].size - len(self._clusters)
        if shortlist < 1 or not self._clusters:
            raise InputError(
                f"first must have a score for each of {len(self._clusters)} clusters, at least 1, and for at least one "
                f"word before them, got {first.params[1].size} scores"
            )
        self._cuts = np.cumsum([shortlist, *(len(words.params[1]) for _, words in self._clusters)]).tolist()
        self.set_constants({"frequencies": np.zeros(self._cuts[-1])})

    # ------------------------------------------------------------------ which words are frequent

    def set_frequencies(self, counts: Any) -> None:
        """Say how frequent the words are: the shortlist is then of the most frequent ones, and so on; of equals, the
        one of the lower id comes first. To be said before training: rows of the weights belong to other words then.

        Args:
            counts: (V,) how often each word occurs, or its share, on the host.

        Raises:
            InputError: another number of them, or one that is negative or not finite.
        """
        given = array_of("counts", counts)
        if given.shape != self.frequencies.shape or given.dtype.kind not in "iuf":
            raise refused("counts", f"numbers ({len(self.frequencies)},), one for each word", counts)
        if not np.isfinite(given).all() or (given < 0).any():
            raise refused("counts", "finite and not negative", counts)
        self.set_constants({"frequencies": given.astype(np.float64)})

    def constants(self) -> Mapping[str, Array]:
        """How frequent words are."""
        return {"frequencies": self.frequencies}

    def set_constants(self, given: Mapping[str, Any]) -> None:
        """Take over what `constants` gave."""
        self.frequencies: NDArray[np.float64] = np.array(given["frequencies"], np.float64)
        order = (-self.frequencies).argsort(kind="stable")
        ranks = np.empty(len(order), np.int32)
        ranks[order] = np.arange(len(order))
        self._ids, self._ranks = ops.asarray(order.astype(np.int32)), ops.asarray(ranks)  # by rank, and by id

    def unigram_biases(self, logs: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
        """The biases with which, without weights, words have probabilities whose logarithms (V,) these are."""
        pieces = np.split(logs[ops.asnumpy(self._ids)], self._cuts[:-1])
        classes = [np.logaddexp.reduce(piece) for piece in pieces[1:]]
        inner = {f"cluster{k}.b": piece for k, piece in enumerate(pieces[1:], 1)}
        return {"first.b": np.concatenate([pieces[0], classes]), **inner}

    # ------------------------------------------------------------------ what it is made of

    def parts(self) -> Mapping[str, Layer]:
        """The first softmax, and of each cluster its projection and its softmax."""
        found: dict[str, Layer] = {"first": self._first}
        for k, (projection, words) in enumerate(self._clusters, 1):
            found |= {f"projection{k}": projection, f"cluster{k}": words}
        return found

    @property
    def takes(self) -> int:
        """H."""
        return self._first.takes

    def output_shape(self, shape: Shape) -> Shape:
        """(N, T, V), of the scores."""
        return *shape[:-1], self._cuts[-1]

    # ------------------------------------------------------------------ forward and back

    def loss(self, h: Array, ts: Array, keep: bool = True) -> Array:
        """As `Head` has it."""
        flag("keep", keep)
        expect("xs", h, ("N", "T", self.takes), self.dtype)
        N, T, H = h.shape
        ids = expect_targets(ts, N, T, self._cuts[-1], self.ignore_label)
        x = time_major(h).reshape(T * N, H)
        first, places, members, shares = self._shared_out(ids)
        loss = self._first.loss(h, batch_first(first.reshape(T, N)), keep)
        nats = self._buffer("nats", (T * N,), xp.float64)
        nats[...] = time_major(self._first.nats).reshape(-1)
        for (projection, words), rows, share in zip(self._clusters, members, shares):
            if share:
                z = projection.forward(xp.take(x, rows, axis=0))
                loss = loss + share * words.loss(z[:, None], xp.take(places, rows)[:, None], keep)
                nats[rows] += words.nats[:, 0]
        self.nats = batch_first(nats.reshape(T, N))
        self._saved = (members, shares) if keep else None
        return loss

    def backward(self, dout: Any = 1) -> Array:
        """Gradient (N, T, H) of the hidden states; those of the weights are left in `grads`.

        Args:
            dout: gradient of the loss itself.
        """
        members, shares = self._restore()
        factor = factor_of(dout)
        self._done()
        dh = self._first.backward(dout)
        dx = time_major(dh).reshape(-1, self.takes)  # the same memory
        for (projection, words), rows, share in zip(self._clusters, members, shares):
            if share:
                dz = words.backward(share if factor is None else share * factor)
                dx[rows] += projection.backward(dz[:, 0])  # each row once: in no cluster, or in one
            else:
                for grad in (*projection.grads, *words.grads):
                    grad[...] = 0
        return dh

    def _shared_out(self, ids: Array) -> tuple[Array, Array, list[Array], list[float]]:
        """What each softmax is to predict of the targets ids (M,).

        Returns:
            first: (M,) of the first softmax: a word's rank, or the class of its cluster; -1 where it is ignored.
            places: (M,) of the cluster's: the place of the word in it; no meaning for others.
            members: of each cluster the rows whose target is in it.
            shares: of each cluster how much its mean counts in that over all targets; 0 where it has none.
        """
        K, cuts = len(self._clusters), self._cuts
        counted = ids != self.ignore_label
        ranks = xp.take(self._ranks, xp.where(counted, ids, 0))
        begins = ops.asarray(np.array(cuts[:-1], np.int32))
        cluster = (ranks[:, None] >= begins).sum(axis=1)  # 0 for the shortlist
        first = xp.where(counted, xp.where(cluster > 0, cuts[0] - 1 + cluster, ranks), -1)
        places = ranks - xp.take(begins, xp.maximum(cluster - 1, 0))
        cluster = xp.where(counted, cluster, K + 1)
        sizes = ops.asnumpy((cluster[:, None] == xp.arange(K + 2)).sum(axis=0)).tolist()  # here a GPU is waited for
        rows, ends = xp.argsort(cluster, kind="stable"), np.cumsum(sizes).tolist()
        members = [rows[ends[k - 1] : ends[k]] for k in range(1, K + 1)]
        return first, places, members, [size / max(1, ends[K]) for size in sizes[1:-1]]

    # ------------------------------------------------------------------ scores

    def scores(self, h: Array) -> Array:
        """Log-probabilities (N, T, V) of the words after hidden states (N, T, H)."""
        expect("xs", h, ("N", "T", self.takes), self.dtype)
        self._done()
        N, T, H = h.shape
        x, cuts = time_major(h).reshape(T * N, H), self._cuts
        found = self._buffer("scores", (T * N, cuts[-1]), self.dtype)
        first = _log_softmax(self._first, x)
        found[:, self._ids[: cuts[0]]] = first[:, : cuts[0]]
        for k, (projection, words) in enumerate(self._clusters):
            inner = _log_softmax(words, projection.forward(x))
            inner += first[:, cuts[0] + k, None]
            found[:, self._ids[cuts[k] : cuts[k + 1]]] = inner
        return batch_first(found.reshape(T, N, -1))

    def next_scores(self, h: Array) -> Array:
        """Log-probabilities (N, V) after the last of the hidden states (N, T, H), the caller's to write to until the
        next call."""
        expect("xs", h, ("N", "T", self.takes), self.dtype)
        return self.scores(h[:, -1:])[:, 0]


def _cluster(number: int, given: Any, first: TimeAffineWithLoss) -> tuple[MatMul, TimeAffineWithLoss]:
    """The two layers of a cluster, checked to fit."""
    name = f"cluster {number}"
    if not isinstance(given, (tuple, list)) or len(given) != 2:
        raise refused(name, "a MatMul and a TimeAffine", given)
    projection, words = instance_of(name, given[0], MatMul), instance_of(name, given[1], TimeAffine)
    expect(f"the projection of {name}", projection.params[0], (first.takes, words.takes), first.dtype)
    expect(f"the weights of {name}", words.params[0], (words.takes, "V"), first.dtype)
    return projection, TimeAffineWithLoss(words)


def _log_softmax(layer: TimeAffineWithLoss, x: Array) -> Array:
    """log softmax of the scores of rows x (M, H), in their memory."""
    scores = layer.scores(x[:, None])[:, 0]
    with ops.quiet():
        scores -= scores.max(axis=1, keepdims=True)
    scores -= xp.log(xp.exp(scores).sum(axis=1, keepdims=True))
    return scores
