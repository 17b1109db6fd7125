"""Reuse of buffers: the first write to newly allocated memory can cost more than the computation."""

from collections.abc import Callable, MutableMapping
from math import prod
from typing import Any

__all__ = ["made", "reused"]

VIEWS = 64  # views of one buffer that are remembered: windows of many lengths would add up
_made = 0


def reused(
    memory: MutableMapping[Any, Any], name: str, shape: tuple[int, ...], dtype: Any, make: Callable[..., Any]
) -> Any:
    """Return an array in the buffer of this name, which is replaced by a larger one if it is too small.

    Args:
        memory: by name a buffer and its views by shape. A call invalidates earlier arrays of the same name.
        name: of the buffer.
        shape, dtype: of the array.
        make: `empty` of an array library; or `ones`, for a buffer that is never written.
    """
    global _made
    found = memory.get(name)
    whole, views = found if found is not None else (None, {})
    view = views.get(shape)
    if view is not None and view.dtype == dtype:
        return view
    size = prod(shape)
    if whole is None or whole.size < size or whole.dtype != dtype:
        _made += 1
        whole, views = memory[name] = make(size, dtype), {}
    elif len(views) >= VIEWS:
        views.clear()
    view = views[shape] = whole[:size].reshape(shape)
    return view


def made() -> int:
    """Return the number of buffers allocated so far: while it does not change, no buffer has moved."""
    return _made
