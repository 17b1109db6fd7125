"""Numbers, lists and dictionaries with arrays in them, on the host."""

from collections.abc import Mapping
from typing import Any

from rnnlm.backend import ops, xp

__all__ = ["on_host"]


def on_host(tree: Any) -> Any:
    """The same with copies, on the host, of the arrays in it; tuples become lists."""
    if isinstance(tree, xp.ndarray):
        return ops.asnumpy(tree).copy()
    if isinstance(tree, Mapping):
        return {key: on_host(value) for key, value in tree.items()}
    return [on_host(value) for value in tree] if isinstance(tree, (list, tuple)) else tree
