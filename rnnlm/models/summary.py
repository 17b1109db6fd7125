"""A table of layers."""

from collections.abc import Mapping, Sequence
from typing import Any

from rnnlm.backend import Array
from rnnlm.checks import refused
from rnnlm.layers.base import Layer
from rnnlm.layers.chain import leaves, through

__all__ = ["summary"]

HEAD = ("layer", "class", "output shape", "parameters")


def summary(layers: Mapping[str, Layer], params: Sequence[Array], input_shape: Any = None) -> str:
    """Name, class, shape of the outputs and number of parameters of each layer, and the sum.

    Args:
        layers: by name, in order.
        params: all parameters, a shared one once.
        input_shape: of one sample; see `Sequential.summary`.
    """
    first = next(iter(layers.values()))
    usual = () if first.takes_ids else (first.takes or "D",)
    shape: Any = usual if input_shape is None else input_shape
    if not isinstance(shape, tuple):
        raise refused("input_shape", "a tuple, the shape of one sample", input_shape)
    shape = tuple(("N", *s) for s in shape) if shape and isinstance(shape[0], tuple) else ("N", *shape)
    rows: list[tuple[str, ...]] = [HEAD]
    for name, layer in layers.items():
        shape = through({name: layer}, shape)
        own = [p for leaf in leaves({name: layer}).values() for p in leaf.params]
        rows.append((name, type(layer).__name__, _written(shape), f"{sum(p.size for p in own):,}"))
    rows.append(("total", "", "", f"{sum(p.size for p in params):,}"))
    widths = [max(len(row[i]) for row in rows) for i in range(len(HEAD))]
    lines = []
    for *words, count in rows:
        left = [word.ljust(width) for word, width in zip(words, widths)]
        lines.append("  ".join([*left, count.rjust(widths[-1])]))
    return "\n".join(lines)


def _written(shape: Any) -> str:
    """A shape, or several, in words."""
    if shape and isinstance(shape[0], tuple):
        return ", ".join(_written(s) for s in shape)
    return f"({', '.join(map(str, shape))}{',' * (len(shape) == 1)})"
