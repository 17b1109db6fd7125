"""Reading ARPA files, which `arpa.py` describes, with the line in every error."""

import gzip
import os
import re
import zlib
from array import array
from codecs import BOM_UTF8
from collections.abc import Callable, Iterator
from math import isnan, nan
from pathlib import Path
from typing import IO, Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from rnnlm.data.vocabulary import Vocabulary
from rnnlm.errors import DataError, ModelFileError
from rnnlm.ngrams.arpa import END, OURS, START, is_packed
from rnnlm.ngrams.arpa_section import Section
from rnnlm.ngrams.model import NGram, Table
from rnnlm.progress import bytes_bar, note

__all__ = ["read_arpa"]

COUNT = re.compile(rb"ngram\s+(\d{1,18})\s*=\s*(\d{1,18})")
SECTION = re.compile(rb"\\(\d{1,18})-grams:")
TOLD = 1 << 16  # lines after which the bar moves


def read_arpa(path: str | os.PathLike[str]) -> tuple[NGram, Vocabulary]:
    """Read an ARPA file, compressed if its name ends with .gz: the model, and its words in the order of the file.

    Raises:
        ModelFileError: no such file, or one that breaks a rule of the format, with the number of the line.
    """
    if not Path(path).exists() or Path(path).is_dir():
        raise ModelFileError(f"{path} {'is a folder' if Path(path).exists() else 'does not exist'}")
    with open(path, "rb") as file, bytes_bar(os.fstat(file.fileno()).st_size) as bar:
        packed = is_packed(path) or file.peek(2)[:2] == b"\x1f\x8b"  # its magic bytes
        content: Any = gzip.GzipFile(fileobj=file) if packed else file
        try:
            found = _Reader(path, content, lambda: bar.update(file.tell() - bar.n)).read()
            while packed and content.read(1 << 20):
                pass  # to its end, where its checksum is
            return found
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise ModelFileError(f"{path} is not a whole gzip file: {error}") from error


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
        self.last: Section | None = None
        self.lines = self._lines()

    def wrong(self, why: str, number: int | None = None) -> NoReturn:
        """Raise the error for a line, the last one that was read unless another is named."""
        raise ModelFileError(f"{self.path}, line {self.number if number is None else number}: {why}")

    def _lines(self) -> Iterator[bytes]:
        """All lines but blank ones, without blanks around them."""
        for number, line in enumerate(self.file, 1):
            if stripped := line.removeprefix(BOM_UTF8 if number == 1 else b"").strip():
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
            if len(section.lines) != count:
                self.wrong(f"there must be {count} {n}-grams, as line {told} says, got {len(section.lines)}")
            section.expect_numbers(self.wrong)
            if n == 1:
                section.expect_base_10(len(self.words), str(self.path), begin, self.wrong)
                section = section.chosen(np.argsort(section.ids[:, 0]))
                self._own(section, section.ids[:, 0])
                self.tables[0].logprobs[-1] = -np.inf  # <s> is never predicted
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

    def _unigrams(self) -> tuple[Section, bytes]:
        """The words, which get their numbers; and the line after them."""
        rows: list[tuple[float, float, int]] = []
        names: list[bytes] = []
        taken: dict[str, int] = {}  # in which line each word is
        while not (line := self._line()).startswith(b"\\"):
            logprob, words, backoff = self._fields(line, 1)
            rows.append((logprob, backoff, self.number))
            if words[0] in self.ids:
                self.wrong(f"{_shown(words[0])} is there twice")
            self.ids[words[0]] = -1
            names.append(words[0])
            if words[0] != START.encode():
                self.words.append(self._decoded(words[0]))
                if taken.setdefault(self.words[-1], self.number) != self.number:
                    self.wrong(f"{_shown(words[0])} is {self.words[-1]!r} here, as in line {taken[self.words[-1]]}")
        for needed in (START, END):
            if needed.encode() not in self.ids:
                self.wrong(f"{needed} must be among the 1-grams before this line, and is not")
        self.ids = {name: i for i, name in enumerate(name for name in names if name != START.encode())}
        self.ids[START.encode()] = len(self.words)
        logprobs, backoffs, numbers = (np.array(column) for column in zip(*rows))
        return Section(logprobs, backoffs, np.array([self.ids[name] for name in names])[:, None], numbers), line

    def _decoded(self, word: bytes) -> str:
        """A word as our vocabularies have it."""
        try:
            return OURS.get(word.decode(), word.decode())
        except UnicodeDecodeError as error:
            self.wrong(f"{word!r} is not UTF-8: {error.reason}")

    def _ngrams(self, n: int) -> tuple[Section, bytes]:
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
        return Section(
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

    def _without_stray(self, section: Section) -> Section:
        """The section without what no line ever has: `<s>` after a word, a word after `</s>`."""
        start, end = self.ids[START.encode()], self.ids[END.encode()]
        stray = (section.ids[:, 1:] == start).any(axis=1) | (section.ids[:, :-1] == end).any(axis=1)
        if not stray.any():
            return section
        note(f"{self.path}: left out {stray.sum():,} n-grams with {START} after a word or a word after {END}")
        return section.chosen(np.flatnonzero(~stray))

    def _take(self, section: Section) -> None:
        """Make a table of the n-grams of the next order, and check that what they begin with is there."""
        size, contexts = len(self.words) + 1, section.ids[:, 0]
        for k, table in enumerate(self.tables, 1):
            if k > 1:
                contexts = table.find(contexts * size + section.ids[:, k - 1])
            if (contexts < 0).any():
                place = int((contexts < 0).argmax())
                context = self._shown_ids(section.ids[place, :k])
                self.wrong(f"{context}, which it begins with, is not among the {k}-grams", int(section.lines[place]))
        self._expect_backoffs(contexts)
        keys = contexts * size + section.ids[:, -1]
        order = np.argsort(keys, kind="stable")
        section, keys = section.chosen(order), keys[order]
        if (twice := keys[1:] == keys[:-1]).any():
            place = int(twice.argmax()) + 1
            first = section.lines[place - 1]
            self.wrong(
                f"{self._shown_ids(section.ids[place])} is there twice, first in line {first}",
                int(section.lines[place]),
            )
        self._own(section, keys)

    def _expect_backoffs(self, contexts: NDArray[np.int64]) -> None:
        """Check that each of the contexts has a back-off."""
        assert self.last is not None
        missing = np.isnan(self.last.backoffs[contexts])
        if missing.any():
            place = int(contexts[missing.argmax()])
            begins = f"{self._shown_ids(self.last.ids[place])} begins longer n-grams, and must have a back-off"
            self.wrong(f"{begins}: 0, if nothing is to be lowered", int(self.last.lines[place]))

    def _own(self, section: Section, keys: NDArray[np.int64]) -> None:
        """Take a section, in the order of its keys, as the next table."""
        self.tables.append(section.table(keys))
        self.last = section

    def _shown_ids(self, ids: NDArray[np.int64]) -> str:
        names = [*self.words, START]
        return repr(" ".join(names[i] for i in ids.tolist()))


def _shown(line: bytes) -> str:
    """The beginning of a line, to be told."""
    return repr(line.decode(errors="replace")[:80])
