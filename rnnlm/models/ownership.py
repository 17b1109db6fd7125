"""Which network a layer belongs to. Its weights lie in that network's buffer, so it can belong to one only."""

import gc
from collections.abc import Mapping
from typing import Any
from weakref import ReferenceType, WeakKeyDictionary, ref

from rnnlm.errors import InputError
from rnnlm.layers.base import Layer

__all__ = ["expect_free", "own"]

_owners: "WeakKeyDictionary[Layer, ReferenceType[Any]]" = WeakKeyDictionary()


def own(network: Any, layers: Mapping[str, Layer]) -> None:
    """Note that the layers belong to a network, as long as it exists."""
    _owners.update(dict.fromkeys(layers.values(), ref(network)))


def expect_free(layers: Mapping[str, Layer]) -> None:
    """Check that the layers belong to no network.

    Raises:
        InputError: one does. A second network would take its weights out of the first one's buffer.
    """
    for name, layer in layers.items():
        if _owned(layer):
            gc.collect()  # the network may be garbage in a cycle
        if _owned(layer):
            raise InputError(
                f"{name} must not be in another network, whose weights it has: make a layer of its own, or take "
                "those of a copy of the network, copy.deepcopy(network).layers"
            )


def _owned(layer: Layer) -> bool:
    owner = _owners.get(layer)
    return owner is not None and owner() is not None
