"""Questions and answers as character ids, to train sequence-to-sequence models."""

import os
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rnnlm.checks import path_of, sequence, share, shown, text
from rnnlm.data.ids import expect_words, ids_of
from rnnlm.errors import DataError, InputError
from rnnlm.opening import lines_within
from rnnlm.randomness import old_generator

__all__ = ["BETWEEN", "Pairs", "read_pairs"]

BETWEEN = "_"  # separates question and answer; also the answer's first character
Ids = NDArray[np.int64]


@dataclass(frozen=True)
class Pairs:
    """Questions and answers as ids, one row each, padded with blanks.

    Attributes:
        questions: (count, T).
        answers: (count, T' + 1), each with `_` before its first character.
        characters: all characters, in the order of their ids, which is that of appearance.
    """

    questions: Ids
    answers: Ids
    characters: tuple[str, ...]

    @classmethod
    def of(cls, lines: Sequence[str], name: str = "pairs") -> "Pairs":
        """Create pairs from lines such as "57+5_62", with or without padding blanks after question and answer.

        Raises:
            DataError: a line that is not one question and one answer, or no lines.
        """
        halves, name = [], text("name", name)
        if not all(isinstance(line, str) for line in sequence("lines", lines, "strings")):
            raise InputError(f"lines must be a list of strings, got {shown(lines)}")
        for number, line in enumerate(lines, 1):
            question, between, answer = line.partition(BETWEEN)
            if not between or BETWEEN in answer or not question.strip() or not answer.strip():
                raise DataError(
                    f"line {number} of {name} must be a question, {BETWEEN} and an answer, got {line!r:.80}"
                )
            halves.append((question, BETWEEN + answer))
        if not halves:
            raise DataError(f"{name} must have a question and an answer at least, and is empty")
        T, T2 = (max(len(pair[i]) for pair in halves) for i in (0, 1))
        rows = [(question.ljust(T), answer.ljust(T2)) for question, answer in halves]
        ids: dict[str, int] = {}
        for pair in rows:
            for character in "".join(pair):
                ids.setdefault(character, len(ids))
        questions, answers = (np.array([[ids[c] for c in pair[i]] for pair in rows], np.int64) for i in (0, 1))
        return cls(questions, answers, tuple(ids))

    @property
    def lengths(self) -> Ids:
        """Number of characters of each question, (count,), without the blanks at its end."""
        if " " not in self.characters:
            return np.full(len(self.questions), self.questions.shape[1])
        filled = self.questions[:, ::-1] != self.characters.index(" ")
        return self.questions.shape[1] - filled.argmax(axis=1)

    def text(self, ids: Sequence[int] | Ids) -> str:
        """Return the characters of ids as a string."""
        given = ids_of("ids", ids)
        expect_words("ids", given, len(self.characters))
        return "".join(self.characters[i] for i in given.tolist())

    def split(self, seed: int | None = 1984, held_out: float = 0.1) -> tuple["Pairs", "Pairs"]:
        """Return a shuffled training and a test part; the same for the same seed. None keeps the order.

        The order is that of `numpy.random.RandomState(seed)`, so that the book's files are split as in the book.
        """
        order = np.arange(len(self.questions))
        if seed is not None:
            old_generator(seed).shuffle(order)
        kept = len(order) - int(len(order) * share("held_out", held_out))
        first, second = order[:kept], order[kept:]
        return self._taken(first), self._taken(second)

    def _taken(self, rows: Ids) -> "Pairs":
        return Pairs(self.questions[rows], self.answers[rows], self.characters)


def read_pairs(path: str | os.PathLike[str]) -> Pairs:
    """Read pairs from a UTF-8 text file, one per line; errors are those of `Pairs.of`, or a missing file."""
    try:
        with open(path_of("path", path), encoding="utf-8", newline="\n") as file:
            lines = [line.rstrip("\r\n") for line in lines_within(file, path, DataError) if line.strip()]
    except FileNotFoundError as error:
        raise DataError(f"{path} does not exist") from error
    except IsADirectoryError as error:
        raise DataError(f"{path} is not a file, but a folder") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not UTF-8 text: {error}") from error
    return Pairs.of(lines, os.fspath(path))
