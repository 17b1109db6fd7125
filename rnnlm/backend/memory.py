"""Memory that is used again: the first touch of fresh memory can cost more than the work that is done in it."""

from collections.abc import Callable, MutableMapping
from math import prod
from typing import Any

__all__ = ["made", "reused"]

_made = 0


def reused(
    memory: MutableMapping[str, Any], name: str, shape: tuple[int, ...], dtype: Any, make: Callable[..., Any]
) -> Any:
    """An array in the memory of this name if that is large enough, or in new one: windows may differ in length.

    Args:
        memory: arrays by name; its owner reads nothing back under a name that was asked for again.
        name: of the memory.
        shape, dtype: of the array.
        make: `empty` of an array library; or `ones`, for memory that nobody writes to.
    """
    global _made
    old, size = memory.get(name), prod(shape)
    if old is None or old.size < size or old.dtype != dtype:
        _made += 1
        old = memory[name] = make(size, dtype)
    return old[:size].reshape(shape)


def made() -> int:
    """How often memory was new so far: while the number stays, whatever lies in such memory is where it was."""
    return _made
