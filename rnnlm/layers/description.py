"""Short descriptions of layers: class, options, and the shapes of the weights."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rnnlm.layers.base import Layer

__all__ = ["described", "kind_of", "names_of", "written"]

FLAGS = ("variational", "reset_after")
NUMBERS = ("ar", "tar")


def described(layer: "Layer") -> str:
    """Return a one-line description, such as `TimeAffine: W (100, 50), b (50,)`."""
    if parts := layer.parts():
        return f"{kind_of(layer)} of {', '.join(parts)}"
    weights = ", ".join(f"{name} {written(p.shape)}" for name, p in zip(names_of(layer), layer.params))
    return f"{kind_of(layer)}{': ' * bool(weights)}{weights}"


def names_of(layer: "Layer") -> tuple[str, ...]:
    """Return the names of a layer's parameters; W0, W1 and so on if it declares none."""
    return tuple(layer.names) or tuple(f"W{i}" for i in range(len(layer.params)))


def kind_of(layer: "Layer") -> str:
    """Return a layer's class and options, such as `TimeDropout, dropout_ratio 0.5, variational`."""
    words = [type(layer).__name__]
    words += [f"{mask.name} {mask.dropout_ratio:g}" for mask in layer.masks if mask.dropout_ratio]
    words += [name for name in FLAGS if getattr(layer, name, False)]
    words += [f"{name} {getattr(layer, name):g}" for name in NUMBERS if getattr(layer, name, 0)]
    return ", ".join(words)


def written(shape: object) -> str:
    """Return a shape, or a tuple of shapes, as text, such as `(N, T, 100)`."""
    if not isinstance(shape, tuple):
        return str(shape)
    if shape and isinstance(shape[0], tuple):
        return ", ".join(written(inner) for inner in shape)
    return f"({', '.join(map(str, shape))}{',' * (len(shape) == 1)})"
