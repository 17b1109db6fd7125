"""What others may do while a training goes on: the one protocol for all that listens to it."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

from rnnlm.checks import instance_of, sequence

if TYPE_CHECKING:
    from rnnlm.training.report import EpochReport, Report

__all__ = ["Callback", "checked_callbacks", "heard_by", "tell_epoch"]


class Callback:
    """Hears of a training. Override what is of use, and give it to `fit(..., callbacks=[...])`.

        class Stop(Callback):
            def end_epoch(self, report):
                return report.valid_perplexity < 100

    Whatever a method raises ends the training and comes out of `fit`; `end` is called all the same.
    """

    def begin(self, training: Any) -> None:
        """A training begins, or goes on.

        Args:
            training: who trains: it has the `model`, the `optimizer`, and in `next_step` the number, counted from 1, of
                the first step that will be told of.
        """

    def report(self, report: "Report") -> None:
        """Some windows of an epoch are done; how many make a report is the trainer's business."""

    def end_epoch(self, report: "EpochReport") -> object:
        """An epoch is done. Return True to end the training."""

    def end(self, training: Any) -> None:
        """The training is over, be it by an error or an interrupt."""


def checked_callbacks(given: Any) -> list[Callback]:
    """What `callbacks` of a `fit` is, checked.

    Raises:
        InputError: no list of callbacks.
    """
    return [instance_of("each of callbacks", one, Callback) for one in sequence("callbacks", given, "callbacks")]


@contextmanager
def heard_by(callbacks: Sequence[Callback], training: Any) -> Iterator[None]:
    """Inside, these hear of a training; those that have heard it begin hear its end."""
    with ExitStack() as stack:
        for one in callbacks:
            one.begin(training)
            stack.callback(one.end, training)
        yield


def tell_epoch(callbacks: Sequence[Callback], report: "EpochReport") -> bool:
    """Tell all of them; whether one asks to stop."""
    asked = [one.end_epoch(report) is True for one in callbacks]  # all of them, whatever the first one asks
    return any(asked)
