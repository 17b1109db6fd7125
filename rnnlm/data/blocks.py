"""Reading ids from a file in blocks with CRC-32 checksums; a block is verified when part of it is first read.

A CRC-32 detects all changes of up to three bits in a block and all bursts of up to 32 bits, misses one other change
in four billion, and is the fastest checksum in Python's library. It protects against damage, not against forgery.
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

BLOCK = 1 << 16  # bytes: small beside what is usually read, large beside a checksum's four bytes


class Checks:
    """CRC-32 of each block of a byte stream that comes in pieces."""

    def __init__(self) -> None:
        self._whole: list[int] = []
        self._last, self._filled = 0, 0  # of the incomplete block

    def add(self, content: bytes) -> None:
        """Add more bytes."""
        rest = memoryview(content)
        while rest:
            part = rest[: BLOCK - self._filled]
            self._last, self._filled = crc32(part, self._last), self._filled + len(part)
            if self._filled == BLOCK:
                self._whole.append(self._last)
                self._last, self._filled = 0, 0
            rest = rest[len(part) :]

    def array(self) -> NDArray[np.uint32]:
        """Return the checksums (blocks,); the last one may be of an incomplete block."""
        return np.array([*self._whole, *([self._last] if self._filled else [])], "<u4")


class Blocks:
    """Which blocks of a file have been verified.

    Args:
        begin, end: range of the file's bytes that is in blocks.
        checks: (blocks,) CRC-32 of each block.
    """

    def __init__(self, begin: int, end: int, checks: NDArray[np.uint32]) -> None:
        self.begin, self.end, self.checks = begin, end, checks
        self._seen = bytearray(len(checks))

    def damaged(self, place: int, content: bytes, read: Callable[[int, int], bytes]) -> range | None:
        """Verify the blocks that were not read before; returns the byte range of the first damaged one, or None.

        Args:
            place: offset that `content` was read from.
            content: the bytes read.
            read: `read(place, length)` returns bytes of the file, for the rest of a block.
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
    """A file that stays open as long as this object lives, with its verified blocks."""

    def __init__(self, name: str, file: BinaryIO) -> None:
        self.name, self.number, self._lock = name, os.dup(file.fileno()), Lock()
        self.blocks: Blocks | None = None  # None: format 1 has no checksums
        weakref.finalize(self, os.close, self.number)

    def read(self, place: int, length: int) -> bytes:
        """Read `length` bytes from offset `place`."""
        content = self._some(place, length)
        while len(content) < length:  # a read may return less than asked for, nothing only at the end
            more = self._some(place + len(content), length - len(content))
            if not more:
                raise DataError(
                    f"{self.name} must have at least {place + length:,} bytes, got {place + len(content):,}: it was "
                    "cut short after it was opened; copy it or encode the text anew"
                )
            content += more
        return content

    def _some(self, place: int, length: int) -> bytes:
        """Read at most `length` bytes from offset `place`; safe with threads."""
        if sys.platform == "win32":
            with self._lock:  # reading here moves the offset that all threads share
                os.lseek(self.number, place, os.SEEK_SET)
                content = os.read(self.number, length)
        else:
            content = os.pread(self.number, length, place)
        return content

    def expect_whole(self, place: int, content: bytes) -> None:
        """Verify the blocks that contain these bytes, unless they were verified before."""
        damage = None if self.blocks is None else self.blocks.damaged(place, content, self.read)
        if damage is not None:
            raise DataError(
                f"{self.name} is damaged: its bytes {damage.start:,} to {damage.stop - 1:,} are not those that were "
                "written; copy it or encode the text anew"
            )
