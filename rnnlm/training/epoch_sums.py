"""What a training is, on average over an epoch, whenever else it is reported."""

from collections.abc import Mapping
from typing import Any

__all__ = ["EpochSums", "Sums"]

Sums = tuple[float, int, float, int]  # loss times columns, columns, norms, steps


class EpochSums:
    """Sums over the steps of the epoch under way.

    Attributes:
        told: epochs that are over and told.
        sums: of the one under way, as far as it is reported; what was told of it already, with the epoch before, counts
            as less than nothing.
    """

    def __init__(self) -> None:
        self.told = 0
        self.sums: list[float] = [0.0, 0.0, 0.0, 0.0]

    def add(self, reported: Sums) -> None:
        """Take what a report is made of into account."""
        self.sums = [before + more for before, more in zip(self.sums, reported)]

    def end(self, pending: Sums) -> tuple[float, float]:
        """Mean loss and norm of the epoch, of which `pending` is not reported yet: it will be, with the next one's."""
        loss, columns, norm, steps = (before + more for before, more in zip(self.sums, pending))
        self.sums = [-part for part in pending]
        self.told += 1
        return loss / columns, norm / steps

    def state_dict(self) -> dict[str, Any]:
        """Plain numbers, by which it goes on."""
        return {"told": self.told, "sums": self.sums}

    def load_state_dict(self, state: Mapping[str, Any] | None, done: int) -> None:
        """Go on from that; from None, where nobody listened to the `done` epochs before."""
        self.told = done if state is None else state["told"]
        self.sums = [0.0, 0.0, 0.0, 0.0] if state is None else list(state["sums"])
