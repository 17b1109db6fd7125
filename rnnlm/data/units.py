"""Units of a line of text, words or characters: splitting and joining (byte pairs are in `bpe.py`)."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

__all__ = ["Characters", "Units", "Words"]

WHITE = (b" ", b"\t", b"\r", b"\v", b"\f")  # between words of a line
BLANK = "▁"  # replaces a blank in character units: words of a vocabulary have no white space
ESCAPES = {" ": BLANK, BLANK: BLANK * 2, "\t": f"{BLANK}t", "\r": f"{BLANK}r", "\v": f"{BLANK}v", "\f": f"{BLANK}f"}
LETTERS = {unit: letter for letter, unit in ESCAPES.items()}


class Units(ABC):
    """Splits lines into the units of a vocabulary."""

    @abstractmethod
    def cut(self, line: str) -> list[str]:
        """Return the units of a line; none of them has white space."""

    def end_of_piece(self, content: bytes) -> int:
        """Return where to split the beginning of a line so that the units stay the same; 0 for nowhere."""
        return 0

    @abstractmethod
    def size_of(self, unit: str) -> tuple[int, int]:
        """Return characters and bytes of the text of a unit; for a word including the blank or line end after it."""

    @abstractmethod
    def join(self, units: Sequence[str]) -> str:
        """Return the line that has these units."""


class Words(Units):
    """Words separated by ASCII white space; what kind of white space it was is not kept."""

    def cut(self, line: str) -> list[str]:
        """Split at ASCII white space only, as KenLM and Kaldi do: a no-break space is part of a word."""
        return [word.decode() for word in line.encode().split()]

    def end_of_piece(self, content: bytes) -> int:
        """Split after the last white space."""
        return max(map(content.rfind, WHITE)) + 1

    def size_of(self, unit: str) -> tuple[int, int]:
        """Return the size of the word and of what ends it."""
        return len(unit) + 1, len(unit.encode()) + 1

    def join(self, units: Sequence[str]) -> str:
        """Join words with blanks."""
        return " ".join(units)


class Characters(Units):
    """Unicode characters. A blank is written as "▁", and "▁" itself as "▁▁", so that no information is lost."""

    def cut(self, line: str) -> list[str]:
        """Return one unit per character."""
        return [ESCAPES.get(letter, letter) for letter in line]

    def end_of_piece(self, content: bytes) -> int:
        """Split before the last character, and before what may be part of a line end."""
        end = next((i for i in range(len(content) - 1, len(content) - 5, -1) if content[i] & 0xC0 != 0x80), 0)
        return len(content[:end].rstrip(b"\r"))

    def size_of(self, unit: str) -> tuple[int, int]:
        """Return 1 character and its bytes."""
        return 1, len(LETTERS.get(unit, unit).encode())

    def join(self, units: Sequence[str]) -> str:
        """Return the characters, with escapes undone."""
        return "".join(LETTERS.get(unit, unit) for unit in units)
