"""Evaluation on a validation text during training."""

from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any

import numpy as np

from rnnlm.backend import Array
from rnnlm.checks import refused
from rnnlm.data.sentences import Sentences
from rnnlm.data.sources import tokens_of
from rnnlm.data.tokens import Tokens
from rnnlm.errors import DataError, InputError
from rnnlm.inference.evaluation import Evaluation, evaluate
from rnnlm.inference.predictor import expect_predictor
from rnnlm.optim.base import Optimizer
from rnnlm.optim.rates import RateRule
from rnnlm.training.run import Run

__all__ = ["HeldOut", "checked_valid", "validated"]

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


def validated(model: Any, corpus: Tokens | Sentences, optimizer: Any, params: Sequence[Array]) -> Evaluation:
    """Return the perplexity of a corpus: approximate, read in up to ten lanes; exact for sentences. Uses the averages
    of `params` if the optimiser averages. The model's state is left unchanged."""
    lanes = 1 if isinstance(corpus, Sentences) else min(LANES, len(corpus) - 1)
    with optimizer.averaged(params) if isinstance(optimizer, Optimizer) else nullcontext():
        return evaluate(model, corpus, lanes)


class HeldOut:
    """Validation text that is evaluated after each epoch of a training.

    Args:
        run: the training.
        model: the model in training.
        corpus: the text, or None.

    Attributes:
        finished: whether the learning rate's rule asks to stop.
    """

    def __init__(self, run: Run, model: Any, corpus: Tokens | Sentences | None) -> None:
        self.run, self.model, self.corpus, self.finished = run, model, corpus, False

    def evaluate(self) -> Evaluation | None:
        """Evaluate the text and pass its loss to the rate rule and the optimiser; returns None without a text."""
        if self.corpus is None:
            return None
        optimizer, rule = self.run.optimizer, self.run.rate
        found = validated(self.model, self.corpus, optimizer, self.run.model.weights())
        if isinstance(optimizer, Optimizer):
            optimizer.end_epoch(found.nats)
        if isinstance(rule, RateRule):
            rule.end_epoch(found.nats)
            self.finished = rule.finished
        return found
