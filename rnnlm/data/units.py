"""What a line of text is cut into, and how it is put together again: words or characters (`bpe.py` has byte pairs)."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

__all__ = ["Characters", "Units", "Words"]

WHITE = (b" ", b"\t", b"\r", b"\v", b"\f")  # between words of a line
BLANK = "▁"  # stands for a blank among characters: a vocabulary's words have no white space
ESCAPES = {" ": BLANK, BLANK: BLANK * 2, "\t": f"{BLANK}t", "\r": f"{BLANK}r", "\v": f"{BLANK}v", "\f": f"{BLANK}f"}
LETTERS = {unit: letter for letter, unit in ESCAPES.items()}


class Units(ABC):
    """Cuts lines into what a vocabulary has ids of."""

    @abstractmethod
    def cut(self, line: str) -> list[str]:
        """The units of a line, none of which has white space in it."""

    def end_of_piece(self, content: bytes) -> int:
        """Where to cut the beginning of a line so that both parts have the units of the whole; 0 for nowhere."""
        return 0

    @abstractmethod
    def size_of(self, unit: str) -> tuple[int, int]:
        """Characters and bytes of the text that a unit takes; of a word also the blank or the end behind it."""

    @abstractmethod
    def join(self, units: Sequence[str]) -> str:
        """The line that was cut."""


class Words(Units):
    """Words between ASCII white space; of which only that there is some is kept."""

    def cut(self, line: str) -> list[str]:
        """At ASCII white space only, as KenLM and Kaldi have it: a no-break space is part of a word."""
        return [word.decode() for word in line.encode().split()]

    def end_of_piece(self, content: bytes) -> int:
        """Behind the last white space."""
        return max(map(content.rfind, WHITE)) + 1

    def size_of(self, unit: str) -> tuple[int, int]:
        """The word and what ends it."""
        return len(unit) + 1, len(unit.encode()) + 1

    def join(self, units: Sequence[str]) -> str:
        """A blank between words."""
        return " ".join(units)


class Characters(Units):
    """Unicode characters. A blank is written as "▁", and "▁" itself as two of them, so that nothing is lost."""

    def cut(self, line: str) -> list[str]:
        """A unit for each character."""
        return [ESCAPES.get(letter, letter) for letter in line]

    def end_of_piece(self, content: bytes) -> int:
        """Before the last character, and before what may be part of an end of line."""
        end = next((i for i in range(len(content) - 1, len(content) - 5, -1) if content[i] & 0xC0 != 0x80), 0)
        return len(content[:end].rstrip(b"\r"))

    def size_of(self, unit: str) -> tuple[int, int]:
        """A character."""
        return 1, len(LETTERS.get(unit, unit).encode())

    def join(self, units: Sequence[str]) -> str:
        """The characters as they were."""
        return "".join(LETTERS.get(unit, unit) for unit in units)
