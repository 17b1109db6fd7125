"""Flat buffers: all parameters of a model in one array, all gradients in another."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from rnnlm.backend import Array, ops, xp
from rnnlm.errors import InputError
from rnnlm.layers.base import Layer
from rnnlm.models.weights import are_drawn

__all__ = ["Flat", "expect_in_place", "flatten", "same_memory"]

ALIGNMENT = 64  # bytes: each parameter begins on a cache line and on a GPU's widest load


@dataclass(frozen=True)
class Flat:
    """The parameters of a stack of layers.

    Attributes:
        params, grads: one array for each parameter, views into the two buffers; `names` has their names.
        flat_params, flat_grads: the two buffers, padded with zeros between parameters.
        tied: name of each layer whose first parameter is the transpose of another's, to the name of the other.
    """

    params: list[Array]
    grads: list[Array]
    names: list[str]
    flat_params: Array
    flat_grads: Array
    tied: dict[str, str]


def flatten(layers: Mapping[str, Layer], dtype: Any, shared: Array | None = None) -> Flat:
    """Move the parameters of layers into one new buffer, or point them into `shared`, the buffer of a stack of the same
    layers. The layers' arrays become views.

    A first parameter that is the transpose of an embedding's, in the same memory, stays tied and is listed once: the
    layer writes its gradient into the embedding's, whose backward runs later and adds to it.
    """
    tied = {name: other for name, layer in layers.items() if (other := _tied_to(layer, layers)) is not None}
    _expect_once_and_later(tied, layers)
    places = [
        (name, layer, i, own)
        for name, layer in layers.items()
        for i, own in enumerate(layer.parameter_names())
        if i or name not in tied
    ]
    _expect_apart([(f"{name}.{own}", layer.params[i]) for name, layer, i, own in places])
    unit = ALIGNMENT // np.dtype(dtype).itemsize
    starts = np.cumsum([0] + [-(-layer.params[i].size // unit) * unit for _, layer, i, _ in places]).tolist()
    buffer = xp.zeros(starts[-1], dtype) if shared is None else shared
    flat = Flat([], [], [], buffer, xp.zeros(starts[-1], dtype), tied)
    for start, (name, layer, i, own) in zip(starts, places):
        p = layer.params[i]
        here = slice(start, start + p.size)
        if shared is None and are_drawn():  # else leave the new buffer's memory unallocated
            flat.flat_params[here].reshape(p.shape)[...] = p
        layer.params[i], layer.grads[i] = (a[here].reshape(p.shape) for a in (flat.flat_params, flat.flat_grads))
        flat.params.append(layer.params[i])
        flat.grads.append(layer.grads[i])
        flat.names.append(f"{name}.{own}")
    for name, other in tied.items():
        embed = layers[other]
        layers[name].params[0], layers[name].grads[0] = embed.params[0].T, embed.grads[0].T
        embed.add_to_gradient = True
    return flat


def expect_in_place(layers: Mapping[str, Layer], flat: Any) -> None:
    """Check that the arrays of the layers, and of the network `flat`, are still views into its buffer.

    Raises:
        InputError: one was replaced.
    """
    for kind, buffer in (("params", flat.flat_params), ("grads", flat.flat_grads)):
        begin, _ = ops.place(buffer)
        of_layers = [
            (f"{name}.{kind}[{i}]", a) for name, one in layers.items() for i, a in enumerate(getattr(one, kind))
        ]
        of_network = [(f"{kind}[{i}] of the network", a) for i, a in enumerate(getattr(flat, kind))]
        for name, array in (*of_layers, *of_network):
            if not begin <= ops.place(array)[0] <= begin + buffer.nbytes:
                raise InputError(
                    f"{name} was replaced by another array, so it would be neither trained nor saved: write into the "
                    f"one that was there, {kind}[i][...] = values"
                )


def _expect_once_and_later(tied: Mapping[str, str], layers: Mapping[str, Layer]) -> None:
    """Check that each embedding is shared once, by a layer of another kind that goes backward before it.

    Raises:
        InputError: one is not: a gradient would be overwritten.
    """
    order = list(layers)
    for name, other in tied.items():
        if layers[name].add_to_gradient is not None:
            raise InputError(f"{name} must not share the weights of {other}, transposed: both take ids")
        if order.index(name) < order.index(other):
            raise InputError(f"{name} must come after {other}, whose weights it shares, transposed")
        if list(tied.values()).count(other) > 1:
            sharing = " and ".join(one for one in tied if tied[one] == other)
            raise InputError(f"{sharing} must not both share the weights of {other}, transposed: one layer can")


def _tied_to(layer: Layer, layers: Mapping[str, Layer]) -> str | None:
    """Return the name of the layer whose first parameter is, transposed, this layer's first one; None if none is."""
    for name, other in layers.items():
        if other.add_to_gradient is not None and other is not layer and layer.params:
            p, W = layer.params[0], other.params[0]
            if same_memory(p, W.T):
                return name
    return None


def same_memory(a: Array, b: Array) -> bool:
    """Return whether two arrays are the same numbers at the same memory addresses."""
    far = [[stride for stride, size in zip(x.strides, x.shape) if size > 1] for x in (a, b)]
    return bool(a.dtype == b.dtype and ops.place(a) == ops.place(b) and far[0] == far[1])


def _expect_apart(params: list[tuple[str, Array]]) -> None:
    """Check that no weight is listed twice.

    Raises:
        InputError: one is, or its transpose.
    """
    at: dict[int, list[tuple[str, Array]]] = {}  # by where they begin
    for name, p in params:
        before = at.setdefault(ops.place(p)[0], [])
        for other, q in before:
            if p.size and (same_memory(p, q) or (p.ndim == 2 and same_memory(p, q.T))):
                raise InputError(
                    f"{name} must not be {other} again, or its transpose: only an embedding's first weights can be "
                    "shared, transposed, by a layer after it. Give each layer weights of its own"
                )
        before.append((name, p))
