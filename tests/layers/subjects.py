"""Layers and heads, each with inputs of any size and with its equation: what properties are tried on."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from rnnlm.layers import (
    GRU,
    LSTM,
    RNN,
    Affine,
    Attention,
    AttentionWeight,
    BinaryCrossEntropy,
    CategoricalCrossEntropy,
    Concatenate,
    EachTarget,
    Embedding,
    EmbeddingDot,
    Losses,
    MatMul,
    MeanOverTime,
    MeanSquaredError,
    ReLU,
    Sigmoid,
    SigmoidWithLoss,
    Softmax,
    SoftmaxWithLoss,
    SparseCategoricalCrossEntropy,
    Split,
    Step,
    Tanh,
    TimeActivationRegularization,
    TimeAdaptiveSoftmaxWithLoss,
    TimeAffine,
    TimeAffineWithLoss,
    TimeAttention,
    TimeBiGRU,
    TimeBiLSTM,
    TimeBiRNN,
    TimeContextEmbedding,
    TimeEmbedding,
    TimeGRU,
    TimeLSTM,
    TimeRNN,
    TimeSoftmaxWithLoss,
    WeightSum,
)
from tests import reference


@dataclass(frozen=True)
class Sizes:
    """N sequences, T steps, D inputs, H hidden units, V words."""

    N: int
    T: int
    D: int
    H: int
    V: int


@dataclass(frozen=True)
class Subject:
    """A layer.

    Attributes:
        make: it, from `draw(*shape)`, which gives an array, and the sizes.
        inputs: arguments of forward by name, NumPy arrays, from a generator and the sizes.
        equation: its outputs, from its parameters and its inputs.
    """

    make: Callable[[Any, Sizes], Any]
    inputs: Callable[[np.random.Generator, Sizes], dict[str, Any]]
    equation: Callable[..., Any]


def away(rng, *shape):
    """Numbers away from 0, where some functions have a kink."""
    return rng.choice([-1, 1], shape) * rng.uniform(0.1, 2, shape)


def lengths(rng, s):
    return rng.integers(1, s.T + 1, s.N)


def rows(rng, s):
    return {"xs": away(rng, s.N, s.D)}


def window(rng, s):
    return {"xs": away(rng, s.N, s.T, s.D)}


def with_lengths(rng, s):
    return {"xs": rng.standard_normal((s.N, s.T, s.D)), "lengths": lengths(rng, s)}


def ids(rng, s):
    return {"ids": rng.integers(0, s.V, (s.N, s.T))}


def one_step(rng, s, *states):
    return {"x": rng.standard_normal((s.N, s.D))} | {name: rng.standard_normal((s.N, s.H)) for name in states}


def of(gates, biases=1):
    """Weights of a recurrent layer."""
    return lambda draw, s: (draw(s.D, gates * s.H), draw(s.H, gates * s.H), draw(*[2][: biases - 1], gates * s.H))


def recurrent(cls, cell, gates, states=1, biases=1, **options):
    """Of all rows' own ends."""
    return Subject(
        lambda draw, s: cls(*of(gates, biases)(draw, s), return_sequences=False, **options),
        with_lengths,
        lambda params, xs, lengths: reference.ends(reference.over_rows(cell, xs, lengths, params, states), lengths),
    )


def both(cls, cell, gates, states=1):
    return Subject(
        lambda draw, s: cls(*of(gates)(draw, s), *of(gates)(draw, s)),
        with_lengths,
        lambda params, xs, lengths: reference.both_ways(cell, xs, lengths, params, states),
    )


def step(cls, cell, gates, *states):
    return Subject(
        lambda draw, s: cls(*of(gates)(draw, s)),
        lambda rng, s: one_step(rng, s, *states),
        lambda params, x, *state: [*cell(x[:, None], *state, *params)[1:]],
    )


def sequence(cls, cell, gates, states=1, biases=1, **options):
    """Of all hidden states."""
    return Subject(
        lambda draw, s: cls(*of(gates, biases)(draw, s), **options),
        window,
        lambda params, xs: reference.over_rows(cell, xs, [xs.shape[1]] * len(xs), params, states),
    )


def plain(cls, equation, inputs=rows):
    """Without parameters."""
    return Subject(lambda draw, s: cls(), inputs, lambda params, *given: equation(*given))


LAYERS = {
    "sigmoid": plain(Sigmoid, reference.sigmoid, window),
    "tanh": plain(Tanh, np.tanh),
    "relu": plain(ReLU, lambda x: np.where(x > 0, x, 0), window),
    "step": plain(Step, lambda x: np.where(x > 0, 1.0, 0.0)),
    "softmax": plain(Softmax, reference.softmax, window),
    "matmul": Subject(lambda draw, s: MatMul(draw(s.D, s.H)), rows, lambda params, xs: xs @ params[0]),
    "affine": Subject(lambda draw, s: Affine(draw(s.D, s.H), draw(s.H)), rows, lambda params, xs: xs @ params[0] + params[1]),
    "time affine": Subject(
        lambda draw, s: TimeAffine(draw(s.D, s.H), draw(s.H)), window, lambda params, xs: reference.affine(xs, *params)
    ),
    "embedding": Subject(
        lambda draw, s: Embedding(draw(s.V, s.D)),
        lambda rng, s: {"ids": rng.integers(0, s.V, s.N)},
        lambda params, ids: np.array([params[0][i] for i in ids]),
    ),
    "time embedding": Subject(lambda draw, s: TimeEmbedding(draw(s.V, s.D)), ids, lambda params, ids: reference.embedding(ids, *params)),
    "contexts": Subject(
        lambda draw, s: TimeContextEmbedding(draw(s.V, s.D), 3),
        ids,
        lambda params, ids: reference.contexts(ids, params[0], 3).reshape(*ids.shape, -1),
    ),
    "mean of contexts": Subject(
        lambda draw, s: TimeContextEmbedding(draw(s.V, s.D), 3, mean=True),
        ids,
        lambda params, ids: reference.contexts(ids, params[0], 3).mean(axis=2),
    ),
    "mean of whole windows": plain(MeanOverTime, lambda xs: xs.mean(axis=1), window),
    "mean over time": plain(MeanOverTime, reference.mean_over_time, with_lengths),
    "rnn": sequence(TimeRNN, reference.rnn, 1),
    "lstm": sequence(TimeLSTM, reference.lstm, 4, 2),
    "gru": sequence(TimeGRU, reference.gru, 3),
    "gru after": sequence(TimeGRU, reference.gru_after, 3, biases=2, reset_after=True),
    "rnn's end": recurrent(TimeRNN, reference.rnn, 1),
    "lstm's end": recurrent(TimeLSTM, reference.lstm, 4, 2),
    "gru's end": recurrent(TimeGRU, reference.gru, 3),
    "gru after's end": recurrent(TimeGRU, reference.gru_after, 3, biases=2, reset_after=True),
    "both ways, rnn": both(TimeBiRNN, reference.rnn, 1),
    "both ways, lstm": both(TimeBiLSTM, reference.lstm, 4, 2),
    "both ways, gru": both(TimeBiGRU, reference.gru, 3),
    "both ways, whole windows": Subject(
        lambda draw, s: TimeBiGRU(*of(3)(draw, s), *of(3)(draw, s)),
        window,
        lambda params, xs: reference.both_ways(reference.gru, xs, [xs.shape[1]] * len(xs), params),
    ),
    "rnn's step": step(RNN, reference.rnn, 1, "h_prev"),
    "lstm's step": step(LSTM, reference.lstm, 4, "h_prev", "c_prev"),
    "gru's step": step(GRU, reference.gru, 3, "h_prev"),
}  # fmt: skip


def encoded(rng, s, *more):
    """Hidden states of an encoder, and what else an attention takes."""
    shapes = {"h": (s.N, s.H), "a": (s.N, s.T), "hs_dec": (s.N, s.V, s.H)}
    return {name: rng.standard_normal(shapes.get(name, (s.N, s.T, s.H))) for name in more}


LAYERS |= {
    "weight sum": plain(
        WeightSum, lambda hs, a: np.einsum("nth,nt->nh", hs, a), lambda rng, s: encoded(rng, s, "hs", "a")
    ),
    "attention weight": plain(
        AttentionWeight,
        lambda hs, h: reference.attention(hs, h[:, None])[1][:, 0],
        lambda rng, s: encoded(rng, s, "hs", "h"),
    ),
    "attention": plain(
        Attention, lambda hs, h: reference.attention(hs, h[:, None])[0][:, 0], lambda rng, s: encoded(rng, s, "hs", "h")
    ),
    "time attention": plain(
        TimeAttention,
        lambda hs_enc, hs_dec, lengths: reference.attention(hs_enc, hs_dec, lengths)[0],
        lambda rng, s: encoded(rng, s, "hs_enc", "hs_dec") | {"lengths": lengths(rng, s)},
    ),
    "time attention of whole windows": plain(
        TimeAttention,
        lambda hs_enc, hs_dec: reference.attention(hs_enc, hs_dec)[0],
        lambda rng, s: encoded(rng, s, "hs_enc", "hs_dec"),
    ),
    "concatenate": Subject(
        lambda draw, s: Concatenate(Affine(draw(s.D, s.H), draw(s.H)), Tanh()),
        lambda rng, s: {"xs": (rng.standard_normal((s.N, s.D)), rng.standard_normal((s.N, s.V)))},
        lambda params, xs: np.concatenate([xs[0] @ params[0] + params[1], np.tanh(xs[1])], axis=1),
    ),
    "split": Subject(
        lambda draw, s: Split(MatMul(draw(s.D, s.H)), [], [Tanh(), Sigmoid()]),
        rows,
        lambda params, xs: [xs @ params[0], xs, reference.sigmoid(np.tanh(xs))],
    ),
    "embedding dot": Subject(
        lambda draw, s: EmbeddingDot(draw(s.V, s.H)),
        lambda rng, s: {"h": rng.standard_normal((s.N, s.H)), "idx": rng.integers(0, s.V, (s.N, s.T))},
        lambda params, h, idx: np.array([[vector @ params[0][i] for i in words] for vector, words in zip(h, idx)]),
    ),
    "regularization": plain(TimeActivationRegularization, lambda xs: xs, window),
}


# ---------------------------------------------------------------- heads


def targets(rng, s, *shape):
    """Some of them ignored, now and then all."""
    ts = rng.integers(0, s.V, shape)
    return np.where(rng.random(shape) < rng.choice([0, 0.3, 1]), -1, ts)


def shares(rng, *shape):
    """Rows of probabilities."""
    some = rng.uniform(0.05, 1, shape)
    return some / some.sum(axis=-1, keepdims=True)


def adaptive(draw, s):
    """Of V + 2 words, the last ones the most frequent: a shortlist of one, and clusters of one and of V."""
    clusters = [(MatMul(draw(s.H, d)), TimeAffine(draw(d, words), draw(words))) for d, words in ((s.D, 1), (1, s.V))]
    head = TimeAdaptiveSoftmaxWithLoss(TimeAffine(draw(s.H, 3), draw(3)), clusters)
    head.set_frequencies(np.arange(s.V + 2))
    return head


HEADS = {
    "softmax over time": Subject(
        lambda draw, s: TimeSoftmaxWithLoss(),
        lambda rng, s: {"h": rng.standard_normal((s.N, s.T, s.V)), "ts": targets(rng, s, s.N, s.T)},
        lambda params, h, ts: reference.cross_entropy(h, ts),
    ),
    "softmax": Subject(
        lambda draw, s: SoftmaxWithLoss(),
        lambda rng, s: {"h": rng.standard_normal((s.N, s.V)), "ts": targets(rng, s, s.N)},
        lambda params, h, ts: reference.cross_entropy(h, ts),
    ),
    "softmax of one-hot": Subject(
        lambda draw, s: SoftmaxWithLoss(),
        lambda rng, s: {"h": rng.standard_normal((s.N, s.V)), "ts": np.eye(s.V, dtype=int)[rng.integers(0, s.V, s.N)]},
        lambda params, h, ts: reference.cross_entropy(h, ts.argmax(axis=1)),
    ),
    "affine and softmax": Subject(
        lambda draw, s: TimeAffineWithLoss(TimeAffine(draw(s.H, s.V), draw(s.V))),
        lambda rng, s: {"h": rng.standard_normal((s.N, s.T, s.H)), "ts": targets(rng, s, s.N, s.T)},
        lambda params, h, ts: reference.cross_entropy(reference.affine(h, *params), ts),
    ),
    "adaptive softmax": Subject(
        adaptive,
        lambda rng, s: {"h": rng.standard_normal((s.N, s.T, s.H)), "ts": targets(rng, replace(s, V=s.V + 2), s.N, s.T)},
        lambda params, h, ts: reference.cross_entropy(
            reference.adaptive_softmax(h, np.arange(len(params[-1]) + 2)[::-1], *params), ts
        ),
    ),
    "squared error": Subject(
        lambda draw, s: MeanSquaredError(),
        lambda rng, s: {"h": rng.standard_normal((s.N, s.D)), "ts": rng.standard_normal((s.N, s.D))},
        lambda params, h, ts: reference.squared_error(h, ts),
    ),
    "binary cross-entropy": Subject(
        lambda draw, s: BinaryCrossEntropy(),
        lambda rng, s: {"h": rng.uniform(0.01, 0.99, (s.N, s.D)), "ts": rng.uniform(0, 1, (s.N, s.D))},
        lambda params, h, ts: reference.binary_cross_entropy(h, ts),
    ),
    "sigmoid": Subject(
        lambda draw, s: SigmoidWithLoss(),
        lambda rng, s: {"h": 3 * rng.standard_normal(s.N), "ts": rng.integers(0, 2, s.N)},
        lambda params, h, ts: reference.binary_cross_entropy(reference.sigmoid(h), ts),
    ),
    "categorical cross-entropy": Subject(
        lambda draw, s: CategoricalCrossEntropy(),
        lambda rng, s: {"h": shares(rng, s.N, s.V), "ts": shares(rng, s.N, s.V)},
        lambda params, h, ts: reference.categorical_cross_entropy(h, ts),
    ),
    "sparse categorical cross-entropy": Subject(
        lambda draw, s: SparseCategoricalCrossEntropy(),
        lambda rng, s: {"h": shares(rng, s.N, s.V), "ts": rng.integers(0, s.V, s.N)},
        lambda params, h, ts: reference.categorical_cross_entropy(h, np.eye(h.shape[1])[ts]),
    ),
    "each target": Subject(
        lambda draw, s: EachTarget(SoftmaxWithLoss()),
        lambda rng, s: {"h": rng.standard_normal((s.N, s.V)), "ts": rng.integers(0, s.V, (s.N, s.T))},
        lambda params, h, ts: sum(reference.cross_entropy(h, column) for column in ts.T),
    ),
    "losses": Subject(
        lambda draw, s: Losses(MeanSquaredError(), SoftmaxWithLoss(), weights=[0.5, 2]),
        lambda rng, s: {
            "h": (rng.standard_normal((s.N, s.D)), rng.standard_normal((s.N, s.V))),
            "ts": (rng.standard_normal((s.N, s.D)), targets(rng, s, s.N)),
        },
        lambda params, h, ts: 0.5 * reference.squared_error(h[0], ts[0]) + 2 * reference.cross_entropy(h[1], ts[1]),
    ),
}
