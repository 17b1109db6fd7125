"""Registry of the network that each layer with weights or dropout belongs to. There can be only one: the weights lie in
its buffer, and its seed determines the masks."""

import gc
from collections.abc import Mapping
from typing import Any
from weakref import ReferenceType, finalize, ref

from rnnlm.errors import InputError
from rnnlm.layers.base import Layer

__all__ = ["expect_free", "own"]

_owners: dict[int, ReferenceType[Any]] = {}  # networks by the identity of their layers, which may compare as they like


def own(network: Any, layers: Mapping[str, Layer]) -> None:
    """Note that the layers that have weights or masks belong to a network, as long as it exists."""
    for layer in layers.values():
        if layer.params or layer.masks:
            if id(layer) not in _owners:
                finalize(layer, _owners.pop, id(layer), None).atexit = False
            _owners[id(layer)] = ref(network)


def expect_free(layers: Mapping[str, Layer]) -> None:
    """Check that the layers belong to no network.

    Raises:
        InputError: one does. A second network would take its weights out of the first one's buffer, or its masks.
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
