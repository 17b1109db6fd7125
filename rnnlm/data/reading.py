"""From a line of text to units, which a vocabulary maps to ids, and back."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

from rnnlm.checks import path_of, text
from rnnlm.data.cleaning import TextOptions
from rnnlm.data.units import Characters, Units, Words
from rnnlm.errors import DataError

__all__ = ["PLAIN", "Reading", "TextSize"]

BY_RULE: dict[str, type[Units]] = {"word": Words, "char": Characters}  # units without anything to learn


@dataclass
class TextSize:
    """Size of a text, independent of its units; counted while the text is read.

    Attributes:
        lines: number of lines.
        words: words between white space, plus one for each line's end.
        characters, bytes: of the UTF-8 text; a line end counts as one.
    """

    lines: int = 0
    words: int = 0
    characters: int = 0
    bytes: int = 0
    first: tuple[int, int, int] = (0, 0, 0)  # words, characters and bytes of the first unit of the first line
    in_a_word: bool = False  # whether the last piece of a line ended within a word

    def add(self, line: str, reading: "Reading", begins: bool = True, ends: bool = True) -> None:
        """Count one more line; or a piece of one, with whether it begins the line and whether it ends it."""
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
        """Return the size without the first unit, which is not scored in a stream."""
        words, characters, count = self.first
        return TextSize(self.lines, self.words - words, self.characters - characters, self.bytes - count)

    def without_blank(self, blank: int) -> "TextSize":
        """Return the size without `blank` blank lines, which consist of a line end only."""
        lines, words, characters, count = (
            number - blank for number in (self.lines, self.words, self.characters, self.bytes)
        )
        return TextSize(lines, words, characters, count)


BLANKS = " \t\n\v\f\r"  # white space between words; all other white space is part of words


@dataclass(frozen=True)
class Reading:
    """How lines become units: how they are cleaned and split.

    Attributes:
        options: the text options.
        units: the kind of units, already learned for byte pairs.
    """

    options: TextOptions = field(default_factory=TextOptions)
    units: Units = field(default_factory=Words)

    @classmethod
    def of(cls, options: TextOptions, learned: Units | None = None) -> "Reading":
        """Create a reading from options; `learned` are the byte pairs, if the options ask for them."""
        options.check()
        if learned is None and options.units not in BY_RULE:
            raise DataError(f"units {options.units} must be learned from a text first")
        return cls(options, BY_RULE[options.units]() if learned is None else learned)

    def for_file(self, path: str | os.PathLike[str], column: str | None) -> "Reading":
        """Return the reading for another file: with `column`; if None, for a file called .csv with its own column."""
        own = self.options.column if path_of("path", path).suffix.lower() == ".csv" else None
        column = None if column is None else text("column", column)
        return replace(self, options=replace(self.options, column=own if column is None else column))

    @property
    def plain(self) -> bool:
        """Whether units are words without any cleaning."""
        return self.options.units == "word" and not self.options.cleans

    @property
    def end_of_piece(self) -> Callable[[bytes], int] | None:
        """Function that finds where a long line may be split without changing its units; None if it must stay whole."""
        in_pieces = self.options.units == "word" or (self.options.units == "char" and not self.options.cleans)
        return self.units.end_of_piece if in_pieces and self.options.column is None else None

    def __str__(self) -> str:
        """Return the options that differ from the defaults, as text."""
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
        """Return the cleaned line, "" for a line of blanks; None if the line is left out."""
        if self.options.left_out(line):
            return None
        kept = self.options.clean(line)
        return kept if kept.strip(BLANKS) else ""

    def cut(self, line: str) -> list[str]:
        """Clean a line, or part of one, and return its units."""
        return self.units.cut(self.options.clean(line))

    def settings(self) -> dict[str, Any]:
        """Return the options for a model's folder; byte pairs are saved in a file of their own."""
        return asdict(self.options)

    @staticmethod
    def options_of(settings: Mapping[str, Any]) -> TextOptions:
        """Return the options that `settings` returned.

        Raises:
            DataError: unknown options.
        """
        known = [f.name for f in fields(TextOptions)]
        if strange := [name for name in settings if name not in known]:
            raise DataError(f"how a text is read must be said by {', '.join(known)}, got {strange[0]!r}")
        values = {**settings, "leave_out": tuple(settings.get("leave_out", ()))}
        options = TextOptions(**values)
        options.check()
        return options

    def text(self, words: Sequence[str], end: str) -> str:
        """Return the text of units, with a new line after each `end`."""
        lines: list[list[str]] = [[]]
        for word in words:
            if word == end:
                lines.append([])
            else:
                lines[-1].append(word)
        return "\n".join(self.units.join(line) for line in lines)


PLAIN = Reading()
