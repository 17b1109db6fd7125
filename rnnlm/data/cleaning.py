"""Options for reading a text: what is cleaned, and the units it is split into."""

import unicodedata
from dataclasses import dataclass
from functools import cache
from typing import Literal

from rnnlm.checks import flag, one_of, text
from rnnlm.errors import InputError

__all__ = ["UNITS", "TextOptions"]

UNITS = ("word", "char", "bpe")
UNK = "<unk>"  # a text may already contain it


@dataclass(frozen=True, kw_only=True)
class TextOptions:
    """How a text is read. A model stores these options and reads prompts and evaluation texts with them.

    Attributes:
        sentences: treat every line as a sequence of its own, with the state reset at its beginning; skip blank lines.
        units: what is predicted: words (separated by white space), characters (char), or byte pairs (bpe: byte-level,
            learned from the text; needs the extra bpe).
        column: read this column of a CSV file, one line per row.
        leave_out: leave out lines that are equal to one of these.
        lower: convert to lower case.
        strip_punctuation: remove punctuation and symbols, except in `<unk>`.
        ascii_only: remove all characters that are not ASCII, letters too.
    """

    sentences: bool = False
    units: Literal["word", "char", "bpe"] = "word"
    column: str | None = None
    leave_out: tuple[str, ...] = ()
    lower: bool = False
    strip_punctuation: bool = False
    ascii_only: bool = False

    def check(self) -> None:
        """Raise an InputError if an option is out of range."""
        one_of("units", self.units, UNITS)
        for name in ("sentences", "lower", "strip_punctuation", "ascii_only"):
            flag(name, getattr(self, name))
        if not isinstance(self.leave_out, tuple) or not all(isinstance(line, str) for line in self.leave_out):
            raise InputError(f"leave_out must be a list of lines, got {self.leave_out!r}")
        if self.column is not None:
            text("column", self.column)
        try:
            "".join((*self.leave_out, self.column or "")).encode()
        except (
            UnicodeEncodeError
        ) as error:  # half of a surrogate pair, as of bytes on a command line that are not UTF-8
            raise InputError(f"leave_out and column must be Unicode characters, got {error.object!r:.80}") from error

    @property
    def cleans(self) -> bool:
        """Whether lines may be changed or left out."""
        return bool(self.leave_out) or self.lower or self.strip_punctuation or self.ascii_only

    def left_out(self, line: str) -> bool:
        """Whether a line is to be left out."""
        return bool(self.leave_out) and line.strip() in self.leave_out

    def clean(self, line: str) -> str:
        """Return the cleaned line. If anything is removed, runs of white space become one blank."""
        kept = line
        if self.strip_punctuation:
            kept = UNK.join(_without_punctuation(part) for part in kept.split(UNK))
        if self.ascii_only:
            kept = kept.encode("ascii", "ignore").decode()
        if kept != line:
            kept = b" ".join(kept.encode().split()).decode()  # ASCII white space, which separates words
        return kept.lower() if self.lower else kept


def _without_punctuation(text: str) -> str:
    return "".join(letter for letter in text if not _is_punctuation(letter))


@cache
def _is_punctuation(letter: str) -> bool:
    """Whether Unicode classifies a character as punctuation or a symbol."""
    return unicodedata.category(letter)[0] in "PS"
