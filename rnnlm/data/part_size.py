"""The words, characters and bytes of part of a text. All text before it must be split too, to find where it begins."""

import os
from dataclasses import dataclass, field

from rnnlm.data.reading import Reading, TextSize
from rnnlm.data.text import lines_of
from rnnlm.data.vocabulary import EOS, Vocabulary

__all__ = ["part_size"]


@dataclass
class _PartSize(TextSize):
    """Counts the size of the units from number `begin` to before `end`, and the unknown ones among them.

    Attributes:
        known: the vocabulary.
        place: number of units seen so far, with `<eos>` at each line's end.
        unknown: units of the part that are not in the vocabulary.
    """

    known: Vocabulary = field(default_factory=lambda: Vocabulary([]))
    begin: int = 0
    end: int = 0
    place: int = 0
    unknown: int = 0

    def add(self, line: str, reading: Reading, begins: bool = True, ends: bool = True) -> None:
        """Count what is in the part of a line, or of a piece of one."""
        units = [*reading.units.cut(line), *([EOS] if ends else [])]
        place, self.place = self.place, self.place + len(units)
        first, last = max(self.begin - place, 0), min(self.end - place, len(units))
        blanks = not units and self.begin <= place < self.end
        if first >= last and not blanks:
            return
        inside, ends = units[first:last], ends and last == len(units)
        self.unknown += sum(unit not in self.known for unit in inside)
        whole = first == 0 and last == len(units)
        kept = line if whole else reading.units.join(inside[: len(inside) - ends])
        super().add(kept, reading, begins or not any(self.first), ends)


def part_size(path: str | os.PathLike[str], words: Vocabulary, begin: int, end: int) -> tuple[TextSize, int]:
    """Return the size of part of a text and the number of its units that are unknown; errors are those of `lines_of`.

    Args:
        path: a UTF-8 file, read up to the end of the part.
        words: the vocabulary, with the options for reading the file.
        begin, end: the part's first unit, and the one after its last, counting each `<eos>`.
    """
    size = _PartSize(known=words, begin=begin, end=end)
    for _ in lines_of(path, None, words.reading, size, in_pieces=True):
        if size.place >= end:
            break
    return size, size.unknown
