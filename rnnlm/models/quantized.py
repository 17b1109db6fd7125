"""A recurrent language model with quantised weights, for inference."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, NoReturn

from rnnlm.backend import Array, xp
from rnnlm.checks import flag, instance_of, one_of
from rnnlm.errors import InputError
from rnnlm.layers.named import CELLS
from rnnlm.layers.small import KINDS, SmallMatrix
from rnnlm.layers.small_layers import (
    SMALL_CELLS,
    Small,
    SmallEmbedding,
    SmallOutput,
    SmallRecurrent,
    not_trained,
)
from rnnlm.models.base import Model
from rnnlm.models.better import BetterRnnlm
from rnnlm.models.config import ModelConfig
from rnnlm.models.general import AwdLstm, LanguageModel
from rnnlm.models.rnnlm import Rnnlm
from rnnlm.models.sequential import Sequential
from rnnlm.models.simple import SimpleRnnlm

__all__ = ["QuantizedConfig", "QuantizedModel", "quantize"]

SOURCES = tuple(cls.__name__ for cls in (LanguageModel, SimpleRnnlm, Rnnlm, BetterRnnlm, AwdLstm))


@dataclass(frozen=True)
class QuantizedConfig(ModelConfig):
    """The configuration of a quantised model: that of the model it was made from, and two more fields.

    Attributes:
        source: name of the class of the original model.
        weights: int8 or float16.
    """

    model: str = "QuantizedModel"
    source: str = "LanguageModel"
    weights: str = "int8"

    def __post_init__(self) -> None:
        super().__post_init__()
        one_of("source", self.source, SOURCES)
        one_of("weights", self.weights, KINDS)
        one_of("dtype of activations", self.dtype, ("float32",))

    @property
    def kept_as(self) -> str:
        """Number format of the weights, in memory and in a file."""
        return self.weights


class QuantizedModel(Model):
    """A recurrent language model with int8 or float16 weight matrices, and float32 activations and biases.

        int8: W = codes * scales, a scale for each word vector and for each column of another matrix

    `quantize` makes one from a trained model. It is a predictor, saved and loaded like other models, but it can't be
    trained. Its configuration keeps the dropouts of the original model, which have no effect. Up to rounding it
    computes what the original would with rounded weights; see `layers/small.py`.

    Args:
        config: sizes, cell, depth, tying, and number format of the weights.
    """

    configuration = QuantizedConfig
    config: QuantizedConfig

    def __init__(self, config: QuantizedConfig) -> None:
        c = instance_of("config", config, QuantizedConfig)
        super().__init__(c)
        V, D, H = c.vocab_size, c.wordvec_size, c.hidden_sizes[-1]
        E = SmallMatrix.zeros((V, D), c.weights, c.dtype, axis=1)
        W = E.T if c.tied else SmallMatrix.zeros((H, V), c.weights, c.dtype)
        self.head = SmallOutput(W, xp.zeros(V, c.dtype), c.tied)
        layers: dict[str, Small] = {"embed": SmallEmbedding(E, c.dtype)}
        memory: dict[str, Array] = {}
        for number, (inputs, hidden) in enumerate(zip([D, *c.hidden_sizes], c.hidden_sizes), 1):
            layers[c.cell if c.layers == 1 else f"{c.cell}{number}"] = _recurrent(c, inputs, hidden, memory)
        self.set_stack(_Stack(layers, self.head, c.dtype, c.seed))

    @classmethod
    def from_config(cls, config: ModelConfig) -> "Model":
        """Return a new model built from `config`, with zero weights."""
        return cls(instance_of("config", config, QuantizedConfig))

    def predict(self, xs: Any, train_flg: bool = False) -> Array:
        """As `Model.predict` with `train_flg=False`; True is refused, because there is no dropout."""
        if flag("train_flg", train_flg):
            not_trained()
        return super().predict(xs)

    def forward(self, xs: Any, ts: Any, train_flg: bool = True, keep: bool = True) -> Array:
        """As `Model.forward` with `train_flg=False`; True, the default, is refused."""
        if flag("train_flg", train_flg):
            not_trained()
        return super().forward(xs, ts, train_flg=False, keep=keep)

    def backward(self, dout: Any = 1) -> NoReturn:
        """Raise InputError: there is no backward."""
        not_trained()

    def weights(self) -> NoReturn:
        """Raise InputError: no weights are trained."""
        not_trained()

    def gradients(self) -> NoReturn:
        """Raise InputError: there are no gradients."""
        not_trained()

    def _title(self) -> str:
        count = sum(p.size for p in self.params)
        return f"{type(self).__name__} of {self.config.source}: {count:,} numbers, {self.config.weights}"


class _Stack(Sequential):
    """A chain of layers with quantised weights. These have several dtypes and are never updated, so they are not moved
    into a flat buffer."""

    layers: Mapping[str, Small]  # type: ignore[assignment]

    def _flatten(self, dtype: Any, _shared: Array | None = None) -> None:
        self._steps = None
        pairs = [
            (f"{name}.{own}", p) for name, layer in self.layers.items() for own, p in zip(layer.names, layer.params)
        ]
        self.names, self.params, self.grads = [name for name, _ in pairs], [p for _, p in pairs], []
        self.flat_params = self.flat_grads = xp.zeros(0, dtype)
        self._tied = {}  # the layers tie their weights themselves

    def expect_in_place(self) -> None:
        """Do nothing: there is no buffer."""

    def share(self, other: Sequential) -> None:
        """Use the weights of another chain, of which this one is a copy, without copying them."""
        for layer, like in zip(self.layers.values(), instance_of("other", other, _Stack).layers.values()):
            layer.share(like)
        self._flatten(other.flat_params.dtype)


def _recurrent(c: QuantizedConfig, D: int, H: int, memory: dict[str, Array]) -> SmallRecurrent:
    """Return a recurrent layer with zero weights."""
    if c.cell not in SMALL_CELLS:
        raise InputError(f"cell must be one of {', '.join(SMALL_CELLS)} to have small weights, got {c.cell!r}")
    wide = CELLS[c.cell].gates * H
    Wx, Wh = (SmallMatrix.zeros((rows, wide), c.weights, c.dtype) for rows in (D, H))
    b = xp.zeros((2, wide) if c.reset_after else (wide,), c.dtype)
    return SMALL_CELLS[c.cell](Wx, Wh, b, memory, **c.cell_options)


def quantize(model: Model, to: str = "int8") -> QuantizedModel:
    """Return a quantised copy of a trained model, which is not changed.

    Embedding, recurrent and output matrices are quantised; biases stay float32.

    Args:
        model: LanguageModel, SimpleRnnlm, Rnnlm, BetterRnnlm or AwdLstm; a float64 model is rounded to float32 first.
        to: int8, a quarter the size of float32, or float16, half of it.

    Raises:
        InputError: another kind of model, or weights that are not finite, or beyond the range of float16.
    """
    one_of("to", to, KINDS)
    kind = type(instance_of("model", model, Model)).__name__
    if isinstance(model, QuantizedModel):
        raise InputError(f"model must not have small weights already, got {model.config.weights}: take its source")
    if kind not in SOURCES or kind != model.config.model:
        raise InputError(f"model must be one of {', '.join(SOURCES)} to have small weights, got {kind}")
    if name := model.not_finite():
        raise InputError(f"weights must be finite to be quantized, and {name} is not")
    fields = {**asdict(model.config), "model": "QuantizedModel", "dtype": "float32"}
    small = QuantizedModel(QuantizedConfig(**fields, source=kind, weights=to))
    shapes = {name: p.shape for name, p in zip(small.names, small.params)}
    for name, weights in zip(model.names, model.params):
        if shapes.get(name) != weights.shape:
            raise InputError(
                f"{name} {weights.shape} of this {kind} has no small weights: it is kept as {weights.dtype}"
            )
    for name, weights in zip(model.names, model.params):
        layer, _, own = name.rpartition(".")
        _fill(small.stack.layers[layer], name, own, weights)
    small.head.ignore_label = model.head.ignore_label
    return small


def _fill(layer: Any, name: str, own: str, weights: Array) -> None:
    """Quantise a matrix of the original model into a layer, or copy a bias."""
    weights = weights.astype("float32", copy=False)
    if own in layer.small:
        layer.small[own].fill(name, weights)
    else:
        layer.params[layer.names.index(own)][...] = weights
