"""How long part of a text is, which is known only once all of it was cut into units."""

import os
from dataclasses import dataclass, field

from rnnlm.data.reading import Reading, TextSize
from rnnlm.data.text import lines_of
from rnnlm.data.vocabulary import EOS, Vocabulary

__all__ = ["part_size"]


@dataclass
class _PartSize(TextSize):
    """The size of the units from number `begin` on to before `end`; and how many of them a vocabulary has not.

    Attributes:
        known: the vocabulary.
        place: units that were seen so far, each `<eos>` among them.
        unknown: units of the part that are not known.
    """

    known: Vocabulary = field(default_factory=lambda: Vocabulary([]))
    begin: int = 0
    end: int = 0
    place: int = 0
    unknown: int = 0

    def add(self, line: str, reading: Reading, begins: bool = True, ends: bool = True) -> None:
        """Take what of a line, or of a piece of one, is in the part into account."""
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
    """How long a part of a text is, and how many of its units a vocabulary has not; errors are those of `lines_of`.

    Args:
        path: a UTF-8 file, which is read as far as the part goes.
        words: the vocabulary, which knows how the file is read.
        begin, end: the part's first unit, and the one after its last, each `<eos>` counted.
    """
    size = _PartSize(known=words, begin=begin, end=end)
    for _ in lines_of(path, None, words.reading, size, in_pieces=True):
        if size.place >= end:
            break
    return size, size.unknown
