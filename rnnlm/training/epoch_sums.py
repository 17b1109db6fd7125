"""Mean loss and mean gradient norm of an epoch, however often the training reports within it."""

from collections.abc import Mapping
from typing import Any

__all__ = ["EpochSums", "Sums"]

Sums = tuple[float, int, float, int]  # loss times columns, columns, norms, steps


class EpochSums:
    """Sums over the steps of the current epoch.

    Attributes:
        told: epochs that have ended and were reported.
        sums: running sums of the current epoch, updated at each report. Negative at its start, because the previous
            epoch's end has already counted steps that the next report counts again.
    """

    def __init__(self) -> None:
        self.told = 0
        self.sums: list[float] = [0.0, 0.0, 0.0, 0.0]

    def add(self, reported: Sums) -> None:
        """Add the sums of a report."""
        self.sums = [before + more for before, more in zip(self.sums, reported)]

    def end(self, pending: Sums) -> tuple[float, float]:
        """Return mean loss and norm of the epoch. `pending`, the sums since the last report, is yet to be reported."""
        loss, columns, norm, steps = (before + more for before, more in zip(self.sums, pending))
        self.sums = [-part for part in pending]
        self.told += 1
        return loss / max(columns, 1), norm / steps

    def state_dict(self) -> dict[str, Any]:
        """Return the state as plain numbers."""
        return {"told": self.told, "sums": self.sums}

    def load_state_dict(self, state: Mapping[str, Any] | None, done: int) -> None:
        """Restore from `state`; None means that the `done` epochs before were trained without `on_epoch`."""
        self.told = done if state is None else state["told"]
        self.sums = [0.0, 0.0, 0.0, 0.0] if state is None else list(state["sums"])
