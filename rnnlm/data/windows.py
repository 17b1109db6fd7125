"""The contract of training data: what a training requires of a text, sentences or samples."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from math import exp, log
from sys import float_info
from typing import Any

from rnnlm.checks import whole_number

__all__ = ["Windows"]


class Windows(ABC):
    """Inputs and targets of each step; those of step k are a pure function of k.

        for xs, ts in batches:              # the first epoch, each time the same
        for xs, ts in batches.epoch(3):     # the fourth epoch, as a training reads it

    Attributes:
        unit: what the speed counts: tokens or samples.
        figure: name of the figure to show for a loss.
        highest: a larger loss counts as diverged.
        ignored: label of targets that do not count.
    """

    ignored = -1
    unit, figure = "tokens", "perplexity"
    highest = log(float_info.max)  # loss in nats whose perplexity is still a number

    def told(self, loss: float) -> str:
        """Return the figure of a loss as text."""
        return f"perplexity {exp(min(loss, self.highest)):.2f}"

    @abstractmethod
    def __len__(self) -> int:
        """Return the number of windows in an epoch."""

    @property
    @abstractmethod
    def size(self) -> int:
        """Usual or average number of tokens, or samples, of a window."""

    @abstractmethod
    def expect_words(self, vocab_size: int) -> None:
        """Check that inputs are in [0, vocab_size) and targets in [-1, vocab_size); ids in a file when they are read.

        Raises:
            InputError: they are not.
        """

    @abstractmethod
    def window(self, number: int) -> tuple[Any, Any]:
        """Return inputs and targets of window `number`, from 0."""

    def epoch(self, number: int = 0) -> Iterator[tuple[Any, Any]]:
        """Yield inputs and targets of the windows of epoch `number`, from 0, in the order of training."""
        first = whole_number("number", number, 0) * len(self)
        return (self.window(first + k) for k in range(len(self)))

    def __iter__(self) -> Iterator[tuple[Any, Any]]:
        return self.epoch()

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {len(self):,} windows of about {self.size:,} {self.unit} in an epoch>"

    def weight(self, number: int) -> int:
        """Return the weight of a window's mean loss in averages over windows."""
        return 1

    def ignore(self, label: int) -> None:
        """Leave targets with this label, by default -1, out of the weights."""
        self.ignored = label

    def fresh(self, number: int) -> bool:
        """Whether a window does not continue the previous one, so that the state is reset to zeros before it."""
        return False

    def scaled(self, lr: float, number: int) -> float:
        """Return the learning rate for a window, given the rate `lr` for one of usual length."""
        return lr

    @abstractmethod
    def identity(self) -> dict[str, int | str]:
        """Return what identifies these windows: numbers, and digests of the data."""
