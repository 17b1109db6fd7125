"""What is left out of a text before it is cut into words, characters or byte pairs."""

import unicodedata
from dataclasses import dataclass
from functools import cache
from typing import Literal

from rnnlm.checks import flag, one_of, text
from rnnlm.errors import InputError

__all__ = ["UNITS", "TextOptions"]

UNITS = ("word", "char", "bpe")
UNK = "<unk>"  # which a text may have for an unknown word


@dataclass(frozen=True, kw_only=True)
class TextOptions:
    """How a text is read. A model keeps it, and reads prompts, and whatever it evaluates, in the same way.

    Attributes:
        sentences: every line is a sequence of its own, the state reset where it begins; blank lines are skipped.
        units: what is predicted: words (between white space), characters (char), or byte pairs (bpe, byte-level,
            learned from the text; extra bpe).
        column: of a CSV file, the column that has the text, a line for each row.
        leave_out: lines that say just this are left out.
        lower: all in lower case.
        strip_punctuation: without punctuation and symbols; `<unk>` stays.
        ascii_only: without all characters that are not ASCII, be they letters.
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
        """Whether a line may change, or be left out."""
        return bool(self.leave_out) or self.lower or self.strip_punctuation or self.ascii_only

    def left_out(self, line: str) -> bool:
        """Whether a line is one of those to leave out."""
        return bool(self.leave_out) and line.strip() in self.leave_out

    def clean(self, line: str) -> str:
        """The line without what is to go. Where something goes from it, runs of blanks become one."""
        kept = line
        if self.strip_punctuation:
            kept = UNK.join(_without_punctuation(part) for part in kept.split(UNK))
        if self.ascii_only:
            kept = kept.encode("ascii", "ignore").decode()
        if kept != line:
            kept = b" ".join(kept.encode().split()).decode()  # at ASCII white space, as words are cut
        return kept.lower() if self.lower else kept


def _without_punctuation(text: str) -> str:
    return "".join(letter for letter in text if not _is_punctuation(letter))


@cache
def _is_punctuation(letter: str) -> bool:
    """Whether Unicode calls it punctuation or a symbol."""
    return unicodedata.category(letter)[0] in "PS"
