"""Token ids that are read part by part, from memory, a file or a memory map alike."""

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

BLOCK = 1 << 20  # ids at once when all of them are read


class Tokens(ABC):
    """Ids of a text, (tokens,). Slicing reads nothing; `np.asarray(ids[2:5])` does.

    Ids in memory are checked when `within` sets their bounds. Ids in a file, which may be larger than memory, are
    checked whenever they are read.

    Attributes:
        name: name of the ids in errors.
        dtype: dtype in which they are stored.
    """

    name: str
    dtype: np.dtype[Any]
    ndim = 1

    @abstractmethod
    def __len__(self) -> int:
        """Return the number of ids."""

    @abstractmethod
    def part(self, begin: int, end: int) -> "Tokens":
        """Return the ids from `begin` to before `end`, where 0 <= begin <= end <= len, without reading them."""

    @abstractmethod
    def within(self, low: int, high: int) -> "Tokens":
        """Return the ids with the requirement that each is in [low, high).

        Raises:
            InputError: ids in memory are out of range. Ids in a file are checked when they are read.
        """

    @abstractmethod
    def read(self, begin: int, end: int) -> NDArray[np.integer]:
        """Read the ids from `begin` to before `end`, (end - begin,), checked.

        Raises:
            DataError: the file was cut short, or an id is outside the bounds set by `within`.
        """

    @abstractmethod
    def window(self, jump: int, begin: int, shape: tuple[int, int]) -> "Array":
        """Read a window (T, N) int32, checked: row i starts at i * jump + begin and wraps at the end; see `read_rows`.

        For ids in memory it is an array of the backend, cut from a copy on the device; otherwise an array on the host.
        """

    def release(self) -> None:  # noqa: B027  most sources have none
        """Release the memory that reading has taken."""

    def pieces(self) -> Iterator[NDArray[np.integer]]:
        """Yield all ids, `BLOCK` at a time."""
        for begin in range(0, len(self), BLOCK):
            yield self.read(begin, min(begin + BLOCK, len(self)))
            self.release()

    def digest(self) -> str:
        """Return half of the SHA-256 of the ids as int32, in hexadecimal; reads all ids."""
        found = hashlib.sha256()
        for piece in self.pieces():
            found.update(np.ascontiguousarray(piece, "<i4").data)
        return found.hexdigest()[:32]

    @property
    def shape(self) -> tuple[int]:
        """(tokens,)."""
        return (len(self),)

    def __getitem__(self, place: "SupportsIndex | slice") -> Any:
        """Read one id (`ids[3]`, an int), or return `Tokens` for a slice (`ids[3:9]`) without reading."""
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
    """Set window[t, i] = data[(i jump + begin + t) mod size], where read(a, b) returns data[a:b]."""
    T, N = window.shape
    for i in range(N):
        start = (i * jump + begin) % size
        ahead = min(T, size - start)
        window[:ahead, i] = read(start, start + ahead)
        if ahead < T:
            window[ahead:, i] = read(0, T - ahead)


def read_window(data: "Array", jump: int, begin: int, window: "Array") -> None:
    """Apply `read_rows` to an array (size,) on the same device as the window (T, N), both int32."""
    read_rows(lambda start, stop: data[start:stop], len(data), jump, begin, window)
