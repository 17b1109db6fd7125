"""Lines of an ARPA file with their numbers, one by one or in blocks."""

import os
from codecs import BOM_UTF8
from collections.abc import Callable, Iterator, Sequence
from itertools import repeat
from typing import IO, NoReturn

from rnnlm.errors import ModelFileError
from rnnlm.opening import LONGEST_LINE

__all__ = ["Lines", "shown"]

READ = 1 << 14  # bytes at once: what is computed from them stays in the cache


class Lines:
    """Reads a file once, from beginning to end.

    Args:
        path: path of the file, for errors.
        file: the open file.
        advance: called after each read.
    """

    def __init__(self, path: str | os.PathLike[str], file: IO[bytes], advance: Callable[[], object]) -> None:
        self.path, self.file, self.advance = path, file, advance
        self._before = 0  # lines before the current block
        self._at_hand: list[bytes] = []
        self._taken = 0  # lines of the block that were returned

    @property
    def number(self) -> int:
        """Number of the last line returned, from 1."""
        return self._before + self._taken

    def wrong(self, why: str, number: int | None = None) -> NoReturn:
        """Raise the error for a line (default: the last one returned)."""
        raise ModelFileError(f"{self.path}, line {self.number if number is None else number}: {why}")

    def __iter__(self) -> Iterator[bytes]:
        """Yield the lines that are not blank, stripped."""
        while self._fill():
            line = self._at_hand[self._taken].strip()
            self._taken += 1
            if line:
                yield line

    def next(self) -> bytes:
        """Return the next line that is not blank.

        Raises:
            ModelFileError: the file ends here.
        """
        line = next(iter(self), None)
        if line is None:
            self.wrong("the file ends after it, without \\end\\: it was cut short")
        return line

    def before_a_heading(self) -> Iterator[tuple[list[list[bytes]], Sequence[int]]]:
        """Yield the fields of the lines up to the next one that begins with a backslash, in blocks, and the lines'
        numbers. Blank lines are left out."""
        while self._fill():
            block = self._at_hand[self._taken :]
            headings = list(map(bytes.startswith, block, repeat(b"\\")))
            if True in headings:
                block = block[: headings.index(True)]
            if not block:
                return
            rows = list(map(bytes.split, block))
            numbers: Sequence[int] = range(self.number + 1, self.number + 1 + len(block))
            self._taken += len(block)
            if [] in rows:  # blank lines
                numbers = [number for number, row in zip(numbers, rows) if row]
                rows = [row for row in rows if row]
            yield rows, numbers

    def _fill(self) -> bool:
        """Make sure that a line is available; returns False at the end of the file."""
        if self._taken == len(self._at_hand):
            more = self._more()
            if not more:
                return False
            self._before, self._at_hand, self._taken = self.number, more, 0
            if not self._before:
                self._at_hand[0] = self._at_hand[0].removeprefix(BOM_UTF8)
            self.advance()
        return True

    def _more(self) -> list[bytes]:
        """Return the lines of the next `READ` bytes or so, without line ends; an empty list at the end of the file."""
        content = self.file.read(READ)
        if content and not content.endswith(b"\n"):
            content += self.file.readline(LONGEST_LINE)
            last = content.rfind(b"\n", 0, -1) + 1  # where the line begins that was completed, if it is not too long
            if len(content) - last > LONGEST_LINE:
                line = self.number + content.count(b"\n", 0, last) + 1
                self.wrong(f"a line must have at most {LONGEST_LINE:,} bytes", line)
        return content.removesuffix(b"\n").split(b"\n") if content else []


def shown(line: bytes) -> str:
    """Return the beginning of a line, for errors."""
    return repr(line.decode(errors="replace")[:80])
