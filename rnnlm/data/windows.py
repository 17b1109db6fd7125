"""What a training asks of its data, be it one long text, sentences or samples."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from math import exp, log
from sys import float_info
from typing import Any

from rnnlm.checks import whole_number

__all__ = ["Windows"]


class Windows(ABC):
    """Inputs and targets of one step after another; which ones step k has is a pure function of k.

        for xs, ts in batches:              # the first epoch's, each time anew
        for xs, ts in batches.epoch(3):     # as a training sees them in its fourth

    Attributes:
        unit: what is counted of them by the second.
        figure: what is told of their loss.
        highest: a loss above it is as bad as one that is not finite.
    """

    unit, figure = "tokens", "perplexity"
    highest = log(float_info.max)  # loss in nats whose perplexity is still a number

    def told(self, loss: float) -> str:
        """The figure of a loss, in words."""
        return f"perplexity {exp(min(loss, self.highest)):.2f}"

    @abstractmethod
    def __len__(self) -> int:
        """Windows in an epoch."""

    @property
    @abstractmethod
    def size(self) -> int:
        """How many tokens, or samples, a window has, usually or on average."""

    @abstractmethod
    def expect_words(self, vocab_size: int) -> None:
        """Check that inputs are ids of so many words, and targets too, or -1; those of a file when they are read.

        Raises:
            InputError: they are not.
        """

    @abstractmethod
    def window(self, number: int) -> tuple[Any, Any]:
        """Inputs and targets of window `number` from 0."""

    def epoch(self, number: int = 0) -> Iterator[tuple[Any, Any]]:
        """Inputs and targets of the windows of epoch `number` from 0, in their order, as a training sees them."""
        first = whole_number("number", number, 0) * len(self)
        return (self.window(first + k) for k in range(len(self)))

    def __iter__(self) -> Iterator[tuple[Any, Any]]:
        return self.epoch()

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {len(self):,} windows of about {self.size:,} {self.unit} in an epoch>"

    def weight(self, number: int) -> int:
        """How much the mean loss of a window counts among those of others."""
        return 1

    def fresh(self, number: int) -> bool:
        """Whether a window has nothing to do with the one before, so that it begins with zeros for a state."""
        return False

    def scaled(self, lr: float, number: int) -> float:
        """The learning rate of a window, where `lr` is that of a usual one."""
        return lr

    @abstractmethod
    def identity(self) -> dict[str, int | str]:
        """What says which windows these are: numbers, and digests of what they are cut from."""
