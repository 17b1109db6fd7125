"""Mixtures: several predictors as one, by a weighted mean of their probabilities, or a weighted product.

    linear       p(w | h) = sum_k weight_k p_k(w | h)
    log-linear   p(w | h) = prod_k p_k(w | h)^weight_k / Z(h)

`mixture_weights.py` finds the weights. Sources: Jelinek and Mercer, Interpolated estimation of Markov source parameters
from sparse data, 1980 (linear, and EM for its weights); Klakow, Log-linear interpolation of language models, ICSLP
1998.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnlm.backend import ops
from rnnlm.checks import flag, listed, not_negative, refused
from rnnlm.data.ids import expect_words
from rnnlm.data.vocabulary import Vocabulary
from rnnlm.errors import InputError
from rnnlm.inference.other_words import in_words_of, log_softmax
from rnnlm.inference.predictor import Predictor, expect_predictor, leaves_of, rows_of, shared_copy_of, start_of

__all__ = ["Mixture"]


class Mixture:
    """A predictor that combines several predictors with the same vocabulary.

    Args:
        predictors: models of this library, or other predictors; for different vocabularies use `Mixture.of`.
        weights: one for each predictor, at least 0, summing to 1.
        log_linear: multiply probabilities instead of averaging them. Slow, because the probabilities of all words are
            computed after each word read.

    Raises:
        InputError: weights that do not sum to 1, another number of them, models of different vocabulary sizes, or the
            same model twice.
    """

    def __init__(self, predictors: Sequence[Predictor], weights: Sequence[float], log_linear: bool = False) -> None:
        self.predictors, self.log_linear = listed("predictors", predictors, "models"), flag("log_linear", log_linear)
        weights = listed("weights", weights, "numbers")
        self.weights = np.array([not_negative("a weight of a mixture", weight) for weight in weights])
        sizes = [expect_predictor("each of predictors", predictor) for predictor in self.predictors]
        if not sizes or len(self.weights) != len(sizes):
            raise InputError(
                f"weights must be one for each model of a mixture, got {len(self.weights)} for {len(sizes)}"
            )
        if len(set(sizes)) > 1:
            raise InputError(f"models of a mixture must have the same words, got {sizes} of them: take Mixture.of")
        if abs(self.weights.sum() - 1) > 1e-6:
            raise InputError(
                f"weights of a mixture must sum to 1, got {self.weights.tolist()}, in all {sum(weights):g}"
            )
        leaves = [id(one) for predictor in self.predictors for one in leaves_of(predictor)]
        if self.log_linear and any(
            getattr(one, "learns", False) for predictor in self.predictors for one in leaves_of(predictor)
        ):
            raise InputError("a log-linear mixture reads word by word, from which DynamicEvaluation does not learn")
        if len(set(leaves)) < len(leaves):
            raise InputError("models of a mixture must differ: one that is there twice would read every word twice")
        self.vocab_size = sizes[0]
        starts = {start_of(predictor) for predictor in self.predictors}
        self.start_id = starts.pop() if len(starts) == 1 else None
        self.rows = min(rows_of(predictor) for predictor in self.predictors)
        with np.errstate(divide="ignore"):
            self._logs = np.log(self.weights)[:, None, None]

    @classmethod
    def of(
        cls,
        models: Sequence[tuple[Predictor, Vocabulary]],
        weights: Sequence[float],
        log_linear: bool = False,
    ) -> "Mixture":
        """Return a mixture of models with their vocabularies, as `load_model` and `load_ngram` return them. It has the
        words of the first; words of the others are matched by name, as by `in_words_of`."""
        models = listed("models", models, "models with their words")
        if not models or not all(isinstance(pair, tuple) and len(pair) == 2 for pair in models):
            raise refused("models", "a list of (model, vocabulary), at least one", models)
        words = models[0][1]
        return cls([in_words_of(model, own, words) for model, own in models], weights, log_linear)

    def __repr__(self) -> str:
        parts = (f"{weight:g} {type(one).__name__}" for weight, one in zip(self.weights, self.predictors))
        return f"<Mixture, {'log-linear' if self.log_linear else 'linear'}: {', '.join(parts)}>"

    def shared_copy(self) -> "Mixture":
        """Return a copy for another thread, whose predictors share weights and tables but have their own states.

        Raises:
            InputError: one of the predictors has no `shared_copy`.
        """
        copies = [shared_copy_of(predictor) for predictor in self.predictors]
        return Mixture(copies, self.weights.tolist(), self.log_linear)

    def losses(self, xs: Any, ts: Any) -> NDArray[np.float64]:
        """Return the loss in nats of each target, (N, T) float64, 0 where it is -1."""
        targets = np.asarray(ops.asnumpy(ts))
        if self.log_linear:
            return self._log_linear_losses(np.asarray(ops.asnumpy(xs)), targets)
        nats = np.stack([ops.asnumpy(predictor.losses(xs, ts)) for predictor in self.predictors])
        return np.where(targets < 0, 0.0, -np.logaddexp.reduce(self._logs - nats, axis=0))

    def _log_linear_losses(self, xs: NDArray[Any], ts: NDArray[Any]) -> NDArray[np.float64]:
        """Compute `losses` one time step at a time, because Z needs the scores of all words."""
        if xs.shape != ts.shape or xs.ndim != 2:
            raise InputError(f"xs and ts must have one shape (N, T), got {xs.shape} and {ts.shape}")
        expect_words("ts", ts, self.vocab_size, -1)
        nats = np.zeros(ts.shape)
        rows = np.arange(len(ts))
        for t in range(ts.shape[1]):
            scores = self.next_scores(xs[:, t : t + 1])
            nats[:, t] = np.where(ts[:, t] < 0, 0.0, -scores[rows, ts[:, t]])
        return nats

    def next_scores(self, xs: Any) -> NDArray[np.float64]:
        """Return the log-probabilities (N, V), in nats, of the word after the last of the ids xs (N, T)."""
        every = [log_softmax(predictor.next_scores(xs)) for predictor in self.predictors]
        if not self.log_linear:
            return np.logaddexp.reduce(self._logs + np.stack(every), axis=0)
        product = sum(weight * logs for weight, logs in zip(self.weights, every) if weight)
        if np.isneginf(product.max(axis=1)).any():
            raise InputError("a log-linear mixture has no word left: each is impossible to one of its models")
        return log_softmax(product)

    def reset_state(self) -> None:
        """Reset the states of all predictors."""
        for predictor in self.predictors:
            predictor.reset_state()

    def get_state(self) -> tuple[Any, ...]:
        """Return the states of all predictors."""
        return tuple(predictor.get_state() for predictor in self.predictors)

    def set_state(self, state: tuple[Any, ...]) -> None:
        """Restore the states that `get_state` returned."""
        if not isinstance(state, tuple) or len(state) != len(self.predictors):
            raise refused("state", f"a tuple of {len(self.predictors)}, as get_state gives it", state)
        for predictor, own in zip(self.predictors, state):
            predictor.set_state(own)
