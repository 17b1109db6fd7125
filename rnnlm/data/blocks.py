"""Ids of a file in blocks, each with a CRC-32: a block is checked when some of it is read for the first time.

A CRC-32 finds each change of up to three bits of a block and each burst of up to 32, misses one in four billion
others, and takes the least time of what Python's library has. It is against damage: whoever means to deceive writes
another file.
"""

import os
import sys
import weakref
from collections.abc import Callable
from threading import Lock
from typing import BinaryIO
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from rnnlm.errors import DataError

__all__ = ["BLOCK", "Blocks", "Checks", "OpenFile"]

BLOCK = 1 << 16  # bytes: small beside what is read of a text, large beside a check's four bytes


class Checks:
    """The CRC-32 of each block of bytes that come in pieces."""

    def __init__(self) -> None:
        self._whole: list[int] = []
        self._last, self._filled = 0, 0  # of the block that is not full yet

    def add(self, content: bytes) -> None:
        """Take more bytes into account."""
        rest = memoryview(content)
        while rest:
            part = rest[: BLOCK - self._filled]
            self._last, self._filled = crc32(part, self._last), self._filled + len(part)
            if self._filled == BLOCK:
                self._whole.append(self._last)
                self._last, self._filled = 0, 0
            rest = rest[len(part) :]

    def array(self) -> NDArray[np.uint32]:
        """(blocks,), the last of which may be a part of one."""
        return np.array([*self._whole, *([self._last] if self._filled else [])], "<u4")


class Blocks:
    """What of a file has been checked.

    Args:
        begin, end: the bytes of the file that are in blocks.
        checks: (blocks,) of each.
    """

    def __init__(self, begin: int, end: int, checks: NDArray[np.uint32]) -> None:
        self.begin, self.end, self.checks = begin, end, checks
        self._seen = bytearray(len(checks))

    def damaged(self, place: int, content: bytes, read: Callable[[int, int], bytes]) -> range | None:
        """Where a block lies that is not as it was written, if there is one of which some was read for the first time.

        Args:
            place: where `content` was read from.
            content: what was read.
            read: reads from a place so many bytes: the rest of a block.
        """
        first, last = (place - self.begin) // BLOCK, (place + len(content) - self.begin - 1) // BLOCK
        while (number := self._seen.find(0, first, last + 1)) >= 0:
            begin = self.begin + number * BLOCK
            end = min(begin + BLOCK, self.end)
            inside = place <= begin and end <= place + len(content)
            block = memoryview(content)[begin - place : end - place] if inside else read(begin, end - begin)
            if crc32(block) != self.checks[number]:
                return range(begin, end)
            self._seen[number] = 1
        return None


class OpenFile:
    """A file that is open as long as anyone has this, and what of it has been checked."""

    def __init__(self, name: str, file: BinaryIO) -> None:
        self.name, self.number, self._lock = name, os.dup(file.fileno()), Lock()
        self.blocks: Blocks | None = None  # which a file of the first format has not
        weakref.finalize(self, os.close, self.number)

    def read(self, place: int, length: int) -> bytes:
        """So many bytes from a place on, in one call of the system unless that gives less."""
        content = self._some(place, length)
        while len(content) < length:  # a system may give less than it is asked for, nothing only at the end
            more = self._some(place + len(content), length - len(content))
            if not more:
                raise DataError(
                    f"{self.name} must have at least {place + length:,} bytes, got {place + len(content):,}: it was "
                    "cut short after it was opened; copy it or encode the text anew"
                )
            content += more
        return content

    def _some(self, place: int, length: int) -> bytes:
        """At most so many bytes from a place on, for any thread."""
        if sys.platform == "win32":
            with self._lock:  # which can't read without moving the place that all threads share
                os.lseek(self.number, place, os.SEEK_SET)
                content = os.read(self.number, length)
        else:
            content = os.pread(self.number, length, place)
        return content

    def expect_whole(self, place: int, content: bytes) -> None:
        """Check the blocks that bytes which were read from a place are part of, unless they have been before."""
        damage = None if self.blocks is None else self.blocks.damaged(place, content, self.read)
        if damage is not None:
            raise DataError(
                f"{self.name} is damaged: its bytes {damage.start:,} to {damage.stop - 1:,} are not those that were "
                "written; copy it or encode the text anew"
            )
