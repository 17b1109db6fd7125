"""Negative sampling: binary classification of the target and a few sampled words, instead of a softmax over all words.

    L = mean over rows of (-log sigmoid(h . w_target) - sum over S negatives log sigmoid(-h . w_negative))

Source: Mikolov, Sutskever, Chen, Corrado and Dean, Distributed representations of words and phrases and their
compositionality, NIPS 2013. Names and shapes are those of Deep Learning from Scratch 2, chapter 4.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnlm.backend import Array, ops, xp
from rnnlm.checks import array_of, flag, positive, shown, size, whole_number
from rnnlm.errors import InputError
from rnnlm.layers.base import Layer, expect, expect_ids
from rnnlm.layers.embedding import add_rows
from rnnlm.layers.functions import sigmoid
from rnnlm.layers.heads.base import Head, factor_of
from rnnlm.randomness import stream

__all__ = ["EmbeddingDot", "NegativeSamplingLoss", "UnigramSampler"]


class UnigramSampler:
    """Draws words that are not the target, with probabilities proportional to P(w)^power.

    Args:
        corpus: ids (tokens,) on the host, in which words are counted; words that do not occur are never drawn.
        power: exponent; below 1, rare words are drawn more often than they occur.
        sample_size: S, words drawn for each target.
        seed: together with the number of the draw it determines each sample.

    Raises:
        InputError: fewer than two different words in the corpus, or arguments out of range.
    """

    def __init__(self, corpus: Any, power: float = 0.75, sample_size: int = 5, seed: int = 0) -> None:
        counts = np.bincount(_ids("corpus", corpus, "tokens"))
        if (counts > 0).sum() < 2:
            raise InputError("corpus must have at least two different words: one is no negative sample of itself")
        self.sample_size = size("sample_size", sample_size)
        self.seed = whole_number("seed", seed, 0, 2**64)
        with np.errstate(over="ignore"):
            weights = np.where(counts, counts.astype(np.float64) ** positive("power", power), 0)
        if not np.isfinite(weights.sum()):
            raise InputError(f"power must leave the counts of words finite, got {shown(power)}: take one near 1")
        self.word_p = weights / weights.sum()
        self._ends = self.word_p.cumsum()
        self._begins = self._ends - self.word_p
        self._most = np.argsort(-self.word_p, kind="stable")[:2]  # the two most frequent words
        self.draws = 0

    def get_negative_sample(self, target: Any) -> NDArray[np.int64]:
        """Return words (N, S), drawn with replacement, none of them the target (N,) of its row.

        Each takes one uniform number, mapped by the inverse of the cumulative distribution without the target.
        """
        target = _ids("target", target)
        u = stream(self.seed, "negative samples", self.draws).random((len(target), self.sample_size))
        self.draws += 1
        own = np.where(target < len(self.word_p), target, 0)
        p = np.where(target < len(self.word_p), self.word_p[own], 0)[:, None]
        u *= self._ends[-1] - p
        u += p * (u >= self._begins[own][:, None])
        found = np.minimum(np.searchsorted(self._ends, u, side="right"), len(self.word_p) - 1)
        return self._but(found, target)

    def _but(self, found: NDArray[np.int64], target: NDArray[Any]) -> NDArray[np.int64]:
        """Replace targets, and words that do not occur, both due to rounding, by the most frequent other word."""
        best, second = self._most
        other = np.where(target == best, second, best)[:, None]
        return np.where((found == target[:, None]) | (self.word_p[found] == 0), other, found)


def _ids(name: str, given: Any, length: str = "M") -> NDArray[np.int64]:
    """Return ids as a 1-d int64 array on the host, checked to be in [0, 2^31); `length` is its length in messages."""
    on_device = isinstance(given, xp.ndarray) and not isinstance(given, np.ndarray)
    ids = array_of(name, ops.asnumpy(given) if on_device else given)
    if ids.ndim != 1 or ids.dtype.kind not in "iu" or not ids.size:
        raise InputError(f"{name} must be ids ({length},), got {ids.dtype} of shape {ids.shape}")
    if ids.min() < 0 or ids.max() >= 2**31:
        raise InputError(f"{name} must hold ids in [0, 2^31), got {ids.min() if ids.min() < 0 else ids.max()}")
    return ids.astype(np.int64)


class EmbeddingDot(Layer):
    """Dot products of hidden states with word vectors.  (N, H), ids (N,) -> (N,), or ids (N, S) -> (N, S)

        y_n = h_n . W[id_n]        dh_n = dy_n W[id_n]    dW[v] = sum of dy_n h_n over all n with id_n = v

    Args:
        W: (V, H) vectors.
    """

    names = ("W",)

    def __init__(self, W: Array) -> None:
        expect("W", W, ("V", "H"))
        super().__init__(W)

    def forward(self, h: Array, idx: Array) -> Array:
        """Return the products, in the shape of idx."""
        (W,) = self.params
        expect("h", h, ("N", W.shape[1]), self.dtype)
        expect_ids("idx", idx, (len(h),) if getattr(idx, "ndim", 2) == 1 else (len(h), "S"), len(W))
        vectors = xp.take(W, idx, axis=0)
        self.save_for_backward(h, idx, vectors)
        return (vectors * (h if idx.ndim == 1 else h[:, None])).sum(axis=-1)

    def backward(self, dout: Array) -> Array:
        """Return the gradient (N, H) of h and write that of W to `grads`."""
        (dW,) = self.grads
        h, idx, vectors = self.saved_values()
        expect("dout", dout, idx.shape, self.dtype)
        self.clear_saved_values()
        dW[...] = 0
        of_rows = dout[..., None] * (h if idx.ndim == 1 else h[:, None])
        add_rows(dW, idx.reshape(-1).astype(xp.int32), xp.ascontiguousarray(of_rows.reshape(-1, dW.shape[1])))
        dh = dout[..., None] * vectors
        return dh if idx.ndim == 1 else dh.sum(axis=1)


class NegativeSamplingLoss(Head):
    """The mean loss of hidden states for a target and S sampled words each.  (N, H), ids (N,) -> ()

    Args:
        W: (V, H) output vectors of the words.
        corpus, power, sample_size, seed: as in `UnigramSampler`.

    Attributes:
        sampler: draws the negatives.
        dot: the layer of the dot products.
    """

    called = "negative"

    def __init__(self, W: Array, corpus: Any, power: float = 0.75, sample_size: int = 5, seed: int = 0) -> None:
        super().__init__()
        self.dot = EmbeddingDot(W)
        if (highest := _ids("corpus", corpus, "tokens").max()) >= len(W):
            raise InputError(f"corpus must hold ids in [0, {len(W)}), got {highest}")
        self.sampler = UnigramSampler(corpus, power, sample_size, seed)
        self.params, self.grads, self.names = self.dot.params, self.dot.grads, self.dot.names

    def loss(self, h: Array, ts: Array, keep: bool = True) -> Array:
        """Return the mean loss of hidden states h (N, H) and targets ts (N,), a 0-d float64 array or scalar.

        Without `keep` the words are those of the next loss in training, which an evaluation does not change.
        """
        flag("keep", keep)
        expect("h", h, ("N", self.params[0].shape[1]), self.dtype)
        expect_ids("ts", ts, (len(h),), len(self.params[0]))
        draws = self.sampler.draws
        negatives = ops.asarray(self.sampler.get_negative_sample(ts))
        self.sampler.draws = draws + keep
        return self.loss_of(h, xp.concatenate([ts[:, None].astype(negatives.dtype), negatives], axis=1), keep)

    def loss_of(self, h: Array, idx: Array, keep: bool = True) -> Array:
        """Return the mean loss for given words idx (N, 1 + S), the target first."""
        flag("keep", keep)
        expect_ids("idx", idx, ("N", "S"), len(self.params[0]))
        scores = self.dot.forward(h, idx)
        labels = xp.zeros_like(scores)
        labels[:, 0] = 1
        nats = xp.maximum(scores, 0) - scores * labels + xp.log1p(xp.exp(-xp.abs(scores)))
        self.nats = nats.sum(axis=1).astype(xp.float64)
        self._saved = ((sigmoid(scores) - labels) / len(h),) if keep else None
        return self.nats.mean()

    def backward(self, dout: Any = 1) -> Array:
        """Return the gradient (N, H) of the hidden states and write that of W to `grads`."""
        (dscores,) = self.saved_values()
        factor = factor_of(dout)
        self.clear_saved_values()
        return self.dot.backward(dscores if factor is None else (dscores * factor).astype(self.dtype))

    def scores(self, h: Array) -> Array:
        """Return the dot products (N, V) of hidden states with the vectors of all words."""
        expect("h", h, ("N", self.params[0].shape[1]), self.dtype)
        self.clear_saved_values()
        scores = xp.empty((len(h), len(self.params[0])), self.dtype)
        ops.matmul(h, self.params[0].T, out=scores)
        return scores
