"""Forecast of how long a training will take."""

from collections.abc import Callable
from math import ceil
from time import perf_counter

from rnnlm.progress import note

__all__ = ["Forecast", "in_time"]

SECONDS, STEPS = 3, 5  # of training, at least, to measure
FIRST = 2  # slow steps: memory is allocated, kernels are compiled
WORTH = 10  # shortest time left, in seconds, that is printed


class Forecast:
    """Counts steps and prints once how long the remaining ones will take at the same speed.

    Args:
        steps: number of steps left.
        clock: returns seconds.
    """

    def __init__(self, steps: int, clock: Callable[[], float] = perf_counter) -> None:
        self.left, self.clock = steps, clock
        self.done, self.began = 0, 0.0
        self.told = False

    def end_step(self) -> None:
        """Count a step; print the forecast if it is time to."""
        if self.told:
            return
        self.done += 1
        if self.done == FIRST:
            self.began = self.clock()
        if self.done < FIRST + STEPS or (passed := self.clock() - self.began) < SECONDS:
            return
        self.told = True
        left = passed / (self.done - FIRST) * (self.left - self.done)
        if left >= WORTH:
            note(f"at most about {in_time(left)} of training are left, evaluation not counted")


def in_time(seconds: float) -> str:
    """Return a time as text: `40 s`, `12 min`, `3 h 20 min`."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    minutes = ceil(seconds / 60)
    if minutes < 100:
        return f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60} min"
