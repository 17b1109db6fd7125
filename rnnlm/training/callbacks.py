"""Callbacks: objects that `fit` calls while it trains."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from rnnlm.checks import instance_of, sequence

if TYPE_CHECKING:
    from rnnlm.training.report import EpochReport, Report

__all__ = ["Callback", "asks_to_stop", "checked_callbacks", "heard_by", "tell_epoch"]


class Callback:
    """Base class of callbacks: override the methods you need and pass an instance to `fit(..., callbacks=[...])`.

        class Stop(Callback):
            def end_epoch(self, report):
                return report.valid_perplexity < 100

    An exception raised by a method ends the training and leaves `fit`; `end` is still called.
    """

    def begin(self, training: Any) -> None:
        """Called when training begins or is resumed.

        Args:
            training: the trainer, with `model`, `optimizer` and `next_step`: the number, counted from 1, of the first
                step that will be reported.
        """

    def report(self, report: "Report") -> None:
        """Called at each report within an epoch; the trainer decides how many windows a report covers."""

    def end_epoch(self, report: "EpochReport") -> object:
        """Called after each epoch. Return True to end the training."""

    def end(self, training: Any) -> None:
        """Called when the training is over, also after an error or an interrupt."""


def checked_callbacks(given: Any) -> list[Callback]:
    """Check the argument `callbacks` of `fit` and return it.

    Raises:
        InputError: `given` is not a list of `Callback` objects.
    """
    return [instance_of("each of callbacks", one, Callback) for one in sequence("callbacks", given, "callbacks")]


def asks_to_stop(answer: object) -> bool:
    """Whether a callback returned True, Python's or NumPy's, which ends the training."""
    return isinstance(answer, (bool, np.bool_)) and bool(answer)


@contextmanager
def heard_by(callbacks: Sequence[Callback], training: Any) -> Iterator[None]:
    """Call `begin` of each callback, and at the end `end` of each whose `begin` returned without an error."""
    with ExitStack() as stack:
        for one in callbacks:
            one.begin(training)
            stack.callback(one.end, training)
        yield


def tell_epoch(callbacks: Sequence[Callback], report: "EpochReport") -> bool:
    """Call `end_epoch` of all callbacks; returns whether one of them asks to stop."""
    asked = [asks_to_stop(one.end_epoch(report)) for one in callbacks]  # no short circuit: each callback must be called
    return any(asked)
