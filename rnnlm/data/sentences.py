"""Sentences as independent sequences: finding them in a text, and batching those of similar length."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rnnlm.checks import sequence, whole_number
from rnnlm.data.ids import HIGH, ids_of
from rnnlm.data.sources import InMemory, tokens_of
from rnnlm.data.tokens import Tokens
from rnnlm.errors import DataError

__all__ = ["Sentences", "groups", "like_lengths", "side_by_side"]


class Sentences:
    """The lines of a text as independent sequences; each is read after an `<eos>` and ends with one.

    Blank lines are left out, and so are tokens after the last `<eos>`. Ids in a file are scanned once to find the
    lines, then read line by line.

    Args:
        ids: (tokens,) ids of the text: an array, or `Tokens` as returned by `open_corpus`.
        eos_id: id of `<eos>`.

    Attributes:
        lengths: (lines,) tokens of each line, including its `<eos>`.
        blank: number of blank lines that were left out.

    Raises:
        DataError: no line has a word.
    """

    def __init__(self, ids: ArrayLike | Tokens, eos_id: int) -> None:
        self.ids, self.eos_id = tokens_of("ids", ids), whole_number("eos_id", eos_id, 0, HIGH)
        ends = _places(self.ids, self.eos_id) + 1
        begins = np.concatenate([[0], ends[:-1]])[: len(ends)]
        kept = ends - begins > 1
        self.begins, self.lengths, self.blank = begins[kept], (ends - begins)[kept], int((~kept).sum())
        if not len(self):
            raise DataError(
                f"{self.ids.name} must have a line with at least one word, and <eos> (eos_id {eos_id}) after it"
            )

    @classmethod
    def of(cls, rows: Sequence[ArrayLike], eos_id: int) -> "Sentences":
        """Create sentences from lists of ids, with or without `<eos>` at their ends."""
        parts = []
        eos_id = whole_number("eos_id", eos_id, 0, HIGH)
        for number, row in enumerate(sequence("rows", rows, "lists of ids")):
            ids = ids_of(f"sentence {number}", row)
            ended = ids.size and ids[-1] == eos_id
            parts.append(np.append(ids, [] if ended else [eos_id]).astype(np.int64))
        return cls(np.concatenate([*parts, np.empty(0, np.int64)]), eos_id)

    def within(self, vocab_size: int) -> "Sentences":
        """Check that ids are in [0, vocab_size) and return self; ids in a file are checked when they are read.

        Raises:
            InputError: an id in memory is out of range.
        """
        self.ids = self.ids.within(0, vocab_size)
        return self

    def __len__(self) -> int:
        return len(self.lengths)

    @property
    def tokens(self) -> int:
        """Number of tokens of all lines, including an `<eos>` for each."""
        return int(self.lengths.sum())

    def __getitem__(self, number: int) -> NDArray[np.integer]:
        """Return the ids of a line, ending with `<eos>`."""
        begin = int(self.begins[number])
        return self.ids.read(begin, begin + int(self.lengths[number]))

    def __iter__(self) -> Iterator[NDArray[np.integer]]:
        return (self[number] for number in range(len(self)))

    def __repr__(self) -> str:
        return f"<Sentences of {self.ids.name}: {len(self):,} lines, {self.tokens:,} tokens>"


def _places(ids: Tokens, wanted: int) -> NDArray[np.int64]:
    """Return the positions of an id, reading the ids piece by piece."""
    found, begin = [np.empty(0, np.int64)], 0
    for piece in [ids.ids] if isinstance(ids, InMemory) else ids.pieces():
        found.append(np.flatnonzero(piece == wanted) + begin)
        begin += len(piece)
    return np.concatenate(found)


def groups(lengths: NDArray[np.integer], tokens: int, rows: int = 1) -> list[tuple[int, int]]:
    """Split ascending lengths into groups (begin, end) of similar ones.

    A group has as many sentences as, padded to its longest, have at most `tokens` tokens; but at least `rows`, as long
    as the longest is at most twice as long as the shortest.
    """
    found, begin = [], 0
    while begin < len(lengths):
        low, high = begin + 1, len(lengths)
        while low < high:  # binary search for the last end that fits
            middle = (low + high + 1) // 2
            low, high = (middle, high) if (middle - begin) * lengths[middle - 1] <= tokens else (low, middle - 1)
        alike = int(np.searchsorted(lengths, 2 * lengths[begin], "right"))
        end = max(low, min(begin + rows, alike))
        found.append((begin, end))
        begin = end
    return found


def like_lengths(lengths: Sequence[int], tokens: int) -> list[list[int]]:
    """Return groups of numbers of sentences of similar length, each of at most `tokens` tokens with padding."""
    given = np.array(lengths, np.int64)
    order = given.argsort(kind="stable")
    return [order[begin:end].tolist() for begin, end in groups(given[order], tokens)]


def side_by_side(rows: Sequence[NDArray[np.integer]]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Return inputs and targets (N, T) of N sentences; the first input is `<eos>`, and each target the next word.

    Shorter rows are padded with targets -1, which are not scored. Memory is time-major.

    Args:
        rows: ids of each sentence, ending with `<eos>`.
    """
    longest = max(len(row) for row in rows)
    xs = np.zeros((longest, len(rows)), np.int32)
    ts = np.full((longest, len(rows)), -1, np.int32)
    for n, row in enumerate(rows):
        xs[0, n], xs[1 : len(row), n] = row[-1], row[:-1]
        ts[: len(row), n] = row
    return xs.T, ts.T
