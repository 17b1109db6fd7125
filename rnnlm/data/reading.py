"""From a line of text to the units that a vocabulary has ids of, and back."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

from rnnlm.checks import path_of, text
from rnnlm.data.cleaning import TextOptions
from rnnlm.data.units import Characters, Units, Words
from rnnlm.errors import DataError

__all__ = ["PLAIN", "Reading", "TextSize"]

BY_RULE: dict[str, type[Units]] = {"word": Words, "char": Characters}  # what has nothing to learn


@dataclass
class TextSize:
    """How long a text is, whatever it is cut into; counted while it is read.

    Attributes:
        lines: of it.
        words: between white space, and an end for each line.
        characters, bytes: of UTF-8; an end of line is one.
    """

    lines: int = 0
    words: int = 0
    characters: int = 0
    bytes: int = 0
    first: tuple[int, int, int] = (0, 0, 0)  # words, characters and bytes of the first unit of the first line
    in_a_word: bool = False  # is where a piece of a line ended

    def add(self, line: str, reading: "Reading", begins: bool = True, ends: bool = True) -> None:
        """Take one more line into account; or a piece of one, which begins the line or not, and ends it or not."""
        if begins and not self.lines:
            units = reading.units.cut(line)
            alone = not units or reading.options.units == "word"
            self.first = (int(alone), *(reading.units.size_of(units[0]) if units else (1, 1)))
        content = line.encode()
        goes_on = self.in_a_word and bool(content[:1].split())
        self.in_a_word = not ends and bool(content[-1:].split())
        self.lines += ends
        self.words += len(content.split()) + ends - goes_on
        self.characters += len(line) + ends
        self.bytes += len(content) + ends

    def without_first(self) -> "TextSize":
        """The size without the first unit, which is not scored where a text is a stream."""
        words, characters, count = self.first
        return TextSize(self.lines, self.words - words, self.characters - characters, self.bytes - count)

    def without_blank(self, blank: int) -> "TextSize":
        """The size without so many blank lines, each of which is an end alone."""
        lines, words, characters, count = (
            number - blank for number in (self.lines, self.words, self.characters, self.bytes)
        )
        return TextSize(lines, words, characters, count)


BLANKS = " \t\n\v\f\r"  # between words: other white space is part of one


@dataclass(frozen=True)
class Reading:
    """How lines become units: cleaned and cut.

    Attributes:
        options: what is cleaned.
        units: what lines are cut into; byte pairs have to be learned first.
    """

    options: TextOptions = field(default_factory=TextOptions)
    units: Units = field(default_factory=Words)

    @classmethod
    def of(cls, options: TextOptions, learned: Units | None = None) -> "Reading":
        """By options; `learned` are the byte pairs, where they ask for them."""
        options.check()
        if learned is None and options.units not in BY_RULE:
            raise DataError(f"units {options.units} must be learned from a text first")
        return cls(options, BY_RULE[options.units]() if learned is None else learned)

    def for_file(self, path: str | os.PathLike[str], column: str | None) -> "Reading":
        """The same for another file, of which `column` is read, if it is given; of a file called .csv our own one."""
        own = self.options.column if path_of("path", path).suffix.lower() == ".csv" else None
        column = None if column is None else text("column", column)
        return replace(self, options=replace(self.options, column=own if column is None else column))

    @property
    def plain(self) -> bool:
        """Whether lines are words as they stand there."""
        return self.options.units == "word" and not self.options.cleans

    @property
    def end_of_piece(self) -> Callable[[bytes], int] | None:
        """Where the beginning of a long line may be cut without a change of its units; None where it may not."""
        in_pieces = self.options.units == "word" or (self.options.units == "char" and not self.options.cleans)
        return self.units.end_of_piece if in_pieces and self.options.column is None else None

    def __str__(self) -> str:
        """The options that are not the usual ones, in words."""
        given = asdict(self.options)
        usual = asdict(TextOptions())
        names = {"word": "words", "char": "characters", "bpe": "byte pairs"}
        said = [names[self.options.units]]
        for name, value in given.items():
            if name != "units" and value != usual[name]:
                said.append(
                    name if value is True else f"{name} {value if isinstance(value, str) else ', '.join(value)}"
                )
        return "; ".join(said)

    def cleaned(self, line: str) -> str | None:
        """The line without what is to go, nothing of a line of blanks; None where it is left out as a whole."""
        if self.options.left_out(line):
            return None
        kept = self.options.clean(line)
        return kept if kept.strip(BLANKS) else ""

    def cut(self, line: str) -> list[str]:
        """The units of a line, or of part of one, which is cleaned first."""
        return self.units.cut(self.options.clean(line))

    def settings(self) -> dict[str, Any]:
        """What a model's folder says of it; byte pairs have a file of their own."""
        return asdict(self.options)

    @staticmethod
    def options_of(settings: Mapping[str, Any]) -> TextOptions:
        """The options that `settings` gave.

        Raises:
            DataError: others.
        """
        known = [f.name for f in fields(TextOptions)]
        if strange := [name for name in settings if name not in known]:
            raise DataError(f"how a text is read must be said by {', '.join(known)}, got {strange[0]!r}")
        values = {**settings, "leave_out": tuple(settings.get("leave_out", ()))}
        options = TextOptions(**values)
        options.check()
        return options

    def text(self, words: Sequence[str], end: str) -> str:
        """The text of units, a line after each `end`."""
        lines: list[list[str]] = [[]]
        for word in words:
            if word == end:
                lines.append([])
            else:
                lines[-1].append(word)
        return "\n".join(self.units.join(line) for line in lines)


PLAIN = Reading()
