"""The n-grams of one order in an ARPA file, and checks of their numbers."""

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

Wrong = Callable[[str, int], NoReturn]  # raises the error for a line, given what is wrong and the line's number


@dataclass
class Section:
    """The n-grams of one order, with their line numbers.

    Attributes:
        logprobs, backoffs: (entries,) base-10 logarithms; NaN for a missing back-off.
        ids: (entries, n) ids of the words.
        lines: (entries,) line numbers.
    """

    logprobs: NDArray[np.float64]
    backoffs: NDArray[np.float64]
    ids: NDArray[np.int64]
    lines: NDArray[np.int64]

    @classmethod
    def joined(cls, parts: "Sequence[Section]", order: int) -> "Section":
        """Return the concatenation of parts, or an empty section of this order."""
        nothing = np.empty(0), np.empty(0), np.empty((0, order), np.int64), np.empty(0, np.int64)
        return cls(*map(np.concatenate, zip(nothing, *(vars(part).values() for part in parts))))

    def chosen(self, places: NDArray[np.integer]) -> "Section":
        """Return the entries at these places, in this order."""
        return Section(self.logprobs[places], self.backoffs[places], self.ids[places], self.lines[places])

    def expect_numbers(self, wrong: Wrong) -> None:
        """Check that probabilities are at most 1, and that no back-off weight is infinite."""
        for name, values, bad in (
            ("a log10 probability must be a number of at most 0", self.logprobs, ~(self.logprobs <= 1e-6)),
            ("a back-off must be finite", self.backoffs, np.isposinf(self.backoffs)),
        ):
            if bad.any():
                place = int(bad.argmax())
                wrong(f"{name}, got {values[place]:g}", int(self.lines[place]))

    def expect_base_10(self, words: int, where: str, begin: int, wrong: Wrong) -> None:
        """Check that the words' probabilities sum to at most 1, and not to 1 with another base than 10.

        Args:
            words: number of words, which is also the id of `<s>`; that is never predicted.
            where: name of the file.
            begin: line in which the section begins.
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
        """Return the section, which must be sorted by its keys, as a table with natural logarithms."""
        logs = (self.logprobs, np.where(np.isnan(self.backoffs), 0.0, self.backoffs))
        return Table(keys, *(np.where(log <= ZERO, -np.inf, log * TEN) for log in logs))
