"""Saves checkpoints during training and on SIGINT, SIGTERM and SIGHUP."""

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
    """Saves the checkpoints of a training.

    Args:
        run: the training.
        checkpoints: where they are saved.
        every: how often, in the notation of `SaveEvery`.
        more: returns what to save besides the run's state: numbers, strings, lists and dictionaries.
        each_epoch: whether to save after each epoch, too.
        first: steps of earlier trainings whose checkpoints are in the same folder.
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
        """Save a checkpoint from which the training can be resumed.

        Args:
            best: whether this is the lowest validation loss so far.
        """
        self.checkpoints.save(self.first + self.run.steps, {"training": self.run.progress(), **self.more()}, best)
        self.saved_step = self.run.steps
        self.every.saved()

    def end_step(self) -> bool:
        """Save if it is time to or a signal has arrived; returns whether a signal asks to stop."""
        epoch_ends = self.each_epoch and self.run.steps % len(self.run.batches) == 0
        ends = bool(self.signals)  # read once: a signal that arrives after this stops the next step
        if ends or epoch_ends or self.every.is_time(self.run.steps):
            self.save()
        return ends

    @property
    def is_saved(self) -> bool:
        """Whether the last step is saved."""
        return self.saved_step == self.run.steps

    @contextmanager
    def hearing(self) -> Iterator[list[int]]:
        """Catch the first SIGINT, SIGTERM or SIGHUP within the block: its number is appended to the list, so that the
        step can be finished and saved, and it is raised again at the end of the block. A second signal takes effect at
        once. Only in the main thread; in others signals are left to the host program."""
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
        except ValueError:  # not the main thread
            before.clear()
        try:
            yield noted
        finally:
            restore()
        if noted:
            signal.raise_signal(noted[0])
