"""Chains of layers: their names, the layers inside them, and whether their shapes fit."""

from collections.abc import Mapping, Sequence

from rnnlm.checks import sequence
from rnnlm.errors import InputError
from rnnlm.layers.base import Layer, Shape

__all__ = ["everything", "expect_masked", "gather", "leaves", "named", "through"]


def named(layers: Mapping[str, Layer] | Sequence[Layer]) -> dict[str, Layer]:
    """Return layers by name: the keys of a mapping, or for a list their classes with a number, dense1, relu1, dense2.

    Raises:
        InputError: something that is not a layer, a layer without `params`, the same layer twice, or a name that is not
            a text, or has a dot, which stands between the name of a layer and those of its parts.
    """
    own = isinstance(layers, Mapping)
    places = layers.items() if isinstance(layers, Mapping) else enumerate(sequence("layers", layers, "layers"), 1)
    found: dict[str, Layer] = {}
    for place, layer in places:
        if own and (not isinstance(place, str) or not place or "." in place):
            raise InputError(f"the name of a layer must be a text without dots, got {place!r}")
        if not isinstance(layer, Layer):
            raise InputError(f"layer {place} must be a layer, got {type(layer).__name__}")
        if getattr(layer, "params", None) is None:
            kind = type(layer).__name__
            raise InputError(
                f"layer {place} has no params: the constructor of {kind} must call super().__init__(*params)"
            )
        if any(layer is other for other in found.values()):
            raise InputError(f"layer {place} must not be one that came before: make a second {type(layer).__name__}")
        number = sum(type(other) is type(layer) for other in found.values()) + 1
        found[place if isinstance(place, str) else f"{type(layer).__name__.lower()}{number}"] = layer
    return found


def leaves(layers: Mapping[str, Layer]) -> dict[str, Layer]:
    """Return the innermost layers by name, replacing each composite by its parts; they own the parameters and masks."""
    found: dict[str, Layer] = {}
    for name, layer in layers.items():
        parts = {f"{name}.{part}": inner for part, inner in layer.parts().items()}
        found |= leaves(parts) if parts else {name: layer}
    return found


def everything(layers: Mapping[str, Layer]) -> dict[str, Layer]:
    """Return the layers and, recursively, their parts, by name; a layer comes before its parts."""
    found: dict[str, Layer] = {}
    for name, layer in layers.items():
        found |= {name: layer, **everything({f"{name}.{part}": inner for part, inner in layer.parts().items()})}
    return found


def gather(layers: Mapping[str, Layer]) -> None:
    """Update the parameter lists of composite layers from their parts, after the parts' arrays were replaced."""
    for layer in reversed(everything(layers).values()):
        if parts := layer.parts().values():
            layer.params[:] = [p for part in parts for p in part.params]
            layer.grads[:] = [g for part in parts for g in part.grads]


def through(layers: Mapping[str, Layer], shape: Shape) -> Shape:
    """Return the output shape of a chain for inputs of the given shape, in which letters stand for any length.

    Raises:
        InputError: a layer requires another length of the last axis than the layer before it gives.
    """
    before = "the input"
    for name, layer in layers.items():
        if layer.takes is not None and isinstance(shape[-1], int) and shape[-1] != layer.takes:
            raise InputError(f"{name} must be given rows of {layer.takes} numbers, got {shape[-1]} from {before}")
        shape, before = layer.output_shape(shape), name
    return shape


def expect_masked(layers: Mapping[str, Layer]) -> None:
    """Check that pads can be masked: inputs are ids, layers over time take lengths, and each row gives one output.

    Raises:
        InputError: one of these does not hold.
    """
    ids = next(iter(layers.values())).takes_ids
    if not ids or isinstance(ids, tuple):
        raise InputError("mask_zero needs ids for inputs, one array of them: the first layer must be an embedding")
    for name, layer in leaves(layers).items():
        if getattr(layer, "stateful", False):
            raise InputError(f"mask_zero needs rows that begin with zeros: {name} must not be stateful")
    shape: Shape = ("N", "T")
    for name, layer in layers.items():
        after = layer.output_shape(shape)
        inner = everything({name: layer}).values()
        if not layer.takes_lengths and (("T" in shape and "T" not in after) or any(one.takes_lengths for one in inner)):
            raise InputError(f"mask_zero needs layers that take the lengths of rows, and {name} does not")
        shape = after
    if "T" in shape:
        raise InputError("mask_zero needs one output for each row: the last layer over time must not return sequences")
