"""Reports of a trainer's `fit` to its callbacks."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from time import perf_counter
from typing import Any

from rnnlm.training.callbacks import Callback, tell_epoch
from rnnlm.training.report import EpochReport, Report
from rnnlm.training.run import Run

__all__ = ["Clock", "Epochs", "repr_of"]


class Clock:
    """Measure training speed in tokens or samples per second, without the time between `stop` and `go`."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.go()

    def go(self) -> None:
        """Start, or start again after `stop`."""
        self.began, self.steps = perf_counter(), self.run.steps

    def stop(self) -> float:
        """Stop; returns the speed since the last `go`."""
        return (self.run.steps - self.steps) * self.run.batches.size / max(perf_counter() - self.began, 1e-9)


class Epochs:
    """Passes reports to callbacks, with epochs and steps counted over all calls of `fit`.

    Args:
        run: the training.
        callbacks: who receives the reports.
        before, steps: epochs and steps of the earlier calls of `fit`.
    """

    def __init__(self, run: Run, callbacks: Sequence[Callback], before: int, steps: int) -> None:
        self.run, self.callbacks, self.before, self.steps = run, callbacks, before, steps
        self.clock = Clock(run)

    def report(self, report: Report) -> None:
        """Pass on the report of some windows."""
        for one in self.callbacks:
            one.report(self._counted(report))

    def end_epoch(self, report: Report, validate: Callable[[], tuple[float, int] | None]) -> bool:
        """Report an epoch; returns whether a callback asks to stop.

        Args:
            report: means over the epoch.
            validate: returns the loss on the validation set and the number of lanes it was read in, or None.
        """
        speed = self.clock.stop()
        valid_loss, lanes = validate() or (None, 1)
        told: dict[str, Any] = {**vars(self._counted(report)), "lr": self.run.lr, "speed": speed}
        stop = tell_epoch(self.callbacks, EpochReport(**told, valid_loss=valid_loss, valid_lanes=lanes))
        self.clock.go()
        return stop

    def _counted(self, report: Report) -> Report:
        return replace(report, epoch=self.before + report.epoch, step=self.steps + report.step)


def repr_of(trainer: Any, figures: Sequence[float], name: str) -> str:
    """Return a trainer's repr: its model, its optimiser, the epochs done and the last figure."""
    last = f", last {name} {figures[-1]:.4g}" if figures else ""
    model, optimizer = type(trainer.model).__name__, trainer.optimizer
    return f"<{type(trainer).__name__} of a {model} by {optimizer!r}: {trainer.current_epoch} epochs done{last}>"
