"""Heads: their losses, their ways back, their scores and hits."""

from collections.abc import Callable
from typing import Any

import numpy as np

from rnnlm.backend import ops
from rnnlm.layers import (
    BinaryCrossEntropy,
    CategoricalCrossEntropy,
    EachTarget,
    EmbeddingDot,
    Losses,
    MatMul,
    MeanSquaredError,
    NegativeSamplingLoss,
    SigmoidWithLoss,
    SoftmaxWithLoss,
    SparseCategoricalCrossEntropy,
    TimeAdaptiveSoftmaxWithLoss,
    TimeAffine,
    TimeAffineWithLoss,
    TimeSoftmaxWithLoss,
    UnigramSampler,
)  # fmt: skip
from tests.odd_arguments import Call, Entry, entries, entry, method, numbers
from tests.odd_arguments.of_layers import D, H, N, T, V, floats, ids, layer

WITH_IDS = (
    "TimeSoftmaxWithLoss",
    "SoftmaxWithLoss",
    "TimeAffineWithLoss",
    "TimeAdaptiveSoftmaxWithLoss",
    "SparseCategoricalCrossEntropy",
    "EachTarget",
)
XS = {"h": ("xs", "the outputs"), "ts": ("the outputs",)}


def corpus() -> Any:
    return np.arange(12) % V


def head(name: str, make: Callable[[], Any], inputs: Callable[[], dict[str, Any]], hits: bool = True) -> None:
    """Entries for all that a head does; targets that are numbers may be of any type of number."""
    takes = {} if name in WITH_IDS else {"ts": (np.ndarray,)}
    method(f"{name}.loss", make, "loss", lambda: inputs() | {"keep": True}, also=XS, takes=takes)

    def back() -> Call:
        made = make()
        made.loss(**inputs())
        return Call(lambda dout: [numbers(made.backward(dout)), numbers(made.grads)], {"dout": 0.5})

    entries.append(Entry(f"{name}.backward", back, takes={"dout": (np.ndarray,)}))
    if make().ignores:
        entry(
            f"{name}.ignore_label",
            lambda value: setattr(make(), "ignore_label", value),
            lambda: {"value": 3},
            also={"value": ("ignore_label",)},
        )
    if hits:
        method(f"{name}.hits", make, "hits", inputs, also=XS, takes=takes)


def window() -> dict[str, Any]:
    ts = ids(N, T)
    ts[0, 0] = -1
    return {"h": floats(N, T, V), "ts": ts}


def classes() -> dict[str, Any]:
    return {"h": floats(N, V), "ts": ids(N)}


def shares(*shape: int) -> Any:
    """Numbers in (0, 1), whose rows add up to 1."""
    some = floats(*shape) + 1.5
    return some / some.sum(axis=-1, keepdims=True)


def one_hot() -> dict[str, Any]:
    return {"h": floats(N, V), "ts": ops.asarray(np.eye(V, dtype=np.float32)[[1, 2]])}


def affine() -> Any:
    return TimeAffineWithLoss(TimeAffine(floats(D, V), floats(V)))


def adaptive() -> Any:
    clusters = [(MatMul(floats(D, 2)), TimeAffine(floats(2, words), floats(words))) for words in (1, V - 3)]
    return TimeAdaptiveSoftmaxWithLoss(TimeAffine(floats(D, 4), floats(4)), clusters)


head("TimeSoftmaxWithLoss", TimeSoftmaxWithLoss, window, hits=False)
head("TimeAdaptiveSoftmaxWithLoss", adaptive, lambda: window() | {"h": floats(N, T, D)}, hits=False)
head("SoftmaxWithLoss", SoftmaxWithLoss, classes)
head("SoftmaxWithLoss, one-hot", SoftmaxWithLoss, one_hot)
head("TimeAffineWithLoss", affine, lambda: window() | {"h": floats(N, T, D)}, hits=False)
head("MeanSquaredError", MeanSquaredError, lambda: {"h": floats(N, D), "ts": floats(N, D)}, hits=False)
head("BinaryCrossEntropy", BinaryCrossEntropy, lambda: {"h": shares(N, 2), "ts": shares(N, 2)})
head("SigmoidWithLoss", SigmoidWithLoss, lambda: {"h": floats(N, 1), "ts": ops.asarray(np.array([0, 1]))})
head("CategoricalCrossEntropy", CategoricalCrossEntropy, lambda: {"h": shares(N, V), "ts": shares(N, V)})
head("SparseCategoricalCrossEntropy", SparseCategoricalCrossEntropy, lambda: {"h": shares(N, V), "ts": ids(N)})
head("EachTarget", lambda: EachTarget(SoftmaxWithLoss()), lambda: {"h": floats(N, V), "ts": ids(N, 2)}, hits=False)
head(
    "NegativeSamplingLoss",
    lambda: NegativeSamplingLoss(floats(V, H), corpus()),
    lambda: {"h": floats(N, H), "ts": ids(N)},
    hits=False,
)
head(
    "Losses",
    lambda: Losses(MeanSquaredError(), SoftmaxWithLoss(), weights=[1, 2]),
    lambda: {"h": (floats(N, D), floats(N, V)), "ts": (floats(N, D), ids(N))},
    hits=False,
)
entry(
    "Losses(weights)",
    lambda weights: Losses(MeanSquaredError(), SoftmaxWithLoss(), weights=weights).weights,
    lambda: {"weights": [1.0, 2.0]},
    takes={"weights": (type(None), np.ndarray)},
)
entry("Losses(head)", lambda head: Losses(head).heads, lambda: {"head": MeanSquaredError()}, also={"head": ("heads",)})
entry("EachTarget(head)", EachTarget, lambda: {"head": SoftmaxWithLoss()})
entry("TimeAffineWithLoss(affine)", TimeAffineWithLoss, lambda: {"affine": TimeAffine(floats(D, V), floats(V))})
for called, h in (("scores", floats(N, T, D)), ("next_scores", floats(N, D))):
    method(f"TimeAffineWithLoss.{called}", affine, called, lambda h=h: {"h": h}, also=XS)
    method(f"TimeAdaptiveSoftmaxWithLoss.{called}", adaptive, called, lambda h=h: {"h": h}, also=XS)
method(
    "TimeAdaptiveSoftmaxWithLoss.set_frequencies",
    adaptive,
    "set_frequencies",
    lambda: {"counts": np.arange(V)},
    takes={"counts": (list, tuple, range, memoryview, np.ndarray)},
)
entry(
    "TimeAdaptiveSoftmaxWithLoss",
    TimeAdaptiveSoftmaxWithLoss,
    lambda: {
        "first": TimeAffine(floats(D, 3), floats(3)),
        "clusters": [(MatMul(floats(D, 2)), TimeAffine(floats(2, 4), floats(4)))],
    },
    also={"first": ("clusters", "cluster 1"), "clusters": ("cluster 1", "first")},
)
method("TimeSoftmaxWithLoss.next_scores", TimeSoftmaxWithLoss, "next_scores", lambda: {"h": floats(N, V)}, also=XS)
method(
    "NegativeSamplingLoss.scores",
    lambda: NegativeSamplingLoss(floats(V, H), corpus()),
    "scores",
    lambda: {"h": floats(N, H)},
)
method(
    "NegativeSamplingLoss.loss_of",
    lambda: NegativeSamplingLoss(floats(V, H), corpus()),
    "loss_of",
    lambda: {"h": floats(N, H), "idx": ids(N, 3), "keep": True},
)
sampling = {"corpus": corpus, "power": 0.75, "sample_size": 2, "seed": 3}


def sampled(**given: Any) -> Any:
    return [(one := UnigramSampler(**given)).word_p, one.get_negative_sample(ids(N))]


entry(
    "UnigramSampler",
    sampled,
    lambda: sampling | {"corpus": corpus()},
    takes={"corpus": (list, tuple, range, memoryview)},
)
entry(
    "NegativeSamplingLoss()",
    lambda **given: NegativeSamplingLoss(**given).loss(floats(N, H), ids(N)),
    lambda: sampling | {"W": floats(V, H), "corpus": corpus()},
    takes={"corpus": (list, tuple, range, memoryview)},
    also={"W": ("corpus", "h must")},
)
method(
    "UnigramSampler.get_negative_sample",
    lambda: UnigramSampler(corpus()),
    "get_negative_sample",
    lambda: {"target": ids(N)},
    takes={"target": (list, tuple, range, memoryview)},
)
layer(
    "EmbeddingDot",
    EmbeddingDot,
    {"W": lambda: floats(V, H)},
    lambda: {"h": floats(N, H), "idx": ids(N, 2)},
    "dout",
    also={"W": ("h must", "idx")},
)
