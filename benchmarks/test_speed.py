"""Speed of layers, of the train step, and of what a trained model is for.

    pytest benchmarks --benchmark-only --benchmark-save numpy
    RNNLM_DEVICE=cuda pytest benchmarks --benchmark-only --benchmark-save cupy
    pytest-benchmark compare

The names of the benchmarks do not depend on the backend, so that two runs can be compared.
"""

import numpy as np
import pytest

from benchmarks.cases import CASES
from benchmarks.contestants import contestant
from rnnlm import (
    TimeAffine,
    TimeAffineWithLoss,
    TimeDropout,
    TimeEmbedding,
    TimeGRU,
    TimeLSTM,
    TimeRNN,
    TimeSoftmaxWithLoss,
    evaluate,
    read_corpus,
)
from rnnlm.backend import ops

SIZES = {"seed": "seed", "book": "book-lstm", "better": "better"}  # whose N, T, D, H, V a layer is measured with
LAYERS = ("embedding", "affine", "dropout", "rnn", "lstm", "gru", "loss", "output")
TRAINING = [name for name, case in CASES.items() if case.task == "training"]
OTHERS = [name for name in CASES if name not in TRAINING]
EVALUATED = 2049  # tokens
LINES, WORDS_A_LINE = 9_000, 22  # about 1 MB of text


def draw(*shape):
    return ops.asarray(0.1 * np.random.default_rng(0).standard_normal(shape), np.float32)


def steps(*shape):
    """An (N, T, ...) array in the memory order of a layer."""
    N, T, *rest = shape
    return draw(T, N, *rest).swapaxes(0, 1)


def finished(function):
    """`function`, and the device has done it."""

    def call():
        function()
        ops.synchronize()

    return call


def recurrent(kind, D, H):
    """A recurrent layer; the GRU as the cases have it."""
    cls, gates = {"rnn": (TimeRNN, 1), "lstm": (TimeLSTM, 4), "gru": (TimeGRU, 3)}[kind]
    after = {"reset_after": True} if kind == "gru" else {}
    return cls(draw(D, gates * H), draw(H, gates * H), draw(2, gates * H) if after else draw(gates * H), **after)


def both_ways(kind, case):
    """A layer's forward and its backward, without arguments, at the sizes of a case."""
    (xs, ts), N, T = map(ops.asarray, case.inputs()[0]), case.N, case.T
    D, H, V = case.sizes.D, case.sizes.H, case.sizes.V
    if kind == "loss":
        loss, scores = TimeSoftmaxWithLoss(), steps(N, T, V)
        return lambda: loss.forward(scores, ts), loss.backward
    if kind == "output":
        output, hs = TimeAffineWithLoss(TimeAffine(draw(H, V), draw(V))), steps(N, T, H)
        return lambda: output.forward(hs, ts), output.backward
    layer, inputs, dys = {
        "embedding": lambda: (TimeEmbedding(draw(V, D)), xs, steps(N, T, D)),
        "affine": lambda: (TimeAffine(draw(H, V), draw(V)), steps(N, T, H), steps(N, T, V)),
        "dropout": lambda: (TimeDropout(0.5), steps(N, T, H), steps(N, T, H)),
    }.get(kind, lambda: (recurrent(kind, D, H), steps(N, T, D), steps(N, T, H)))()
    return lambda: layer.forward(inputs), lambda: layer.backward(dys)


@pytest.fixture(autouse=True)
def as_in_a_model():
    with ops.one_blas_thread:
        yield


@pytest.fixture(params=SIZES)
def sized(request):
    return CASES[SIZES[request.param]]


@pytest.mark.parametrize("kind", LAYERS)
def test_layer_forward(benchmark, sized, kind):
    forward, _ = both_ways(kind, sized)
    benchmark(finished(forward))


@pytest.mark.parametrize("kind", LAYERS)
def test_layer_forward_and_backward(benchmark, sized, kind):
    forward, backward = both_ways(kind, sized)
    benchmark(finished(lambda: (forward(), backward())))


@pytest.mark.parametrize("name", TRAINING)
def test_train_step(benchmark, name):
    runner = contestant("ours", CASES[name], None)
    window = runner.place(*CASES[name].inputs()[0])
    benchmark(finished(lambda: runner.step(*window)))


@pytest.mark.parametrize("name", OTHERS)
def test_score_and_generate(benchmark, name):
    runner, inputs = contestant("ours", CASES[name], None), CASES[name].inputs()[0]
    benchmark(lambda: runner.step(*inputs))


@pytest.mark.parametrize("name", ["seed", "book-rnn", "book-lstm", "book-gru"])
def test_evaluate(benchmark, name):
    sizes = CASES[name].sizes
    model, corpus = sizes.model(), sizes.words(np.random.default_rng(0), EVALUATED)
    benchmark(lambda: evaluate(model, corpus))


def test_read_corpus(benchmark, tmp_path):
    path = tmp_path / "text.txt"
    ids = CASES["book-rnn"].sizes.words(np.random.default_rng(0), (LINES, WORDS_A_LINE))
    path.write_text("".join(" ".join(f"w{i}" for i in line) + "\n" for line in ids))
    benchmark(lambda: read_corpus(path))
