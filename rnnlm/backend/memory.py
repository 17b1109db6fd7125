"""Memory that is used again: the first touch of fresh memory can cost more than the work that is done in it."""

from collections.abc import Callable, MutableMapping
from math import prod
from typing import Any

__all__ = ["made", "reused"]

_made = 0


def reused(
    memory: MutableMapping[Any, Any], name: str, shape: tuple[int, ...], dtype: Any, make: Callable[..., Any]
) -> Any:
    """An array in the memory of this name if that is large enough, or in new one: windows may differ in length.

    Args:
        memory: arrays by name, and their views by name and shape; its owner reads nothing back under a name that was
            asked for again.
        name: of the memory.
        shape, dtype: of the array.
        make: `empty` of an array library; or `ones`, for memory that nobody writes to.
    """
    global _made
    view = memory.get((name, shape))
    if view is not None and view.dtype == dtype:
        return view
    size, whole = prod(shape), memory.get(name)
    if whole is None or whole.size < size or whole.dtype != dtype:
        _made += 1
        for old in [key for key in memory if isinstance(key, tuple) and key[0] == name]:
            del memory[old]
        whole = memory[name] = make(size, dtype)
    view = memory[name, shape] = whole[:size].reshape(shape)
    return view


def made() -> int:
    """How often memory was new so far: while the number stays, whatever lies in such memory is where it was."""
    return _made
