"""A model as a table: its layers, the shapes of their outputs and weights, and their numbers of parameters."""

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any

from rnnlm.backend import Array
from rnnlm.checks import refused
from rnnlm.layers.base import Layer
from rnnlm.layers.chain import leaves, through
from rnnlm.layers.description import kind_of, names_of, written

__all__ = ["Summarized", "as_html", "as_text", "table"]

HEAD = ("layer", "class", "output shape", "weights", "parameters")
Rows = list[tuple[str, ...]]


class Summarized:
    """Base class of networks with `layers` by name and `params`, which are shown as a table of the layers."""

    layers: Mapping[str, Layer]
    params: list[Array]
    flat_params: Array
    usual_shape: tuple[str, ...] | None = None  # default shape of a sample; None to take it from the first layer

    def summary(self, input_shape: tuple[int, ...] | None = None) -> None:
        """Print a table of the layers: name, class, shape of the outputs, shapes of the weights, number of parameters.

        Args:
            input_shape: of one sample: (4,), or (T, D) over time; () for ids (N,), (T,) for ids (N, T); a tuple of
                shapes for several inputs. By default the shape that the first layer takes.
        """
        print(as_text(table(self.layers, self.params, self.usual_shape if input_shape is None else input_shape)))

    def __repr__(self) -> str:
        return f"{self._title()}\n{as_text(_without_shapes(self.layers, self.params))}"

    def _repr_html_(self) -> str:
        """Return the table as HTML, for notebooks."""
        return as_html(self._title(), _without_shapes(self.layers, self.params))

    def _title(self) -> str:
        count = sum(p.size for p in self.params)
        return f"{type(self).__name__}: {count:,} parameters, {self.flat_params.dtype}"


def table(layers: Mapping[str, Layer], params: Sequence[Array], input_shape: Any = None) -> Rows:
    """Return the rows of the table: the head, one row for each layer, followed by rows for its parts, and the total.

    Args:
        layers: by name, in order.
        params: all parameters, shared ones once.
        input_shape: of one sample; see `Summarized.summary`.
    """
    first = next(iter(layers.values()))
    usual = () if first.takes_ids else (first.takes or "D",)
    shape: Any = usual if input_shape is None else input_shape
    if not isinstance(shape, tuple):
        raise refused("input_shape", "a tuple, the shape of one sample", input_shape)
    shape = tuple(("N", *s) for s in shape) if shape and isinstance(shape[0], tuple) else ("N", *shape)
    shapes = {}
    for name, layer in layers.items():
        shape = shapes[name] = through({name: layer}, shape)
    return [HEAD, *_rows(layers, params, shapes), _sum(params)]


def _without_shapes(layers: Mapping[str, Layer], params: Sequence[Array]) -> Rows:
    """Return the table without the column of output shapes, for an unknown input shape."""
    rows = [HEAD, *_rows(layers, params, {}), _sum(params)]
    return [(name, kind, weights, count) for name, kind, _, weights, count in rows]


def _sum(params: Sequence[Array]) -> tuple[str, ...]:
    return "total", "", "", "", f"{sum(p.size for p in params):,}"


def _rows(
    layers: Mapping[str, Layer], params: Sequence[Array], shapes: Mapping[str, Any], depth: int = 0
) -> Iterator[tuple[str, ...]]:
    own = {id(p) for p in params}
    for name, layer in layers.items():
        parts = layer.parts()
        weights = [p for leaf in leaves({name: layer}).values() for p in leaf.params]
        told = [
            f"{label} {written(p.shape)}{'' if id(p) in own else ' tied'}"
            for label, p in zip(names_of(layer), layer.params)
            if not parts
        ]
        count = sum(p.size for p in weights if id(p) in own)
        shape = written(shapes[name]) if name in shapes else ""
        yield "  " * depth + name, kind_of(layer), shape, ", ".join(told), f"{count:,}"
        yield from _rows(parts, params, {}, depth + 1)


def as_text(rows: Rows) -> str:
    """Return rows as text in columns, the last one, of numbers, aligned right."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = []
    for *words, count in rows:
        left = [word.ljust(width) for word, width in zip(words, widths)]
        lines.append("  ".join([*left, count.rjust(widths[-1])]))
    return "\n".join(lines)


def as_html(title: str, rows: Rows) -> str:
    """Return rows as an HTML table, with names escaped."""
    style = ' style="text-align: left; white-space: pre"'
    lines = [f"<table><caption>{escape(title)}</caption>"]
    for kind, row in zip(["th", *["td"] * (len(rows) - 1)], rows):
        cells = "".join(f"<{kind}{style}>{escape(word)}</{kind}>" for word in row[:-1])
        lines.append(f'<tr>{cells}<{kind} style="text-align: right">{escape(row[-1])}</{kind}></tr>')
    return "\n".join([*lines, "</table>"])
