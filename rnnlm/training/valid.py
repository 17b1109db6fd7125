"""Validation during training, and what follows from its loss."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import numpy as np

from rnnlm.backend import Array, ops
from rnnlm.checks import refused, whole_number
from rnnlm.data.sentences import Sentences
from rnnlm.data.sources import tokens_of
from rnnlm.data.tokens import Tokens
from rnnlm.errors import DataError, InputError
from rnnlm.inference.evaluation import Evaluation, evaluate
from rnnlm.inference.predictor import expect_predictor
from rnnlm.optim.base import Optimizer
from rnnlm.optim.rates import RateRule
from rnnlm.training.run import Run

__all__ = ["LANES", "EarlyStopping", "averaged", "checked_valid", "validated"]

LANES = 10  # for a fast approximation


def checked_valid(model: Any, valid: Any) -> Tokens | Sentences | None:
    """Return the argument `valid` of `fit` as a corpus.

    Args:
        valid: a corpus as array, `Tokens` or `Sentences`; or (xs, ts), as for training.

    Raises:
        InputError: neither; `ts` is not `xs` shifted by one word; or a model that can't be evaluated.
        DataError: fewer than two words.
    """
    if valid is None:
        return None
    V = expect_predictor("model, where valid is given,", model)
    if isinstance(valid, Sentences):
        return valid.within(V)
    corpus = tokens_of("valid", _joined(*valid) if isinstance(valid, tuple) else valid).within(0, V)
    if len(corpus) < 2:
        raise DataError(f"valid must have at least two words, got {len(corpus)}")
    return corpus


def _joined(*parts: Any) -> Any:
    """Return the corpus of which `xs` is all but the last word and `ts` all but the first."""
    if len(parts) != 2:
        raise refused("valid", "a corpus, or a tuple (xs, ts)", parts)
    xs, ts = (tokens_of(f"valid {name}", ids) for name, ids in zip(("xs", "ts"), parts))
    if len(xs) != len(ts) or not len(xs) or not np.array_equal(xs.read(1, len(xs)), ts.read(0, len(ts) - 1)):
        raise InputError("valid must be a corpus, or (xs, ts) of which ts is xs one word on: corpus[:-1], corpus[1:]")
    return np.concatenate([xs.read(0, len(xs)), ts.read(len(ts) - 1, len(ts))])


def averaged(optimizer: Any, params: Sequence[Array]) -> AbstractContextManager[None]:
    """Return a context in which `params` hold the values to evaluate and save: their averages if the optimiser
    averages."""
    return optimizer.averaged(params) if isinstance(optimizer, Optimizer) else nullcontext()


def validated(
    model: Any, corpus: Tokens | Sentences, optimizer: Any, params: Sequence[Array], lanes: int = LANES
) -> Evaluation:
    """Return the perplexity of a corpus, read in up to so many lanes (with more than one an approximation); that of
    sentences is exact. If the optimiser averages `params`, the averages are evaluated. The model's state is left
    unchanged."""
    lanes = 1 if isinstance(corpus, Sentences) else min(lanes, len(corpus) - 1)
    with averaged(optimizer, params):
        return evaluate(model, corpus, lanes)


class EarlyStopping:
    """Passes on the validation loss after each epoch, says when to end a training, and keeps its best weights.

    Args:
        run: the training.
        patience: end it after so many epochs without a lower loss; None not to, and to keep no weights.
        validates: whether there will be validation losses.

    Attributes:
        enough: whether to end the training; the learning rate's rule may ask for it, too.
        best: the weights after the epoch with the lowest loss so far; averages if the optimiser averages.
        rule: the learning rate's rule, if it follows epochs.

    Raises:
        InputError: patience is no whole number from 1 on; or it or the rule needs losses, and there will be none.
    """

    def __init__(self, run: Run, patience: int | None, validates: bool) -> None:
        self.run, self.enough = run, False
        self.best: list[Array] = []
        self._last: list[Array] = []  # weights that `restore` has replaced
        self.patience = None if patience is None else whole_number("patience", patience, 1)
        rule = run.rate if isinstance(run.rate, RateRule) else None
        self.rule = None if rule is None or type(rule).adapt is RateRule.adapt else rule
        if not validates and self.rule is not None and self.rule.needs_loss:
            raise InputError(f"rate {self.rule!r} needs samples or a text held out for validation")
        if not validates and patience is not None:
            raise InputError(f"patience needs samples or a text held out for validation, got {patience} without")

    def end_epoch(self, loss: float | None) -> None:
        """Take the validation loss of an epoch, in nats for a language model; None without validation."""
        weights, optimizer = self.run.model.weights(), self.run.optimizer
        if loss is not None and self.patience is not None:
            if self.run.note_valid(loss):
                with averaged(optimizer, weights):
                    self.best = [p.copy() for p in weights]
            self.enough = self.run.waited >= self.patience
        if loss is not None and isinstance(optimizer, Optimizer):
            optimizer.end_epoch(loss)
        if self.rule is not None:
            self.rule.end_epoch(loss)
            self.enough |= self.rule.finished

    def resume(self, best: Sequence[Array]) -> None:
        """Go on with the best weights of a checkpoint, after its run has been restored."""
        over = self.rule is not None and self.rule.finished
        if self.patience is not None:
            self.best = [ops.asarray(weights) for weights in best]
            over |= self.run.waited >= self.patience
        self.enough = over

    def restore(self) -> None:
        """Give the model its best weights back, if they were kept."""
        if self.best:
            self._last = [weights.copy() for weights in self.run.model.weights()]
            self._give(self.best)

    @contextmanager
    def last_weights(self) -> Iterator[None]:
        """Within this context the model has the weights of the last step, where the training would go on."""
        now = [weights.copy() for weights in self.run.model.weights()] if self._last else []
        self._give(self._last)
        try:
            yield
        finally:
            self._give(now)

    def _give(self, given: Sequence[Array]) -> None:
        for weights, values in zip(self.run.model.weights(), given):
            weights[...] = values
