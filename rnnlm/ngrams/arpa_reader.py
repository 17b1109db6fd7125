"""Reading ARPA files (see `arpa.py`); every error names the line."""

import gzip
import os
import re
import zlib
from collections.abc import Sequence
from itertools import chain
from math import isnan, nan
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnlm.data.vocabulary import Vocabulary
from rnnlm.errors import DataError, ModelFileError
from rnnlm.ngrams.arpa import END, OURS, START, is_packed
from rnnlm.ngrams.arpa_lines import Lines, shown
from rnnlm.ngrams.arpa_section import Section
from rnnlm.ngrams.model import NGram, Table
from rnnlm.ngrams.unpacked import Unpacked
from rnnlm.opening import regular_file, size_of
from rnnlm.progress import bytes_bar, note

__all__ = ["read_arpa"]

COUNT = re.compile(rb"ngram\s+(\d{1,18})\s*=\s*(\d{1,18})")
SECTION = re.compile(rb"\\(\d{1,18})-grams:")


def read_arpa(path: str | os.PathLike[str]) -> tuple[NGram, Vocabulary]:
    """Read an ARPA file, compressed or not; returns the model and its words in the order of the file.

    Raises:
        ModelFileError: no such file, or a violation of the format, with the line's number.
    """
    try:
        opened = regular_file(path, ModelFileError)
    except FileNotFoundError as error:
        raise ModelFileError(f"{path} does not exist") from error
    with opened as file, bytes_bar(size_of(file)) as bar:
        packed = is_packed(path) or file.read(2) == b"\x1f\x8b"  # gzip's magic bytes
        file.seek(0)
        content: Any = Unpacked(path, file) if packed else file
        try:
            found = _Reader(Lines(path, content, lambda: bar.update(file.tell() - bar.n))).read()
            while packed and content.read(1 << 20):
                pass  # the checksum is at the end
            return found
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise ModelFileError(f"{path} is not a whole gzip file: {error}") from error


class _Reader:
    """State of reading a file.

    Attributes:
        ids: ids of the file's words; `<s>` has V.
        words: the words by our names.
        lines_of: line number of each of these words.
        tables: the orders that were read completely.
        last: the section of the last table, sorted by its keys.
    """

    def __init__(self, lines: Lines) -> None:
        self.lines, self.wrong = lines, lines.wrong
        self.ids: dict[bytes, int] = {}
        self.words: list[str] = []
        self.lines_of: dict[str, int] = {}
        self.tables: list[Table] = []
        self.last: Section | None = None

    def read(self) -> tuple[NGram, Vocabulary]:
        """Read the whole file."""
        if b"\\data\\" not in self.lines:  # skips to it: any text may come first
            raise ModelFileError(f"{self.lines.path} is not an ARPA file: it has no line \\data\\")
        counts, heading = self._counts()
        for n, (count, told) in enumerate(counts, 1):
            found = SECTION.fullmatch(heading)
            if found is None or int(found[1]) != n:
                self.wrong(f"\\{n}-grams: must stand here, got {shown(heading)}")
            begin = self.lines.number
            section = self._section(n, count, told)
            heading = self.lines.next()
            if n == 1:
                self._expect_marks()
            if len(section.lines) != count:
                self.wrong(f"there must be {count} {n}-grams, as line {told} says, got {len(section.lines)}")
            section.expect_numbers(self.wrong)
            self._take_words(section, begin) if n == 1 else self._take(self._without_stray(section))
        if heading != b"\\end\\":
            self.wrong(f"\\end\\ must stand here, got {shown(heading)}")
        self.tables[-1] = Table(self.tables[-1].keys, self.tables[-1].logprobs, np.zeros(0))
        try:
            vocabulary = Vocabulary(self.words)
        except DataError as error:
            raise ModelFileError(f"{self.lines.path}: {error}") from error
        return NGram(self.tables, len(self.words), self.ids[END.encode()]), vocabulary

    def _counts(self) -> tuple[list[tuple[int, int]], bytes]:
        """Read the header; returns for each order the number of n-grams and the line with it, and the next line."""
        counts: list[tuple[int, int]] = []
        while (line := self.lines.next()).startswith(b"ngram"):
            found = COUNT.fullmatch(line)
            if found is None or int(found[1]) != len(counts) + 1:
                self.wrong(f"'ngram {len(counts) + 1}=' and how many there are must stand here, got {shown(line)}")
            counts.append((int(found[2]), self.lines.number))
        if not counts:
            self.wrong(f"'ngram 1=' and how many there are must stand here, got {shown(line)}")
        return counts, line

    def _section(self, n: int, count: int, told: int) -> Section:
        """Read the n-grams of the next order: `count` of them, according to line `told`."""
        parts, found = [], 0
        for rows, numbers in self.lines.before_a_heading():
            found += len(rows)
            if found > count:
                self.wrong(f"there must be {count} {n}-grams, as line {told} says, got more")
            if n == 1:
                self._learn_words(rows, numbers)
            if rows:  # none for high orders of a short text
                parts.append(self._alike(rows, numbers, n) or self._one_by_one(rows, numbers, n))
        return Section.joined(parts, n)

    def _learn_words(self, rows: list[list[bytes]], numbers: Sequence[int]) -> None:
        """Assign ids to words, in the order of the file; `<s>` has -1 until the number of words is known."""
        for row, number in zip(rows, numbers):
            if len(row) not in (2, 3):
                self._row(row, number, 1)
            name = row[1]
            if name in self.ids:
                self.wrong(f"{shown(name)} is there twice", number)
            self.ids[name] = len(self.words) if name != START.encode() else -1
            if name == START.encode():
                continue
            word = self._decoded(name, number)
            if self.lines_of.setdefault(word, number) != number:
                self.wrong(f"{shown(name)} is {word!r} here, as in line {self.lines_of[word]}", number)
            self.words.append(word)

    def _decoded(self, name: bytes, number: int) -> str:
        """Return a word by our name."""
        try:
            return OURS.get(name.decode(), name.decode())
        except UnicodeDecodeError as error:
            self.wrong(f"{name!r} is not UTF-8: {error.reason}", number)

    def _expect_marks(self) -> None:
        """Check that `<s>` and `</s>` are among the words."""
        for needed in (START, END):
            if needed.encode() not in self.ids:
                self.wrong(f"{needed} must be among the 1-grams before this line, and is not")
        self.ids[START.encode()] = len(self.words)

    def _alike(self, rows: list[list[bytes]], numbers: Sequence[int], n: int) -> Section | None:
        """Parse n-grams of which all or none have back-offs, column by column, which is faster. Returns None if some
        have them or any line is invalid."""
        widths = set(map(len, rows))
        if widths not in ({n + 1}, {n + 2}):
            return None
        flat, width = list(chain.from_iterable(rows)), len(rows[0])
        columns = [flat[i::width] for i in range(width)]
        try:
            ids = np.array([[self.ids[word] for word in column] for column in columns[1 : n + 1]]).T
            logprobs = np.array([float(log) for log in columns[0]])
            backoffs = np.array([float(log) for log in columns[n + 1]] if width == n + 2 else [])
        except (KeyError, ValueError):
            return None
        if width == n + 1:
            backoffs = np.full(len(rows), nan)
        elif np.isnan(backoffs).any():
            return None
        return Section(logprobs, backoffs, ids, np.array(numbers))

    def _one_by_one(self, rows: list[list[bytes]], numbers: Sequence[int], n: int) -> Section:
        """Parse n-grams of which some have back-offs, or raise the error for the first invalid line."""
        logs, ids, backoffs = zip(*(self._row(row, number, n) for row, number in zip(rows, numbers)))
        return Section(np.array(logs), np.array(backoffs), np.array(ids), np.array(numbers))

    def _row(self, fields: list[bytes], number: int, n: int) -> tuple[float, list[int], float]:
        """Return log probability, word ids and back-off of a line; NaN for a missing back-off."""
        if not n + 1 <= len(fields) <= n + 2:
            line = b"\t".join(fields)
            self.wrong(f"a logarithm, {n} words and perhaps a back-off must stand here, got {shown(line)}", number)
        try:
            logprob, backoff = float(fields[0]), float(fields[n + 1]) if len(fields) == n + 2 else nan
        except ValueError as error:
            self.wrong(f"a logarithm must be a number: {error}", number)
        if isnan(backoff) and len(fields) == n + 2:
            self.wrong("a back-off must be a number, got nan", number)
        try:
            return logprob, [self.ids[word] for word in fields[1 : n + 1]], backoff
        except KeyError as error:
            self.wrong(f"{shown(error.args[0])} is not among the 1-grams", number)

    # ------------------------------------------------------------------ tables

    def _take_words(self, section: Section, begin: int) -> None:
        """Build the table of words; their section begins in line `begin`."""
        section.ids[section.ids < 0] = len(self.words)
        section.expect_base_10(len(self.words), str(self.lines.path), begin, self.wrong)
        section = section.chosen(np.argsort(section.ids[:, 0]))
        self._own(section, section.ids[:, 0])
        self.tables[0].logprobs[-1] = -np.inf  # <s> is never predicted

    def _without_stray(self, section: Section) -> Section:
        """Return the section without n-grams that no line can contain: `<s>` after a word, or a word after `</s>`."""
        start, end = self.ids[START.encode()], self.ids[END.encode()]
        stray = (section.ids[:, 1:] == start).any(axis=1) | (section.ids[:, :-1] == end).any(axis=1)
        if not stray.any():
            return section
        note(f"{self.lines.path}: left out {stray.sum():,} n-grams with {START} after a word or a word after {END}")
        return section.chosen(np.flatnonzero(~stray))

    def _take(self, section: Section) -> None:
        """Build the table of the next order, after checking that the contexts of all n-grams exist."""
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
            told = f"{self._shown_ids(section.ids[place])} is there twice, first in line {section.lines[place - 1]}"
            self.wrong(told, int(section.lines[place]))
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
        """Add a section, sorted by its keys, as the next table."""
        self.tables.append(section.table(keys))
        self.last = section

    def _shown_ids(self, ids: NDArray[np.int64]) -> str:
        names = [*self.words, START]
        return repr(" ".join(names[i] for i in ids.tolist()))
