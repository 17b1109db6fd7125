"""Registry of the network that each layer belongs to. There can be only one: the layer's weights lie in its buffer, and
what the layer saves in a forward is for its backward."""

import gc
from collections.abc import Mapping
from typing import Any
from weakref import ReferenceType, finalize, ref

from rnnlm.errors import InputError
from rnnlm.layers.base import Layer

__all__ = ["expect_free", "own"]

_owners: dict[int, ReferenceType[Any]] = {}  # networks by the identity of their layers, which may compare as they like


def own(network: Any, layers: Mapping[str, Layer]) -> None:
    """Note that the layers belong to a network, as long as it exists."""
    for layer in layers.values():
        if id(layer) not in _owners:
            finalize(layer, _owners.pop, id(layer), None).atexit = False
        _owners[id(layer)] = ref(network)


def expect_free(layers: Mapping[str, Layer]) -> None:
    """Check that the layers belong to no network.

    Raises:
        InputError: one does. A second network would take its weights out of the first one's buffer, and overwrite
            what it saved for the first one's backward.
    """
    for name, layer in layers.items():
        if _is_owned(layer):
            gc.collect()  # the network may be garbage in a cycle
        if _is_owned(layer):
            raise InputError(
                f"{name} must not be in another network, too: make a new layer, delete that network, "
                "or take the layers of a copy of it, copy.deepcopy(network).layers"
            )


def _is_owned(layer: Layer) -> bool:
    owner = _owners.get(id(layer))
    return owner is not None and owner() is not None
