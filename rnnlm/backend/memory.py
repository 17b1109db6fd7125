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
        memory: the arrays handed out last, by name; its owner reads nothing back under a name that was asked for again.
        name: of the memory.
        shape, dtype: of the array.
        make: `empty` of an array library; or `ones`, for memory that nobody writes to.
    """
    global _made
    last = memory.get(name)
    whole = None
    if last is not None and last.dtype == dtype:
        if last.shape == shape:
            return last
        whole = last.base
    size = prod(shape)
    if whole is None or whole.size < size:
        _made += 1
        whole = make(size, dtype)
    array = memory[name] = whole[:size].reshape(shape)
    return array


def made() -> int:
    """How often memory was new so far: while the number stays, whatever lies in such memory is where it was."""
    return _made
