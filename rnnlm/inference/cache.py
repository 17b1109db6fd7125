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
from rnnlm.inference.kept_words import KeptWords
from rnnlm.inference.predictor import ROWS, expect_predictor, shared_copy_of, start_of

__all__ = ["NeuralCache"]

SCORES = 1 << 21  # about so many products of states are computed at a time


def kept_words(name: str, value: Any) -> int:
    """Check the number of words that a cache keeps, and return it."""
    return whole_number(name, value, 1, 2**24 + 1)


def steepness(name: str, value: Any) -> float:
    """Check a factor of products of states, and return it."""
    return not_negative(name, value, 1e6)


class NeuralCache:
    """A predictor that mixes a model with a cache of the words that it has read.

        evaluate(NeuralCache(model, size=500, weight=0.1, flatness=0.5), corpus)

    It reads N texts in parallel, with a cache for each. `reset_state` empties the caches. `DynamicEvaluation` takes a
    cached model, too, and learns from the model's own loss.

    Args:
        model: a network of this library, `Model` or `Sequential`. Its state is that of the cache, too.
        size: number of words kept of each text, the last ones.
        weight: of the cache in the mixture, in [0, 1).
        flatness: the higher, the more alike a state has to be; in [0, 1e6]. The best one depends on the size of the
            states: choose it and the weight on another text than the one to be evaluated.

    Attributes:
        predictors: the model, in a list.

    Raises:
        InputError: a model without hidden states, or arguments out of range.
    """

    size, weight, flatness = Checked(kept_words), Checked(share), Checked(steepness)

    def __init__(self, model: Any, size: int = 500, weight: float = 0.1, flatness: float = 0.5) -> None:
        self.vocab_size = expect_predictor("model", model)
        if start_of(model) is not None or not callable(getattr(getattr(model, "stack", model), "watched", None)):
            raise refused("model", "a network of this library, which has hidden states", model)
        self.model, self.predictors = model, [model]
        self.size, self.weight, self.flatness = size, weight, flatness
        self._kept = KeptWords()

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
        self._kept = KeptWords()

    def get_state(self) -> Any:
        """Return what has been read: the model's state, and copies of the states and words kept, None for none."""
        return self.model.get_state(), self._kept.copies(self.size)

    def set_state(self, state: Any) -> None:
        """Restore what `get_state` returned."""
        none: tuple[Any, Any] = (None, ())
        read, kept = state if isinstance(state, tuple) and len(state) == 2 else none
        found = KeptWords.of(kept, self.vocab_size)
        if found is None:
            raise refused("state", "a tuple of the model's state and what is kept, as get_state gives it", state)
        self.model.set_state(read)
        self._kept = found

    def losses(self, xs: Any, ts: Any, keep: bool = False) -> Array:
        """Return the loss in nats of each target, (N, T) float64, 0 where it is -1.

        Args:
            xs, ts: (N, T) ids, as `Predictor.losses`.
            keep: True if a backward of the model's own mean loss will follow.
        """
        with self.one_thread:
            with self._stack.watched() as hidden:
                nats: Array = self.model.losses(xs, ts, keep=True) if keep else self.model.losses(xs, ts)
            states, ts = self._read(xs, hidden), ops.asarray(ts)
            parts = [slice(start, start + self.rows) for start in range(0, ts.shape[1], self.rows)]
            return xp.concatenate([self._mixed(nats, ts, states, part) for part in parts], axis=1)

    def _mixed(self, nats: Array, ts: Array, states: Array, part: slice) -> Array:
        """Return the losses of a part of a call's targets, from those of the model and the states before them."""
        T, nats, ts = ts.shape[1], nats[:, part], ts[:, part]
        unread = T - part.start - ts.shape[1]  # words of this call that come after the part
        probs, words, known = self._kept.predicted(states[:, part], self.flatness, self.size, unread)
        found = (probs * (words[:, None] == ts[:, :, None])).sum(axis=2, dtype=xp.float64)
        with np.errstate(divide="ignore"):
            mixed = -xp.logaddexp(log1p(-self.weight) - nats, xp.log(self.weight * found))
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
        with self.one_thread:
            with self._stack.watched() as hidden:
                scores = self.model.next_scores(xs).astype(xp.float64)
            states = self._read(xs, hidden)
        scores -= scores.max(axis=1, keepdims=True)
        p = xp.exp(scores, out=scores)
        p /= p.sum(axis=1, keepdims=True)
        if len(self._kept):
            probs, words, _ = self._kept.predicted(states[:, -1:], self.flatness, self.size)
            p *= 1 - self.weight
            for row, of_row, kept in zip(p, probs[:, 0], words):
                row += xp.bincount(kept, self.weight * of_row.astype(xp.float64), self.vocab_size)
        with np.errstate(divide="ignore"):
            return xp.log(p, out=p)

    def _read(self, xs: Any, hidden: list[Array]) -> Array:
        """Keep the words xs (N, T), and return the states (N, T, H) after them."""
        xs = ops.asarray(xs)
        if len(hidden) != 1 or hidden[0].shape[:-1] != xs.shape:
            shapes = [one.shape for one in hidden]
            raise InputError(f"a cached model must have one hidden state for each word of {xs.shape}, got {shapes}")
        self._kept.add(xs, hidden[0], self.size)
        return hidden[0]
