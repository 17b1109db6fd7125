"""Sources of token ids: an array, a file, or a memory map."""

import mmap
import os
import sys
from abc import abstractmethod
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, BinaryIO, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rnnlm.data.blocks import Blocks, OpenFile
from rnnlm.data.ids import HIGH, expect_read, expect_words, ids_of
from rnnlm.data.tokens import Tokens, read_rows, read_window

__all__ = ["InFile", "InMemory", "Mapped", "Unread", "tokens_of"]

if TYPE_CHECKING:
    from rnnlm.backend import Array


def tokens_of(name: str, ids: ArrayLike | Tokens) -> Tokens:
    """Return ids that a caller passed as `Tokens`.

    Args:
        name: name of the argument, for errors.
        ids: (tokens,): `Tokens`, a list, a memory map, or an array of NumPy or the backend.

    Raises:
        InputError: not a list of whole numbers.
    """
    if isinstance(ids, Tokens):
        return ids
    array = ids_of(name, ids)
    return Mapped.of(ids) if isinstance(ids, np.memmap) else InMemory(name, array)


class InMemory(Tokens):
    """Ids in an array (tokens,) on the host."""

    def __init__(self, name: str, ids: NDArray[np.integer]) -> None:
        self.name, self.ids, self.dtype = name, ids, ids.dtype
        self._resident: Array | None = None  # a copy on the backend, made for the first window

    def __len__(self) -> int:
        return len(self.ids)

    def part(self, begin: int, end: int) -> "InMemory":
        """Return a slice of the array."""
        return InMemory(self.name, self.ids[begin:end])

    def within(self, low: int, high: int) -> "InMemory":
        """Check all ids at once; returns self."""
        expect_words(self.name, self.ids, high, low)
        return self

    def read(self, begin: int, end: int) -> NDArray[np.integer]:
        """Return a slice of the array, which `within` has checked."""
        return self.ids[begin:end]

    def window(self, jump: int, begin: int, shape: tuple[int, int]) -> "Array":
        """Cut a window on the backend, from its copy of the ids."""
        from rnnlm.backend import accelerated, ops, xp  # imported only for windows

        self._resident = ops.resident(self.ids) if self._resident is None else self._resident
        window = xp.empty(shape, xp.int32)
        accelerated(read_window)(self._resident, jump, begin, window)
        return window


@dataclass(frozen=True, kw_only=True, repr=False, eq=False)
class Unread(Tokens):
    """Ids that are read on demand and checked then: each must be in [low, high)."""

    name: str
    dtype: np.dtype[Any]
    low: int = -1
    high: int = HIGH

    @abstractmethod
    def load(self, begin: int, end: int) -> NDArray[np.integer]:
        """Return the ids from `begin` to before `end`, (end - begin,), unchecked."""

    def within(self, low: int, high: int) -> Self:
        """Return the same ids with other bounds, which are checked when ids are read."""
        return replace(self, low=low, high=high)

    def read(self, begin: int, end: int) -> NDArray[np.integer]:
        """Return the ids from `begin` to before `end`, checked."""
        ids = self.load(begin, end)
        expect_read(self.name, ids, self.low, self.high)
        return ids

    def window(self, jump: int, begin: int, shape: tuple[int, int]) -> "Array":
        """Read a window on the host and check it."""
        window = np.empty(shape, np.int64)  # int64, so that ids too large for int32 are noticed
        read_rows(self.load, len(self), jump, begin, window)
        expect_read(self.name, window, self.low, self.high)
        return window.astype(np.int32)


@dataclass(frozen=True, kw_only=True, repr=False, eq=False)
class InFile(Unread):
    """Ids in a file. It is not memory-mapped: if it is cut short, that is an exception and not a bus error.

    Attributes:
        file: the open file, which may be replaced under its name without harm.
        offset: offset of the first id, in bytes.
        size: number of ids.
    """

    file: OpenFile
    offset: int
    size: int

    @classmethod
    def of(
        cls,
        path: str | os.PathLike[str],
        file: BinaryIO,
        dtype: np.dtype[Any],
        offset: int,
        size: int,
        checks: NDArray[np.uint32] | None = None,
    ) -> "InFile":
        """Return `size` ids of an open file from `offset` on, with the checksums of their blocks, if there are any."""
        opened = OpenFile(os.fspath(path), file)
        if checks is not None:
            opened.blocks = Blocks(offset, offset + size * dtype.itemsize, checks)
        return cls(name=opened.name, dtype=dtype, file=opened, offset=offset, size=size)

    def __len__(self) -> int:
        return self.size

    def part(self, begin: int, end: int) -> "InFile":
        """Return a part of the ids in the same file."""
        return replace(self, offset=self.offset + begin * self.dtype.itemsize, size=end - begin)

    def load(self, begin: int, end: int) -> NDArray[np.integer]:
        """Read ids from the file; a block is verified when part of it is first read."""
        place, length = self.offset + begin * self.dtype.itemsize, (end - begin) * self.dtype.itemsize
        content = self.file.read(place, length)
        self.file.expect_whole(place, content)
        return np.frombuffer(content, self.dtype)


@dataclass(frozen=True, kw_only=True, repr=False, eq=False)
class Mapped(Unread):
    """Ids in a memory map (tokens,) made by the caller."""

    ids: NDArray[np.integer]

    @classmethod
    def of(cls, ids: "np.memmap[Any, Any]") -> "Mapped":
        """The ids of a memory map."""
        return cls(name=str(ids.filename or "the memory map"), dtype=ids.dtype, ids=ids)

    def __len__(self) -> int:
        return len(self.ids)

    def part(self, begin: int, end: int) -> "Mapped":
        """Return a slice of the map."""
        return replace(self, ids=self.ids[begin:end])

    def load(self, begin: int, end: int) -> NDArray[np.integer]:
        """Return a slice of the map, unchecked."""
        return np.asarray(self.ids)[begin:end]

    def release(self) -> None:
        """Unmap the pages read, so that they don't count as this process's memory; the system's cache keeps them.

        Does nothing on Windows, which has no such call, and for writable maps, whose changes could be lost.
        """
        base: Any = self.ids
        if base.mode != "r":
            return
        while isinstance(base, np.ndarray):
            base = base.base
        if sys.platform != "win32" and isinstance(base, mmap.mmap):
            base.madvise(mmap.MADV_DONTNEED)
