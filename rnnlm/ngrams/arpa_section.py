"""The n-grams of one order as an ARPA file has them, and what must hold of their numbers."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import e
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from rnnlm.ngrams.arpa import TEN, ZERO
from rnnlm.ngrams.model import Table
from rnnlm.progress import note

__all__ = ["Section", "Wrong"]

Wrong = Callable[[str, int], NoReturn]  # raises the error for a line: what is wrong, and the line's number


@dataclass
class Section:
    """The n-grams of one order, and the numbers of their lines.

    Attributes:
        logprobs, backoffs: (entries,) to base 10; NaN for a back-off that is not there.
        ids: (entries, n) of the words.
        lines: (entries,) the numbers.
    """

    logprobs: NDArray[np.float64]
    backoffs: NDArray[np.float64]
    ids: NDArray[np.int64]
    lines: NDArray[np.int64]

    @classmethod
    def joined(cls, parts: "Sequence[Section]", order: int) -> "Section":
        """The parts one after the other; without any, a section of no n-grams of this order."""
        nothing = np.empty(0), np.empty(0), np.empty((0, order), np.int64), np.empty(0, np.int64)
        return cls(*map(np.concatenate, zip(nothing, *(vars(part).values() for part in parts))))

    def chosen(self, places: NDArray[np.integer]) -> "Section":
        """Some of them, in this order."""
        return Section(self.logprobs[places], self.backoffs[places], self.ids[places], self.lines[places])

    def expect_numbers(self, wrong: Wrong) -> None:
        """Check that probabilities are at most 1, and back-offs are no infinite weights."""
        for name, values, bad in (
            ("a log10 probability must be a number of at most 0", self.logprobs, ~(self.logprobs <= 1e-6)),
            ("a back-off must be finite", self.backoffs, np.isposinf(self.backoffs)),
        ):
            if bad.any():
                place = int(bad.argmax())
                wrong(f"{name}, got {values[place]:g}", int(self.lines[place]))

    def expect_base_10(self, words: int, where: str, begin: int, wrong: Wrong) -> None:
        """Check that the probabilities of all words do not sum to more than 1, nor to 1 with another base than 10.

        Args:
            words: how many there are; `<s>`, which is never predicted, has their number.
            where: the file, to be told.
            begin: the line in which the section begins.
            wrong: raises the error.
        """
        logs = self.logprobs[self.ids[:, 0] < words]
        total, *others = (float(np.sum(base**logs)) for base in (10, e, 2))
        hint = "".join(f"; to base {name} they do" for name, s in zip(("e", "2"), others) if 0.99 <= s <= 1.01)
        if total > 1.01 or (hint and total < 0.9):
            rule = "logarithms must be to base 10, and so the probabilities of all words sum to 1"
            wrong(f"{rule}, got {total:.4g}{hint}", begin)
        if total < 0.9:
            note(f"{where}: the probabilities of its words sum to {total:.4g}: some of its words are not in the file")

    def table(self, keys: NDArray[np.int64]) -> Table:
        """As a model has it: the section must be in the order of its keys."""
        logs = (self.logprobs, np.where(np.isnan(self.backoffs), 0.0, self.backoffs))
        return Table(keys, *(np.where(log <= ZERO, -np.inf, log * TEN) for log in logs))
