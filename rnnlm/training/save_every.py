"""How often a training is saved."""

import re
from math import inf
from time import monotonic

from rnnlm.errors import InputError

__all__ = ["SaveEvery"]

UNITS = {"s": 1, "m": 60, "h": 3600}


class SaveEvery:
    """Decides when to save: after so many steps, or so much time on a monotonic clock.

    Args:
        given: steps ("200"), or seconds, minutes or hours ("30s", "10m", "1h").

    Raises:
        InputError: `given` is neither.
    """

    def __init__(self, given: str) -> None:
        found = re.fullmatch(r"([1-9]\d{0,8})([smh]?)", given) if isinstance(given, str) else None
        if found is None:
            raise InputError(f"save_every must be steps, as 200, or a time, as 30s, 10m or 1h, got {given!r}")
        number = int(found[1])
        self.steps = None if found[2] else number
        self.seconds = number * UNITS[found[2]] if found[2] else inf
        self.begin = monotonic()

    def is_time(self, steps: int) -> bool:
        """Whether to save after this step."""
        if self.steps is not None:
            return steps % self.steps == 0
        return monotonic() - self.begin >= self.seconds

    def saved(self) -> None:
        """Restart the clock after a save."""
        self.begin = monotonic()
