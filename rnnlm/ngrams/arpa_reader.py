"""Reading ARPA files, which `arpa.py` describes, with the line in every error."""

import gzip
import os
import re
import zlib
from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import e, isnan, nan
from pathlib import Path
from typing import IO, Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from rnnlm.data.vocabulary import Vocabulary
from rnnlm.errors import DataError, ModelFileError
from rnnlm.ngrams.arpa import END, OURS, START, TEN, ZERO, is_packed
from rnnlm.ngrams.model import NGram, Table
from rnnlm.progress import bytes_bar, say

__all__ = ["read_arpa"]

COUNT = re.compile(rb"ngram\s+(\d{1,18})\s*=\s*(\d{1,18})")
SECTION = re.compile(rb"\\(\d{1,18})-grams:")
TOLD = 1 << 16  # lines after which the bar moves


def read_arpa(path: str | os.PathLike[str]) -> tuple[NGram, Vocabulary]:
    """Read an ARPA file, compressed if its name ends with .gz: the model, and its words in the order of the file.

    Raises:
        ModelFileError: no such file, or one that breaks a rule of the format, with the number of the line.
    """
    if not Path(path).is_file():
        raise ModelFileError(f"{path} {'is not a file' if Path(path).exists() else 'does not exist'}")
    with open(path, "rb") as file, bytes_bar(os.fstat(file.fileno()).st_size) as bar:
        content: Any = gzip.GzipFile(fileobj=file) if is_packed(path) else file
        try:
            found = _Reader(path, content, lambda: bar.update(file.tell() - bar.n)).read()
            while is_packed(path) and content.read(1 << 20):
                pass  # to its end, where its checksum is
            return found
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise ModelFileError(f"{path} is not a whole gzip file: {error}") from error


@dataclass
class _Section:
    """The n-grams of one order as the file has them, and the numbers of their lines.

    Attributes:
        logprobs, backoffs: (entries,) to base 10; NaN for a back-off that is not there.
        ids: (entries, n).
        numbers: (entries,).
    """

    logprobs: NDArray[np.float64]
    backoffs: NDArray[np.float64]
    ids: NDArray[np.int64]
    numbers: NDArray[np.int64]

    def chosen(self, places: NDArray[np.integer]) -> "_Section":
        """Some of them, in this order."""
        return _Section(self.logprobs[places], self.backoffs[places], self.ids[places], self.numbers[places])


class _Reader:
    """Goes over a file once.

    Attributes:
        number: of the line that was read last.
        ids: of words as the file has them; `<s>` has V.
        words: as a vocabulary has them.
        tables: those that are whole, all but their back-offs.
        last: the section of the last of them, in its order.
    """

    def __init__(self, path: str | os.PathLike[str], file: IO[bytes], advance: Callable[[], object]) -> None:
        self.path, self.file, self.advance = path, file, advance
        self.number = 0
        self.ids: dict[bytes, int] = {}
        self.words: list[str] = []
        self.tables: list[Table] = []
        self.last: _Section | None = None
        self.lines = self._lines()

    def wrong(self, why: str, number: int | None = None) -> NoReturn:
        """Raise the error for a line, the last one that was read unless another is named."""
        raise ModelFileError(f"{self.path}, line {self.number if number is None else number}: {why}")

    def _lines(self) -> Iterator[bytes]:
        """All lines but blank ones, without blanks around them."""
        for number, line in enumerate(self.file, 1):
            if stripped := line.strip():
                self.number = number
                if number % TOLD == 0:
                    self.advance()
                yield stripped

    def _line(self) -> bytes:
        line = next(self.lines, None)
        if line is None:
            self.wrong("the file ends after it, without \\end\\: it was cut short")
        return line

    def read(self) -> tuple[NGram, Vocabulary]:
        """The whole file."""
        for line in self.lines:  # anything may stand before
            if line == b"\\data\\":
                break
        else:
            raise ModelFileError(f"{self.path} is not an ARPA file: it has no line \\data\\")
        counts, line = self._counts()
        for n, (count, told) in enumerate(counts, 1):
            found = SECTION.fullmatch(line)
            if found is None or int(found[1]) != n:
                self.wrong(f"\\{n}-grams: must stand here, got {_shown(line)}")
            begin = self.number
            section, line = self._unigrams() if n == 1 else self._ngrams(n)
            if len(section.numbers) != count:
                self.wrong(f"there must be {count} {n}-grams, as line {told} says, got {len(section.numbers)}")
            self._expect_numbers(section)
            if n == 1:
                self._expect_base_10(section, begin)
                section = section.chosen(np.argsort(section.ids[:, 0]))
                self._own(section, section.ids[:, 0])
            else:
                self._take(self._without_stray(section))
        if line != b"\\end\\":
            self.wrong(f"\\end\\ must stand here, got {_shown(line)}")
        self.tables[-1] = Table(self.tables[-1].keys, self.tables[-1].logprobs, np.zeros(0))
        try:
            vocabulary = Vocabulary(self.words)
        except DataError as error:
            raise ModelFileError(f"{self.path}: {error}") from error
        return NGram(self.tables, len(self.words), self.ids[END.encode()]), vocabulary

    def _counts(self) -> tuple[list[tuple[int, int]], bytes]:
        """How many n-grams of each order there are to be, with the lines that say it; and the line after them."""
        counts: list[tuple[int, int]] = []
        while (line := self._line()).startswith(b"ngram"):
            found = COUNT.fullmatch(line)
            if found is None or int(found[1]) != len(counts) + 1:
                self.wrong(f"'ngram {len(counts) + 1}=' and how many there are must stand here, got {_shown(line)}")
            counts.append((int(found[2]), self.number))
        if not counts:
            self.wrong(f"'ngram 1=' and how many there are must stand here, got {_shown(line)}")
        return counts, line

    def _unigrams(self) -> tuple[_Section, bytes]:
        """The words, which get their numbers; and the line after them."""
        rows: list[tuple[float, float, int]] = []
        names: list[bytes] = []
        while not (line := self._line()).startswith(b"\\"):
            logprob, words, backoff = self._fields(line, 1)
            rows.append((logprob, backoff, self.number))
            if words[0] in self.ids:
                self.wrong(f"{_shown(words[0])} is there twice")
            self.ids[words[0]] = -1
            names.append(words[0])
            if words[0] != START.encode():
                self.words.append(self._decoded(words[0]))
        for needed in (START, END):
            if needed.encode() not in self.ids:
                self.wrong(f"{needed} must be among the 1-grams before this line, and is not")
        self.ids = {name: i for i, name in enumerate(name for name in names if name != START.encode())}
        self.ids[START.encode()] = len(self.words)
        logprobs, backoffs, numbers = (np.array(column) for column in zip(*rows))
        return _Section(logprobs, backoffs, np.array([self.ids[name] for name in names])[:, None], numbers), line

    def _decoded(self, word: bytes) -> str:
        """A word as our vocabularies have it."""
        try:
            return OURS.get(word.decode(), word.decode())
        except UnicodeDecodeError as error:
            self.wrong(f"{word!r} is not UTF-8: {error.reason}")

    def _ngrams(self, n: int) -> tuple[_Section, bytes]:
        """The n-grams of an order, and the line after them."""
        logprobs, backoffs, ids, numbers = array("d"), array("d"), array("q"), array("q")
        known = self.ids
        while not (line := self._line()).startswith(b"\\"):
            logprob, words, backoff = self._fields(line, n)
            try:
                ids.extend([known[word] for word in words])
            except KeyError as error:
                self.wrong(f"{_shown(error.args[0])} is not among the 1-grams")
            logprobs.append(logprob)
            backoffs.append(backoff)
            numbers.append(self.number)
        return _Section(
            np.array(logprobs), np.array(backoffs), np.array(ids, np.int64).reshape(-1, n), np.array(numbers, np.int64)
        ), line

    def _fields(self, line: bytes, n: int) -> tuple[float, list[bytes], float]:
        """Logarithm, words and back-off of a line; NaN for a back-off that is not there."""
        fields = line.split()
        if not n + 1 <= len(fields) <= n + 2:
            self.wrong(f"a logarithm, {n} words and perhaps a back-off must stand here, got {_shown(line)}")
        try:
            backoff = float(fields[-1]) if len(fields) == n + 2 else nan
            if isnan(backoff) and len(fields) == n + 2:
                self.wrong("a back-off must be a number, got nan")
            return float(fields[0]), fields[1 : n + 1], backoff
        except ValueError as error:
            self.wrong(f"a logarithm must be a number: {error}")

    def _expect_numbers(self, section: _Section) -> None:
        """Check that probabilities are at most 1, and back-offs finite."""
        for name, values, bad in (
            ("a log10 probability must be a number of at most 0", section.logprobs, ~(section.logprobs <= 1e-6)),
            ("a back-off must be finite", section.backoffs, np.isposinf(section.backoffs)),
        ):
            if bad.any():
                place = int(bad.argmax())
                self.wrong(f"{name}, got {values[place]:g}", int(section.numbers[place]))

    def _expect_base_10(self, section: _Section, begin: int) -> None:
        """Check that the probabilities of all words sum to 1, as logarithms to base 10 have it."""
        words = section.ids[:, 0] < len(self.words)
        total, *others = (float(np.sum(base ** section.logprobs[words])) for base in (10, e, 2))
        if 0.9 <= total <= 1.01:
            return
        hint = "".join(f"; to base {name} they do" for name, s in zip(("e", "2"), others) if 0.99 <= s <= 1.01)
        self.wrong(
            f"logarithms must be to base 10, and so the probabilities of all words sum to 1, got {total:.4g}{hint}",
            begin,
        )

    def _without_stray(self, section: _Section) -> _Section:
        """The section without what no line ever has: `<s>` after a word, a word after `</s>`."""
        start, end = self.ids[START.encode()], self.ids[END.encode()]
        stray = (section.ids[:, 1:] == start).any(axis=1) | (section.ids[:, :-1] == end).any(axis=1)
        if not stray.any():
            return section
        say(f"{self.path}: left out {stray.sum():,} n-grams with {START} after a word or a word after {END}")
        return section.chosen(np.flatnonzero(~stray))

    def _take(self, section: _Section) -> None:
        """Make a table of the n-grams of the next order, and check that what they begin with is there."""
        size, contexts = len(self.words) + 1, section.ids[:, 0]
        for k, table in enumerate(self.tables, 1):
            if k > 1:
                contexts = table.find(contexts * size + section.ids[:, k - 1])
            if (contexts < 0).any():
                place = int((contexts < 0).argmax())
                context = self._shown_ids(section.ids[place, :k])
                self.wrong(f"{context}, which it begins with, is not among the {k}-grams", int(section.numbers[place]))
        self._expect_backoffs(contexts)
        keys = contexts * size + section.ids[:, -1]
        order = np.argsort(keys, kind="stable")
        section, keys = section.chosen(order), keys[order]
        if (twice := keys[1:] == keys[:-1]).any():
            place = int(twice.argmax()) + 1
            first = section.numbers[place - 1]
            self.wrong(
                f"{self._shown_ids(section.ids[place])} is there twice, first in line {first}",
                int(section.numbers[place]),
            )
        self._own(section, keys)

    def _expect_backoffs(self, contexts: NDArray[np.int64]) -> None:
        """Check that each of the contexts has a back-off."""
        assert self.last is not None
        missing = np.isnan(self.last.backoffs[contexts])
        if missing.any():
            place = int(contexts[missing.argmax()])
            begins = f"{self._shown_ids(self.last.ids[place])} begins longer n-grams, and must have a back-off"
            self.wrong(f"{begins}: 0, if nothing is to be lowered", int(self.last.numbers[place]))

    def _own(self, section: _Section, keys: NDArray[np.int64]) -> None:
        """Take a section, in the order of its keys, as the next table."""
        logs = (section.logprobs, np.where(np.isnan(section.backoffs), 0.0, section.backoffs))
        logprobs, backoffs = (np.where(log <= ZERO, -np.inf, log * TEN) for log in logs)
        if not self.tables:
            logprobs[-1] = -np.inf  # <s> is never predicted
        self.tables.append(Table(keys, logprobs, backoffs))
        self.last = section

    def _shown_ids(self, ids: NDArray[np.int64]) -> str:
        names = [*self.words, START]
        return repr(" ".join(names[i] for i in ids.tolist()))


def _shown(line: bytes) -> str:
    """The beginning of a line, to be told."""
    return repr(line.decode(errors="replace")[:80])
