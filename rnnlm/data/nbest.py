"""Reading N-best lists: the texts that a recogniser offers for each utterance, and the right ones."""

import os
from dataclasses import dataclass
from math import inf, isfinite, nan

from rnnlm.checks import finite, number, path_of, refused, text as expect_string, whole_number
from rnnlm.data.csv_column import fields_of
from rnnlm.data.lines import expect_text, raw_lines
from rnnlm.errors import DataError

__all__ = ["Hypothesis", "read_nbest", "read_references", "words_of"]


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

    def __post_init__(self) -> None:
        expect_string("text", self.text)
        object.__setattr__(self, "acoustic", finite("acoustic", self.acoustic))
        object.__setattr__(self, "unknown", whole_number("unknown", self.unknown, 0))
        language = number(self.language)
        if language == inf or (language != language and not isinstance(self.language, float)):
            raise refused("language", "a log-probability", self.language)
        object.__setattr__(self, "language", language)

    @property
    def words(self) -> list[str]:
        """The words of the text."""
        return words_of(self.text)


def words_of(text: str) -> list[str]:
    """Return the words of a text, between ASCII white space as in all texts of this library."""
    return [word.decode() for word in text.encode().split()]


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
        DataError: no such file or column, a score that is not a finite number, an utterance without a name or with
            blanks in it, a row of more fields than there are columns, or no rows.
    """
    given = [("utterance", utterance), ("acoustic", acoustic), ("column", column)]
    columns = [expect_string(name, value) for name, value in given]
    lists: dict[str, list[Hypothesis]] = {}
    expect_text(path_of("path", path))
    for line, (name, score, said) in fields_of(path, columns):
        try:
            value = float(score)
        except ValueError:
            value = nan
        if not isfinite(value):
            raise DataError(f"{path}, line {line}: {acoustic} must be a finite number, got {score!r:.80}")
        if len(name.split()) != 1:
            raise DataError(f"{path}, line {line}: {utterance} must be a name without blanks, got {name!r:.80}")
        lists.setdefault(name.strip(), []).append(Hypothesis(" ".join(words_of(said)), value))
    if not lists:
        raise DataError(f"{path} has no hypotheses: each is a row after the one with the names of the columns")
    return lists


def read_references(path: str | os.PathLike[str]) -> dict[str, str]:
    """Read the right texts: each line has the name of an utterance, then its words, as in Kaldi's file `text`.

    Raises:
        DataError: a blank line, a name that comes twice, or a file that is empty or not UTF-8.
    """
    found: dict[str, str] = {}
    for line, content, _ in raw_lines(path_of("path", path), None, None):
        name, *words = words_of(content.decode()) or [""]
        if not name:
            raise DataError(f"{path}, line {line}: a line must begin with an utterance's name, and this one is blank")
        if name in found:
            raise DataError(f"{path}, line {line}: each utterance must have one line, and {name!r} comes twice")
        found[name] = " ".join(words)
    if not found:
        raise DataError(f"{path} is empty: each line has the name of an utterance, then its words")
    return found
