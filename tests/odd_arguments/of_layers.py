"""Layers: how they are made, their ways forward and back, their states."""

from collections.abc import Callable
from typing import Any

import numpy as np

from rnnlm.backend import ops
from rnnlm.layers import (
    GRU,
    LSTM,
    RNN,
    Affine,
    Attention,
    AttentionWeight,
    Concatenate,
    Dense,
    Dropout,
    Embedding,
    MatMul,
    MeanOverTime,
    ReLU,
    Sigmoid,
    Softmax,
    Split,
    Step,
    Tanh,
    TimeActivationRegularization,
    TimeAffine,
    TimeAttention,
    TimeBiGRU,
    TimeBiLSTM,
    TimeBiRNN,
    TimeContextEmbedding,
    TimeDropout,
    TimeEmbedding,
    TimeGRU,
    TimeLSTM,
    TimeRNN,
    WeightSum,
    functions,
)  # fmt: skip
from tests.odd_arguments import Call, Entry, entries, entry, numbers

N, T, D, H, V = 2, 3, 4, 5, 6


def floats(*shape: int, seed: int = 0, dtype: str = "float32") -> Any:
    """Numbers of the backend's, the same each time."""
    return ops.asarray(np.random.default_rng(seed).uniform(-1, 1, shape).astype(dtype))


def ids(*shape: int, high: int = V, dtype: str = "int64") -> Any:
    """Ids of the backend's, the same each time."""
    return ops.asarray(np.random.default_rng(1).integers(0, high, shape).astype(dtype))


def layer(
    name: str,
    make: Callable[..., Any],
    given: dict[str, Any],
    inputs: Callable[[], dict[str, Any]],
    back: str,
    **options: Any,
) -> None:
    """Three entries: make the layer and run it; its forward; its backward, with `back` for the gradient's name."""

    def fresh(**changed: Any) -> Any:
        made = make(**{key: value() if callable(value) else value for key, value in given.items()} | changed)
        made.draw(1, 0)
        for mask in made.masks:
            mask.seed(1, 2)
        return made

    def run(made: Any) -> Any:
        ys = made.forward(**inputs())
        kept = numbers(ys)
        dxs = made.backward(*(gradients(ys) if isinstance(ys, tuple) and back != "dys" else [gradients(ys)]))
        return [kept, numbers(dxs), numbers(made.grads)]

    def arguments() -> dict[str, Any]:
        return {key: value() if callable(value) else value for key, value in given.items()}

    also = {key: (*inputs(), *back.split(), *given, "dh") for key in given} | options.pop("also", {})
    entry(f"{name}()", lambda **changed: run(fresh(**changed)), arguments, also=also, **options)
    entries.append(Entry(f"{name}.forward", lambda: Call(fresh().forward, inputs()), takes={"lengths": (type(None),)}))

    def backward() -> Call:
        made = fresh()
        dys = gradients(made.forward(**inputs()))
        names = back.split()
        return Call(
            lambda **changed: [numbers(made.backward(*(changed[key] for key in names))), numbers(made.grads)],
            dict(zip(names, dys if isinstance(dys, tuple) and len(names) > 1 else (dys,))),
        )

    entries.append(Entry(f"{name}.backward", backward, also={"dh_next": ("dh",), "dc_next": ("dc",)}))


def gradients(ys: Any) -> Any:
    """Gradients of outputs."""
    if isinstance(ys, tuple):
        return tuple(gradients(y) for y in ys)
    return floats(*ys.shape, seed=7)


def rows() -> dict[str, Any]:
    return {"xs": floats(N, D)}


def window() -> dict[str, Any]:
    return {"xs": floats(N, T, D)}


def with_lengths() -> dict[str, Any]:
    return {"xs": floats(N, T, D), "lengths": ops.asarray(np.array([3, 1]))}


def weights(gates: int, biases: int = 1) -> dict[str, Any]:
    b = (gates * H,) if biases == 1 else (2, gates * H)
    return {"Wx": lambda: floats(D, gates * H), "Wh": lambda: floats(H, gates * H), "b": lambda: floats(*b)}


for cls in (Sigmoid, Tanh, ReLU, Step, Softmax):
    layer(cls.__name__, cls, {}, rows, "dys")
layer("MatMul", MatMul, {"W": lambda: floats(D, H)}, rows, "dys")
layer("Affine", Affine, {"W": lambda: floats(D, H), "b": lambda: floats(H)}, rows, "dys")
layer("TimeAffine", TimeAffine, {"W": lambda: floats(D, H), "b": lambda: floats(H)}, window, "dys")
layer(
    "Dense",
    Dense,
    {"inputs": D, "outputs": H, "init": "he", "dtype": "float32"},
    rows,
    "dys",
    takes={"dtype": (type, np.dtype, bytes)},
)
layer("Dropout", Dropout, {"dropout_ratio": 0.5}, rows, "dys")
layer("TimeDropout", TimeDropout, {"dropout_ratio": 0.5, "variational": True}, window, "dys")
for cls in (Embedding, TimeEmbedding):
    layer(cls.__name__, cls, {"W": lambda: floats(V, D), "dropout_ratio": 0.25}, lambda: {"ids": ids(N, T)}, "dxs")
layer(
    "Embedding.of_size",
    Embedding.of_size,
    {"words": V, "length": D, "dtype": "float32", "dropout_ratio": 0.25},
    lambda: {"ids": ids(N, T)},
    "dxs",
    takes={"dtype": (type, np.dtype, bytes)},
)
layer(
    "TimeContextEmbedding",
    TimeContextEmbedding,
    {"W": lambda: floats(V, D), "context": 2, "mean": True},
    lambda: {"ids": ids(N, T)},
    "dys",
)
layer("MeanOverTime", MeanOverTime, {}, with_lengths, "dys")
layer("TimeActivationRegularization", TimeActivationRegularization, {"ar": 2.0, "tar": 1.0}, window, "dys")
for cls, gates in ((TimeRNN, 1), (TimeLSTM, 4), (TimeGRU, 3)):
    options = {"stateful": False, "return_sequences": False, "weight_drop": 0.25, "recurrent_dropout": 0.25}
    layer(cls.__name__, cls, weights(gates) | options, with_lengths, "dhs")
layer("TimeRNN of relu", TimeRNN, weights(1) | {"activation": "relu"}, window, "dhs")
layer("TimeGRU after", TimeGRU, weights(3, 2) | {"reset_after": True}, window, "dhs")
of_size = {"inputs": D, "hidden": H, "dtype": "float32"}
layer("TimeLSTM.of_size", TimeLSTM.of_size, of_size, window, "dhs", takes={"dtype": (type, np.dtype, bytes)})
for cls, gates in ((TimeBiRNN, 1), (TimeBiLSTM, 4), (TimeBiGRU, 3)):
    twice = {f"{key}{k}": value for k in (1, 2) for key, value in weights(gates).items()}
    layer(
        cls.__name__,
        cls,
        twice | {"stateful": False, "return_sequences": True},
        with_lengths,
        "dhs",
        also=dict.fromkeys(twice, ("Wx", "Wh", "b ", "xs", "the weights of the layer that reads back")),
    )
layer("RNN", RNN, weights(1), lambda: {"x": floats(N, D), "h_prev": floats(N, H)}, "dh_next")
layer("GRU", GRU, weights(3) | {"reset_after": False}, lambda: {"x": floats(N, D), "h_prev": floats(N, H)}, "dh_next")
layer(
    "LSTM",
    LSTM,
    weights(4),
    lambda: {"x": floats(N, D), "h_prev": floats(N, H), "c_prev": floats(N, H)},
    "dh_next dc_next",
)
layer("WeightSum", WeightSum, {}, lambda: {"hs": floats(N, T, H), "a": floats(N, T)}, "dc")
layer("AttentionWeight", AttentionWeight, {}, lambda: {"hs": floats(N, T, H), "h": floats(N, H)}, "da")
layer("Attention", Attention, {}, lambda: {"hs": floats(N, T, H), "h": floats(N, H)}, "dc")
layer(
    "TimeAttention",
    TimeAttention,
    {},
    lambda: {"hs_enc": floats(N, T, H), "hs_dec": floats(N, 2, H), "lengths": ops.asarray(np.array([3, 1]))},
    "dc",
)


def branches(kind: Any) -> Callable[..., Any]:
    return lambda first=None, second=None: kind(
        first or [Affine(floats(D, H), floats(H))], [Affine(floats(D, 2), floats(2))] if second is None else second
    )


layer("Concatenate", branches(Concatenate), {}, lambda: {"xs": (floats(N, D), floats(N, D))}, "dys")
layer("Split", branches(Split), {}, rows, "dys")
entry(
    "Concatenate(branch)",
    lambda branch: Concatenate(branch, []).forward((floats(N, D), floats(N, D))),
    lambda: {"branch": [Sigmoid()]},
    takes={"branch": (dict, tuple, np.ndarray)},
    also={"branch": ("layer",)},
)

for name in ("step", "sigmoid", "sigmoid_slope", "relu", "relu_slope", "tanh", "tanh_slope", "softmax"):
    entry(name, getattr(functions, name), lambda: {"x": floats(N, D)}, takes={"x": (object,)})


def states(name: str, make: Callable[[], Any], state: Callable[[], dict[str, Any]], run: Callable[[Any], Any]) -> None:
    """An entry: a state is set, and a window follows."""

    def made() -> Call:
        one = make()
        return Call(lambda **arrays: [one.set_state(*arrays.values()), run(one)], state())

    entries.append(Entry(f"{name}.set_state", made, takes=dict.fromkeys(state(), (type(None),))))


def recurrent(cls: Any, gates: int) -> Callable[[], Any]:
    return lambda: cls(**{key: value() for key, value in weights(gates).items()}, stateful=True)


states("TimeRNN", recurrent(TimeRNN, 1), lambda: {"h": floats(N, H)}, lambda one: one.forward(**window()))
states(
    "TimeLSTM",
    recurrent(TimeLSTM, 4),
    lambda: {"h": floats(N, H), "c": floats(N, H)},
    lambda one: one.forward(**window()),
)
states(
    "TimeContextEmbedding",
    lambda: TimeContextEmbedding(floats(V, D), 3),
    lambda: {"ids": ids(N, 2)},
    lambda one: one.forward(ids(N, T)),
)
for attribute, cls in (("train_flg", Sigmoid), ("stateful", TimeRNN), ("return_sequences", TimeRNN)):

    def setting(one: Any, attribute: str = attribute, **value: Any) -> None:
        setattr(one, attribute, value["value"])

    entry(
        f"{cls.__name__}.{attribute}",
        lambda value, set_it=setting: set_it(TimeRNN(**{k: v() for k, v in weights(1).items()}), value=value),
        lambda: {"value": True},
        also={"value": (attribute,)},
    )
