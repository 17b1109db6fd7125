"""Ids of a text, read a part at a time by readers who need not know where they lie: in memory, in a file, in a map."""

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, SupportsIndex

import numpy as np
from numpy.typing import NDArray

from rnnlm.errors import InputError

__all__ = ["BLOCK", "Tokens", "read_rows", "read_window"]

if TYPE_CHECKING:
    from rnnlm.backend import Array

BLOCK = 1 << 20  # ids read at once by whoever goes over all of them


class Tokens(ABC):
    """Ids of a text, (tokens,). A slice of them reads nothing; `np.asarray(ids[2:5])` does.

    Ids in memory are checked as soon as `within` says what they may be. Ids of a file, which may be larger than memory,
    are checked each time that some of them are read.

    Attributes:
        name: what errors call them.
        dtype: the type that they are kept in.
    """

    name: str
    dtype: np.dtype[Any]
    ndim = 1

    @abstractmethod
    def __len__(self) -> int:
        """How many ids."""

    @abstractmethod
    def part(self, begin: int, end: int) -> "Tokens":
        """The ids from `begin` to before `end`, where 0 <= begin <= end <= len. Nothing is read."""

    @abstractmethod
    def within(self, low: int, high: int) -> "Tokens":
        """The same ids, each of which must be in [low, high).

        Raises:
            InputError: ids in memory that are not. Ids of a file are checked where they are read.
        """

    @abstractmethod
    def read(self, begin: int, end: int) -> NDArray[np.integer]:
        """The ids from `begin` to before `end`, (end - begin,), checked.

        Raises:
            DataError: of a file: it was cut short, or an id is not what `within` said.
        """

    @abstractmethod
    def window(self, jump: int, begin: int, shape: tuple[int, int]) -> "Array":
        """A window (T, N) int32, checked: row i reads from i * jump + begin on, and wraps at the end; see `read_rows`.

        Of ids in memory it is an array of the backend, cut on the device that has a copy of them; of others it is an
        array of the host.
        """

    def release(self) -> None:  # noqa: B027  most have nothing to give back
        """Give back what memory the ids read so far take."""

    def pieces(self) -> Iterator[NDArray[np.integer]]:
        """All ids, `BLOCK` at a time."""
        for begin in range(0, len(self), BLOCK):
            yield self.read(begin, min(begin + BLOCK, len(self)))
            self.release()

    def digest(self) -> str:
        """Half of the SHA-256 of the ids as int32, in hexadecimal: all are read."""
        found = hashlib.sha256()
        for piece in self.pieces():
            found.update(np.ascontiguousarray(piece, "<i4").data)
        return found.hexdigest()[:32]

    @property
    def shape(self) -> tuple[int]:
        """(tokens,)."""
        return (len(self),)

    def __getitem__(self, place: "SupportsIndex | slice") -> Any:
        """`ids[3]` is an int that is read, `ids[3:9]` are `Tokens` that are not."""
        if not isinstance(place, slice):
            position = range(len(self))[place]
            return int(self.read(position, position + 1)[0])
        chosen = range(len(self))[place]
        if chosen.step != 1:
            raise InputError(
                f"a slice of {self.name} must have step 1, got {chosen.step}: take np.asarray of them first"
            )
        return self.part(chosen.start, max(chosen.start, chosen.stop))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        if copy is False:
            raise ValueError(f"{self.name} can't become an array without a copy: the ids are read")
        return np.array(self.read(0, len(self)), dtype)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name}: {len(self):,} ids, {self.dtype}>"


def read_rows(read: Callable[[int, int], Any], size: int, jump: int, begin: int, window: Any) -> None:
    """window[t, i] = data[(i jump + begin + t) mod size], where read(a, b) gives data[a:b]; `window` is overwritten."""
    T, N = window.shape
    for i in range(N):
        start = (i * jump + begin) % size
        ahead = min(T, size - start)
        window[:ahead, i] = read(start, start + ahead)
        if ahead < T:
            window[ahead:, i] = read(0, T - ahead)


def read_window(data: "Array", jump: int, begin: int, window: "Array") -> None:
    """`read_rows` of an array (size,) that lies where the window (T, N) does, both int32."""
    read_rows(lambda start, stop: data[start:stop], len(data), jump, begin, window)
