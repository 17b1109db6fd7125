"""A neural cache: words that came after a state like the present one are likely to come again.

Every word w_{i+1} that is read is kept with the hidden state h_i that came before it. The cache predicts the words
kept, each by how much the present state is like the one before it, and is mixed with the model:

    p(w | h_t) = (1 - weight) p_model(w | h_t) + weight p_cache(w | h_t)
    p_cache(w | h_t) = sum_{i: w_{i+1} = w} exp(flatness h_t . h_i) / sum_i exp(flatness h_t . h_i)

Nothing is trained. Source: Grave, Joulin and Usunier, Improving neural language models with a continuous cache, ICLR
2017. A flatness of 0 gives a unigram cache, as in Kuhn and De Mori, A cache-based natural language model for speech
recognition, 1990.
"""

from math import log1p
from typing import Any

import numpy as np

from rnnlm.backend import Array, ops, xp
from rnnlm.checks import Checked, not_negative, refused, share, whole_number
from rnnlm.concurrency import OneThread
from rnnlm.errors import InputError
from rnnlm.inference.predictor import ROWS, expect_predictor, shared_copy_of, start_of

__all__ = ["NeuralCache"]

MOST = 1 << 24  # words kept
SCORES = 1 << 21  # about so many products of states are computed at a time


def kept_words(name: str, value: Any) -> int:
    """Check the number of words that a cache keeps, and return it."""
    return whole_number(name, value, 1, MOST + 1)


class NeuralCache:
    """A predictor that mixes a model with a cache of the words that it has read.

        evaluate(NeuralCache(model, size=500, weight=0.1, flatness=0.3), corpus)

    It reads N texts in parallel, with a cache for each. `reset_state` empties the caches. `DynamicEvaluation` takes a
    cached model, too, and learns from the model's own loss.

    Args:
        model: a network of this library, `Model` or `Sequential`. Its state is that of the cache, too.
        size: number of words kept of each text, the last ones.
        weight: of the cache in the mixture, in [0, 1).
        flatness: of the cache's probabilities, at least 0: the higher, the more alike a state has to be. The best one
            depends on the size of the states, choose it and the weight on another text than the one to be evaluated.

    Attributes:
        predictors: the model, in a list.

    Raises:
        InputError: a model without hidden states, or arguments out of range.
    """

    size, weight, flatness = Checked(kept_words), Checked(share), Checked(not_negative)

    def __init__(self, model: Any, size: int = 500, weight: float = 0.1, flatness: float = 0.3) -> None:
        self.vocab_size = expect_predictor("model", model)
        if start_of(model) is not None or not callable(getattr(getattr(model, "stack", model), "watched", None)):
            raise refused("model", "a network of this library, which has hidden states", model)
        self.model, self.predictors = model, [model]
        self.size, self.weight, self.flatness = size, weight, flatness
        self._states: Any = None  # the hidden state before each word kept, and the last one, (N, K + 1, H)
        self._words: Any = None  # (N, K)

    def __repr__(self) -> str:
        how = f"size={self.size}, weight={self.weight}, flatness={self.flatness}"
        return f"<NeuralCache of {type(self.model).__name__}, {how}>"

    @property
    def _stack(self) -> Any:
        """The model's chain of layers."""
        return getattr(self.model, "stack", self.model)

    @property
    def one_thread(self) -> OneThread:
        """A context within which no other thread may use it."""
        found: OneThread = self._stack.one_thread
        return found

    @property
    def rows(self) -> int:
        """Number of tokens of a call: fewer for large caches."""
        return max(1, min(ROWS, SCORES // self.size))

    def shared_copy(self) -> "NeuralCache":
        """Return a copy for another thread, with an empty cache."""
        return NeuralCache(shared_copy_of(self.model), self.size, self.weight, self.flatness)

    def reset_state(self) -> None:
        """Begin the next text with the model's zeros and empty caches."""
        self.model.reset_state()
        self._states = self._words = None

    def get_state(self) -> Any:
        """Return what has been read: the model's state, and copies of the states and words kept, None for none."""
        kept = None if self._words is None else (self._states.copy(), self._words.copy())
        return self.model.get_state(), kept

    def set_state(self, state: Any) -> None:
        """Restore what `get_state` returned."""
        none: tuple[Any, Any] = (None, ())
        read, kept = state if isinstance(state, tuple) and len(state) == 2 else none
        if kept is not None and not _are_kept(kept):
            raise refused("state", "a tuple of the model's state and what is kept, as get_state gives it", state)
        self.model.set_state(read)
        self._states, self._words = (None, None) if kept is None else (kept[0].copy(), kept[1].copy())

    def losses(self, xs: Any, ts: Any, keep: bool = False) -> Array:
        """Return the loss in nats of each target, (N, T) float64, 0 where it is -1.

        Args:
            xs, ts: (N, T) ids, as `Predictor.losses`.
            keep: True if a backward of the model's own mean loss will follow.
        """
        with self._stack.watched() as hidden:
            nats: Array = self.model.losses(xs, ts, keep=True) if keep else self.model.losses(xs, ts)
        xs, ts = ops.asarray(xs), ops.asarray(ts)
        shares, words, known = self._read(xs, hidden)
        found = (shares * (words[:, None] == ts[:, :, None])).sum(axis=2, dtype=xp.float64)
        with np.errstate(divide="ignore"):
            cached = xp.log(self.weight * found)
            mixed = -xp.logaddexp(log1p(-self.weight) - nats, cached)
        return xp.where(known & (ts >= 0), mixed, nats)

    def backward(self) -> None:
        """Compute the gradients of the model's own mean loss, which a caller of `losses` with `keep` may do."""
        self.model.backward()

    def weights(self) -> list[Array]:
        """Return the model's arrays that training updates."""
        found: list[Array] = self.model.weights()
        return found

    def gradients(self) -> list[Array]:
        """Return the gradients of the last backward."""
        found: list[Array] = self.model.gradients()
        return found

    def next_scores(self, xs: Any) -> Array:
        """Return the log-probabilities (N, V), in nats, of the word after the last of the ids xs (N, T)."""
        with self._stack.watched() as hidden:
            scores = self.model.next_scores(xs).astype(xp.float64)
        scores -= scores.max(axis=1, keepdims=True)
        scores -= xp.log(xp.exp(scores).sum(axis=1, keepdims=True))
        shares, words, known = self._read(ops.asarray(xs), hidden)
        if not bool(known[-1]):
            return scores
        last = shares[:, -1].astype(xp.float64)
        cached = xp.stack([xp.bincount(kept, p, self.vocab_size) for kept, p in zip(words, last)])
        with np.errstate(divide="ignore"):
            mixed: Array = xp.logaddexp(log1p(-self.weight) + scores, xp.log(self.weight * cached))
        return mixed

    def _read(self, xs: Array, hidden: list[Array]) -> tuple[Array, Array, Array]:
        """Keep the words xs (N, T), given the states after them, and return what the cache predicts after each.

        Returns:
            shares: (N, T, K) probabilities of the words kept; 0 where there are none yet.
            words: (N, K) the words kept.
            known: (T,) whether there were any.
        """
        if len(hidden) != 1 or hidden[0].shape[:-1] != xs.shape:
            shapes = [one.shape for one in hidden]
            raise InputError(f"a cached model must have one hidden state for each word of {xs.shape}, got {shapes}")
        (states,), (_, T) = hidden, xs.shape
        if self._words is None:  # the state before the first word is unknown, so that word is not kept
            all_states, words = states, xs[:, 1:]
        else:
            all_states = xp.concatenate([self._states, states], axis=1)
            words = xp.concatenate([self._words, xs], axis=1)
        K = words.shape[1]
        self._states, self._words = all_states[:, -self.size - 1 :].copy(), words[:, -self.size :].copy()
        ends, number = xp.arange(K - T + 1, K + 1), xp.arange(K)  # how many words had been kept after each
        if not K:
            return xp.zeros((*xs.shape, 0), states.dtype), words, ends > 0
        scores = ops.batch_matmul(self.flatness * states, all_states[:, :-1].swapaxes(1, 2))
        scores = xp.where((number < ends[:, None]) & (number >= ends[:, None] - self.size), scores, -xp.inf)
        top = scores.max(axis=2, keepdims=True)
        scores -= xp.where(xp.isneginf(top), 0, top)
        shares = xp.exp(scores, out=scores)
        shares /= xp.maximum(shares.sum(axis=2, keepdims=True), 1e-30)
        return shares, words, ends > 0


def _are_kept(kept: Any) -> bool:
    """Whether these are states (N, K + 1, H) and words (N, K) of a cache."""
    if not isinstance(kept, tuple) or [getattr(one, "ndim", None) for one in kept] != [3, 2]:
        return False
    states, words = kept
    return bool(states.shape[:2] == (len(words), words.shape[1] + 1) and words.dtype.kind in "iu")
