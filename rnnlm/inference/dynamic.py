"""Dynamic evaluation: a model that goes on learning from the text that it predicts.

A text is read in segments of a few words. Each is scored first, and then the weights W take a step along the gradient g
of its mean loss, and one back towards the trained weights W0:

    W += decay (W0 - W) - lr g

So words and phrases that come once become more likely to come again.

Sources: Mikolov, Karafiát, Burget, Černocký and Khudanpur, Recurrent neural network based language model, Interspeech
2010 (dynamic models: `decay` 0); Krause, Kahembwe, Murray and Renals, Dynamic evaluation of neural sequence models,
ICML 2018 (the decay; their method of steps scaled for each weight is not here).
"""

from copy import deepcopy
from inspect import signature
from math import isfinite
from typing import Any

from rnnlm.backend import Array, ops, xp
from rnnlm.checks import Checked, positive, refused, share, whole_number
from rnnlm.concurrency import OneThread
from rnnlm.errors import InputError
from rnnlm.inference.predictor import ROWS, expect_predictor, leaves_of, start_of

__all__ = ["DynamicEvaluation"]

LEARNING = ("backward", "weights", "gradients")  # what a model needs beyond a predictor's methods
HIGHEST = 709.0  # mean loss of a call, in nats, above which its perplexity is infinite


def segment_length(name: str, value: Any) -> int:
    """Check a number of words, at most those that are read at once, and return it."""
    return whole_number(name, value, 1, ROWS + 1)


class DynamicEvaluation:
    """A predictor that scores a text with a model and lets a copy of the model learn from it.

        evaluate(DynamicEvaluation(model, lr=0.3, decay=0.005), corpus)

    It reads a single text, because what it learns from one would change what it predicts in another. `reset_state`
    also gives back the trained weights, so each text begins with these. Only `losses` learns: what `next_scores` reads
    leaves the weights as they are.

    Args:
        model: a network of this library, `Model` or `Sequential`; it is not changed.
        lr: learning rate, positive. Choose it, and the others, on another text than the one to be evaluated.
        decay: share of the way back to the trained weights after each segment, in [0, 1).
        segment: number of words between two steps, up to 512: the fewer, the sooner it learns, and the slower it is.

    Attributes:
        learns: True, which a log-linear mixture refuses: it reads by `next_scores`.

    Raises:
        InputError: a model that can't be trained, or arguments out of range.
    """

    lr, decay, segment = Checked(positive), Checked(share), Checked(segment_length)
    learns = True

    def __init__(self, model: Any, lr: float, decay: float = 0.0, segment: int = 10) -> None:
        self.vocab_size = expect_predictor("model", model)
        if not all(callable(getattr(model, name, None)) for name in LEARNING) or start_of(model) is not None:
            raise refused("model", "a network that can be trained", model)
        model.weights()  # for the error of quantised ones
        for one in (model, *leaves_of(model)):  # a cached model and the model
            if "keep" not in signature(one.losses).parameters:
                raise InputError(f"losses of {type(one).__name__} must take keep, True if a backward will follow")
        self.model, self.lr, self.decay, self.segment = model, lr, decay, segment
        self._learner = deepcopy(model)
        self._learner.reset_state()

    def __repr__(self) -> str:
        how = f"lr={self.lr}, decay={self.decay}, segment={self.segment}"
        return f"<DynamicEvaluation of {type(self.model).__name__}, {how}>"

    @property
    def rows(self) -> int:
        """Number of words of a call: a multiple of `segment`."""
        return ROWS // self.segment * self.segment

    @property
    def one_thread(self) -> OneThread:
        """A context within which no other thread may use it."""
        found: OneThread = self._learner.one_thread
        return found

    def shared_copy(self) -> "DynamicEvaluation":
        """Return a copy for another thread, which begins with the trained weights."""
        return DynamicEvaluation(self.model, self.lr, self.decay, self.segment)

    def losses(self, xs: Any, ts: Any) -> Array:
        """Return the loss in nats of each target, (1, T) float64, 0 where it is -1, and learn from them.

        The segments begin anew in each call, so T should be a multiple of `segment`, as `rows` is.

        Raises:
            InputError: more than one text, or a learning rate so high that losses are no longer finite.
        """
        if xs.ndim != 2 or xs.shape != ts.shape or len(xs) != 1 or not xs.shape[1]:
            raise InputError(
                f"DynamicEvaluation reads one stream of text, xs and ts (1, T), got {xs.shape} and {ts.shape}: it is "
                "for evaluate and token_nats without lanes, not for sentences or score"
            )
        parts = [slice(start, start + self.segment) for start in range(0, xs.shape[1], self.segment)]
        nats: Array = xp.concatenate([self._learned(xs[:, part], ts[:, part]) for part in parts], axis=1)
        mean = float(nats.mean())
        if not isfinite(mean) or mean > HIGHEST:
            raise InputError(f"lr of DynamicEvaluation must be lower: the mean loss became {mean:g} with {self.lr:g}")
        return nats

    def _learned(self, xs: Any, ts: Any) -> Array:
        """Return the losses of a segment, and learn from it."""
        with ops.quiet():
            nats: Array = self._learner.losses(xs, ts, keep=True)
            self._learner.backward()
            for arrays in zip(self._learner.weights(), self._learner.gradients(), self.model.weights()):
                ops.elementwise(self._step, *arrays)
        return nats

    def _step(self, W: Array, g: Array, W0: Array) -> None:
        """Do W += decay (W0 - W) - lr g in place, all three of one shape."""
        if self.decay:
            W += self.decay * (W0 - W)
        W -= self.lr * g

    def next_scores(self, xs: Any) -> Array:
        """Return scores (N, V) of the word after the last of the ids xs (N, T), with what `losses` has learned."""
        scores: Array = self._learner.next_scores(xs)
        return scores

    def reset_state(self) -> None:
        """Forget the text: begin the next one with zeros and the trained weights."""
        self._learner.reset_state()
        self._set_weights(self.model.weights())

    def get_state(self) -> Any:
        """Return what has been read and learned: the model's state, and copies of the weights."""
        return self._learner.get_state(), [W.copy() for W in self._learner.weights()]

    def set_state(self, state: Any) -> None:
        """Restore what `get_state` returned."""
        read, weights = state if isinstance(state, tuple) and len(state) == 2 else (None, None)
        wanted = [W.shape for W in self._learner.weights()]
        if not isinstance(weights, list) or [getattr(W, "shape", None) for W in weights] != wanted:
            raise refused("state", "a tuple of the model's state and its weights, as get_state gives it", state)
        self._learner.set_state(read)
        self._set_weights(weights)

    def _set_weights(self, weights: Any) -> None:
        for W, values in zip(self._learner.weights(), weights):
            W[...] = values
