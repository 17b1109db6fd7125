"""The epochs of a trainer's `fit`, as they are told to those who listen."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from time import perf_counter
from typing import Any

from rnnlm.training.callbacks import Callback, tell_epoch
from rnnlm.training.report import EpochReport, Report
from rnnlm.training.run import Run

__all__ = ["Clock", "Epochs", "repr_of"]


class Clock:
    """How many tokens, or samples, are trained on in a second; what is measured between `stop` and `go` is left out."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.go()

    def go(self) -> None:
        """Training begins, or goes on."""
        self.began, self.steps = perf_counter(), self.run.steps

    def stop(self) -> float:
        """Training pauses; returns the speed since it went on."""
        return (self.run.steps - self.steps) * self.run.batches.size / max(perf_counter() - self.began, 1e-9)


class Epochs:
    """Tells callbacks of a training, counted on from those before it.

    Args:
        run: the training.
        callbacks: who listens.
        before, steps: epochs and steps of trainings before this one.
    """

    def __init__(self, run: Run, callbacks: Sequence[Callback], before: int, steps: int) -> None:
        self.run, self.callbacks, self.before, self.steps = run, callbacks, before, steps
        self.clock = Clock(run)

    def report(self, report: Report) -> None:
        """Tell of some windows."""
        for one in self.callbacks:
            one.report(self._counted(report))

    def end_epoch(self, report: Report, validate: Callable[[], tuple[float, int] | None]) -> bool:
        """Tell of an epoch; whether one asks to stop.

        Args:
            report: its means.
            validate: gives the loss of what is held out, and in how many lanes it was read, or None.
        """
        speed = self.clock.stop()
        valid_loss, lanes = validate() or (None, 1)
        lr = getattr(self.run.optimizer, "lr", None)
        told: dict[str, Any] = {**vars(self._counted(report)), "lr": lr, "speed": speed}
        stop = tell_epoch(self.callbacks, EpochReport(**told, valid_loss=valid_loss, valid_lanes=lanes))
        self.clock.go()
        return stop

    def _counted(self, report: Report) -> Report:
        return replace(report, epoch=self.before + report.epoch, step=self.steps + report.step)


def repr_of(trainer: Any, figures: Sequence[float], name: str) -> str:
    """A trainer in words: its model, its optimiser, how far it has come."""
    last = f", last {name} {figures[-1]:.4g}" if figures else ""
    model, optimizer = type(trainer.model).__name__, trainer.optimizer
    return f"<{type(trainer).__name__} of a {model} by {optimizer!r}: {trainer.current_epoch} epochs done{last}>"
