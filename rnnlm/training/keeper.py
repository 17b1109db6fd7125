"""A training is written down as it goes on, and ended well when a signal asks the process to end."""

import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from rnnlm.saving.checkpoint import Checkpoints
from rnnlm.training.run import Run
from rnnlm.training.save_every import SaveEvery

__all__ = ["Keeper"]

SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]


class Keeper:
    """Writes a training to checkpoints.

    Args:
        run: the training.
        checkpoints: where to.
        every: when, as `SaveEvery` has it.
        more: gives what is to be written with the training: numbers, words, lists and dictionaries.
        each_epoch: after each epoch, too.
        first: steps of trainings before this one, whose checkpoints are in the same place.
    """

    def __init__(
        self,
        run: Run,
        checkpoints: Checkpoints,
        every: str,
        more: Callable[[], Mapping[str, Any]],
        each_epoch: bool = False,
        first: int = 0,
    ) -> None:
        self.run, self.checkpoints, self.more, self.each_epoch, self.first = run, checkpoints, more, each_epoch, first
        self.saved_step: int | None = None
        self.every = SaveEvery(every)
        self.signals: list[int] = []

    def save(self, best: bool = False) -> None:
        """Write down all that is needed to go on from here.

        Args:
            best: whether no valid loss before was lower.
        """
        self.checkpoints.save(self.first + self.run.steps, {"training": self.run.progress(), **self.more()}, best)
        self.saved_step = self.run.steps
        self.every.saved()

    def end_step(self) -> bool:
        """Save if it is time to, or if a signal asks the process to end; whether one does."""
        epoch_ends = self.each_epoch and self.run.steps % len(self.run.batches) == 0
        ends = bool(self.signals)  # asked once: what comes after this ends the next step
        if ends or epoch_ends or self.every.is_time(self.run.steps):
            self.save()
        return ends

    @property
    def is_saved(self) -> bool:
        """Whether all steps are written down."""
        return self.saved_step == self.run.steps

    @contextmanager
    def hearing(self) -> Iterator[list[int]]:
        """Inside, the first signal that asks the process to end is noted in the list, for the step to be finished and
        all to be written down; in the end it does what it does outside. A second one does so at once. In the main
        thread alone: elsewhere signals are the host program's business."""
        self.signals = noted = []
        before: dict[int, Any] = {}

        def note(number: int, _frame: object) -> None:
            noted.append(number)
            restore()

        def restore() -> None:
            for number, handler in before.items():
                signal.signal(number, handler)

        try:
            before.update(
                {n: signal.getsignal(n) for n in SIGNALS if signal.getsignal(n) not in (signal.SIG_IGN, None)}
            )
            for number in before:
                signal.signal(number, note)
        except ValueError:  # another thread
            before.clear()
        try:
            yield noted
        finally:
            restore()
        if noted:
            signal.raise_signal(noted[0])
