"""Reading N-best lists: the texts that a recogniser offers for each utterance, and the right ones."""

import os
from dataclasses import dataclass
from math import isfinite, nan

from rnnlm.checks import path_of, text
from rnnlm.data.csv_column import LINE_END, fields_of
from rnnlm.data.lines import raw_lines
from rnnlm.errors import DataError

__all__ = ["Hypothesis", "read_nbest", "read_references"]


@dataclass(frozen=True)
class Hypothesis:
    """A text that a recogniser offers for an utterance.

    Attributes:
        text: its words, separated by blanks; it may be empty.
        acoustic: log-probability of the signal given the text, up to a factor and an addend common to the utterance.
        language: log-probability of the text in nats, `<eos>` included; NaN before a language model has scored it.
        unknown: number of its units that the language model does not know.
    """

    text: str
    acoustic: float
    language: float = nan
    unknown: int = 0

    @property
    def words(self) -> list[str]:
        """The words of the text."""
        return self.text.split()


def read_nbest(
    path: str | os.PathLike[str], utterance: str = "utterance", acoustic: str = "acoustic", column: str = "text"
) -> dict[str, list[Hypothesis]]:
    """Read N-best lists from a CSV file, a hypothesis per row.

    Args:
        path: a UTF-8 file whose first row has the column names.
        utterance, acoustic, column: the columns of the utterance's name, the acoustic score and the text.

    Returns:
        lists: the hypotheses of each utterance, in the order of the file.

    Raises:
        DataError: a missing column, a score that is not a finite number, an utterance without a name, or no rows.
    """
    given = [("utterance", utterance), ("acoustic", acoustic), ("column", column)]
    columns = [text(name, value) for name, value in given]
    lists: dict[str, list[Hypothesis]] = {}
    for number, (name, score, said) in fields_of(path_of("path", path), columns):
        try:
            value = float(score)
        except ValueError:
            value = nan
        if not isfinite(value):
            raise DataError(f"{path}, line {number}: {acoustic} must be a finite number, got {score!r:.80}")
        if not name.strip():
            raise DataError(f"{path}, line {number}: {utterance} must be the utterance's name, got {name!r}")
        lists.setdefault(name.strip(), []).append(Hypothesis(LINE_END.sub(" ", said).strip(), value))
    if not lists:
        raise DataError(f"{path} has no hypotheses: each is a row after the one with the names of the columns")
    return lists


def read_references(path: str | os.PathLike[str]) -> dict[str, str]:
    """Read the right texts: each line has the name of an utterance, then its words, as in Kaldi's file `text`.

    Raises:
        DataError: a blank line, a name that comes twice, or a file that is empty or not UTF-8.
    """
    found: dict[str, str] = {}
    for number, line, _ in raw_lines(path_of("path", path), None, None):
        name, *words = line.decode().split() or [""]
        if not name:
            raise DataError(f"{path}, line {number}: a line must begin with an utterance's name, and this one is blank")
        if name in found:
            raise DataError(f"{path}, line {number}: each utterance must have one line, and {name!r} comes twice")
        found[name] = " ".join(words)
    if not found:
        raise DataError(f"{path} is empty: each line has the name of an utterance, then its words")
    return found
