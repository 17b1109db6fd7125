"""Copies of nested structures of arrays on the host."""

from collections.abc import Mapping
from typing import Any

from rnnlm.backend import ops, xp

__all__ = ["on_host"]


def on_host(tree: Any) -> Any:
    """Return nested dictionaries and lists with their arrays copied to the host; tuples become lists."""
    if isinstance(tree, xp.ndarray):
        return ops.asnumpy(tree).copy()
    if isinstance(tree, Mapping):
        return {key: on_host(value) for key, value in tree.items()}
    return [on_host(value) for value in tree] if isinstance(tree, (list, tuple)) else tree
