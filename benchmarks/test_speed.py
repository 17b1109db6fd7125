"""Speed of layers and of the train step.

    pytest benchmarks --benchmark-only --benchmark-save numpy
    RNNLM_BACKEND=cupy pytest benchmarks --benchmark-only --benchmark-save cupy
    pytest-benchmark compare

The names of the benchmarks do not depend on the backend, so that two runs can be compared.
"""

import numpy as np
import pytest

from benchmarks.cases import CASES
from benchmarks.contestants import Ours
from rnnlm import TimeAffine, TimeEmbedding, TimeRNN, TimeSoftmaxWithLoss, evaluate, generate
from rnnlm.backend import ops


@pytest.fixture(params=CASES)
def case(request):
    return CASES[request.param]


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


def layer_of(kind, c):
    ids = ops.asarray(c.windows(1)[0][0])
    return {
        "embedding": lambda: (TimeEmbedding(draw(c.V, c.D)), ids, steps(c.N, c.T, c.D)),
        "rnn": lambda: (
            TimeRNN(draw(c.D, c.H), draw(c.H, c.H), draw(c.H)),
            steps(c.N, c.T, c.D),
            steps(c.N, c.T, c.H),
        ),
        "affine": lambda: (TimeAffine(draw(c.H, c.V), draw(c.V)), steps(c.N, c.T, c.H), steps(c.N, c.T, c.V)),
    }[kind]()


@pytest.mark.parametrize("kind", ["embedding", "rnn", "affine"])
def test_layer_forward(benchmark, case, kind):
    layer, xs, _ = layer_of(kind, case)
    benchmark(finished(lambda: layer.forward(xs)))


@pytest.mark.parametrize("kind", ["embedding", "rnn", "affine"])
def test_layer_forward_and_backward(benchmark, case, kind):
    layer, xs, dys = layer_of(kind, case)
    benchmark(finished(lambda: (layer.forward(xs), layer.backward(dys))))


def test_loss_forward_and_backward(benchmark, case):
    layer, xs, ts = TimeSoftmaxWithLoss(), steps(case.N, case.T, case.V), ops.asarray(case.windows(1)[0][1])
    benchmark(finished(lambda: (layer.forward(xs, ts), layer.backward())))


def test_train_step(benchmark, case):
    runner, (xs, ts) = Ours(case), case.windows(1)[0]
    benchmark(lambda: runner.step(xs, ts))


def test_evaluate(benchmark, case):
    model, corpus = Ours(case).model, np.random.default_rng(0).integers(0, case.V, 2049)
    benchmark(lambda: evaluate(model, corpus))


def test_generate(benchmark, case):
    model = Ours(case).model
    benchmark(lambda: generate(model, 0, sample_size=50, seed=0))
