"""Adaptive softmax: one softmax for frequent words, and for rare ones clusters computed only where needed."""

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
from rnnlm.layers.heads.word_clusters import WordClusters

__all__ = ["TimeAdaptiveSoftmaxWithLoss"]


class TimeAdaptiveSoftmaxWithLoss(Head):
    """Adaptive softmax and mean cross-entropy in nats, for large vocabularies.  (N, T, H), (N, T) -> ()

        p(w) = p_0(w)                    of the shortlist, the c words that are most frequent
        p(w) = p_0(C_k) p_k(w)           of cluster k = 1 ... K, which has V_k less frequent ones
        p_0 = softmax(h W_0 + b_0)       (H, c + K), (c + K,): the shortlist, then a class for each cluster
        p_k = softmax(h P_k W_k + b_k)   (H, d_k), (d_k, V_k), (V_k,)

    The probabilities of all words sum to 1. In training p_k is computed only for the hidden states whose target is in
    cluster k, which saves most of the work.

    Word ids must be in order of falling frequency, unless `set_frequencies` gives the frequencies; a model saves them
    with its weights. On a GPU each `loss` waits for the device once, to read how many targets each cluster has.

    Source: Grave, Joulin, Cissé, Grangier and Jégou, Efficient softmax approximation for GPUs, ICML 2017.

    Args:
        first: layer from H to c + K scores.
        clusters: for each cluster its projection P_k, from H to d_k, and its layer from d_k to V_k scores.

    Attributes:
        words: which words are in the shortlist and in each cluster.
        Others are those of `Head`.
    """

    called = "adaptive"
    ignores = True

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
        self.words = WordClusters([shortlist, *(len(words.params[1]) for _, words in self._clusters)])

    # ------------------------------------------------------------------ which words are frequent

    def set_frequencies(self, counts: Any) -> None:
        """Assign the words to the shortlist and the clusters by frequency; ties go to the lower id. Call it before
        training: it changes which word each column of the weights belongs to.

        Args:
            counts: (V,) count or relative frequency of each word, on the host.

        Raises:
            InputError: not V numbers, or one that is negative or not finite.
        """
        given = array_of("counts", counts)
        if given.shape != self.words.order.shape or given.dtype.kind not in "iuf":
            raise refused("counts", f"numbers ({self.words.cuts[-1]},), one for each word", counts)
        if not np.isfinite(given).all() or (given < 0).any():
            raise refused("counts", "finite and not negative", counts)
        self.words.set_frequencies(given)

    def constants(self) -> Mapping[str, Array]:
        """Return the word frequencies, which are saved with the weights."""
        return {"frequencies": self.words.frequencies}

    def set_constants(self, given: Mapping[str, Any]) -> None:
        """Restore the word frequencies that `constants` returned."""
        self.words.set_frequencies(given["frequencies"])

    def unigram_biases(self, logs: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
        """Return the biases that, with zero weights, give words the log-probabilities `logs` (V,)."""
        pieces = np.split(logs[self.words.order], self.words.cuts[:-1])
        classes = [np.logaddexp.reduce(piece) for piece in pieces[1:]]
        inner = {f"cluster{k}.b": piece for k, piece in enumerate(pieces[1:], 1)}
        return {"first.b": np.concatenate([pieces[0], classes]), **inner}

    # ------------------------------------------------------------------ what it is made of

    def parts(self) -> Mapping[str, Layer]:
        """Return the first softmax, and the projection and softmax of each cluster, by name."""
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
        return *shape[:-1], self.words.cuts[-1]

    # ------------------------------------------------------------------ forward and back

    def loss(self, h: Array, ts: Array, keep: bool = True) -> Array:
        """As `Head.loss`."""
        flag("keep", keep)
        expect("xs", h, ("N", "T", self.takes), self.dtype)
        N, T, H = h.shape
        ids = expect_targets(ts, N, T, self.words.cuts[-1], self.ignore_label)
        x = time_major(h).reshape(T * N, H)
        members = self.words.members(ids, self.ignore_label)
        loss = self._first.loss(h, batch_first(members.first.reshape(T, N)), keep)
        nats = self._buffer("nats", (T * N,), xp.float64)
        nats[...] = time_major(self._first.nats).reshape(-1)
        for (projection, words), rows, places, share in zip(
            self._clusters, members.rows, members.places, members.shares
        ):
            if share:
                z = projection.forward(xp.take(x, rows, axis=0))
                loss = loss + share * words.loss(z[:, None], places[:, None], keep)
                nats[rows] += words.nats[:, 0]
        self.nats = batch_first(nats.reshape(T, N))
        self._saved = (members.rows, members.shares) if keep else None
        return loss

    def backward(self, dout: Any = 1) -> Array:
        """Return the gradient (N, T, H) of the hidden states and write those of the weights to `grads`.

        Args:
            dout: gradient of the loss.
        """
        all_rows, shares = self.saved_values()
        factor = factor_of(dout)
        self.clear_saved_values()
        dh = self._first.backward(dout)
        dx = time_major(dh).reshape(-1, self.takes)  # a view of dh
        for (projection, words), rows, share in zip(self._clusters, all_rows, shares):
            if share:
                dz = words.backward(share if factor is None else share * factor)
                dx[rows] += projection.backward(dz[:, 0])  # a row is in at most one cluster, so none repeats
            else:
                for grad in (*projection.grads, *words.grads):
                    grad[...] = 0
        return dh

    # ------------------------------------------------------------------ scores

    def scores(self, h: Array) -> Array:
        """Return the log-probabilities (N, T, V) of the words after hidden states (N, T, H)."""
        expect("xs", h, ("N", "T", self.takes), self.dtype)
        self.clear_saved_values()
        N, T, H = h.shape
        x, cuts = time_major(h).reshape(T * N, H), self.words.cuts
        found = self._buffer("scores", (T * N, cuts[-1]), self.dtype)
        first = _log_softmax(self._first, x)
        found[:, : cuts[0]] = first[:, : cuts[0]]
        for k, (projection, words) in enumerate(self._clusters):
            inner = _log_softmax(words, projection.forward(x))
            xp.add(inner, first[:, cuts[0] + k, None], out=found[:, cuts[k] : cuts[k + 1]])
        return batch_first(self.words.by_id(found).reshape(T, N, -1))


def _cluster(number: int, given: Any, first: TimeAffineWithLoss) -> tuple[MatMul, TimeAffineWithLoss]:
    """Return the projection and the softmax of a cluster after checking their shapes."""
    name = f"cluster {number}"
    if not isinstance(given, (tuple, list)) or len(given) != 2:
        raise refused(name, "a MatMul and a TimeAffine", given)
    projection, words = instance_of(name, given[0], MatMul), instance_of(name, given[1], TimeAffine)
    expect(f"the projection of {name}", projection.params[0], (first.takes, words.takes), first.dtype)
    expect(f"the weights of {name}", words.params[0], (words.takes, "V"), first.dtype)
    return projection, TimeAffineWithLoss(words)


def _log_softmax(layer: TimeAffineWithLoss, x: Array) -> Array:
    """Return the log softmax of a layer's scores of rows x (M, H), computed in place of the scores."""
    scores = layer.scores(x[:, None])[:, 0]
    with ops.quiet():
        scores -= scores.max(axis=1, keepdims=True)
    scores -= xp.log(xp.exp(scores).sum(axis=1, keepdims=True))
    return scores
