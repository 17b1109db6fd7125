"""Weights of PyTorch's layers, against its equations written out here: PyTorch itself is not needed."""

import numpy as np
import pytest

from rnnlm import (
    AwdLstm,
    BetterRnnlm,
    LanguageModel,
    ModelConfig,
    Rnnlm,
    SimpleRnnlm,
    build_model,
    from_torch,
    quantize,
    to_torch,
)
from rnnlm.errors import InputError
from rnnlm.models.nnlm import NNLM
from tests.gradcheck import host

V, D, H = 9, 4, 6
GATES = {"rnn": 1, "lstm": 4, "gru": 3}
xs = np.array([[1, 5, 2, 8, 0], [3, 3, 7, 1, 4]])


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def a_state(rng, cell, sizes=(D, H), tied=False, prefix="rnn."):
    state = {"encoder.weight": rng.normal(size=(V, sizes[0]))}
    for k, (inputs, hidden) in enumerate(zip(sizes, sizes[1:])):
        rows = GATES[cell] * hidden
        state |= {
            f"{prefix}weight_ih_l{k}": rng.normal(size=(rows, inputs)), f"{prefix}weight_hh_l{k}": rng.normal(size=(rows, hidden)),
            f"{prefix}bias_ih_l{k}": rng.normal(size=rows), f"{prefix}bias_hh_l{k}": rng.normal(size=rows),
        }  # fmt: skip
    state["decoder.weight"] = state["encoder.weight"] if tied else rng.normal(size=(V, sizes[-1]))
    return state | {"decoder.bias": rng.normal(size=V)}


def a_step(cell, Wi, Wh, bi, bh, x, h, c):
    """The equations of PyTorch's documentation; new h and c."""
    a, b = Wi @ x + bi, Wh @ h + bh
    if cell == "rnn":
        return np.tanh(a + b), c
    if cell == "gru":
        (ar, az, an), (br, bz, bn) = np.split(a, 3), np.split(b, 3)
        r, z = sigmoid(ar + br), sigmoid(az + bz)
        return (1 - z) * np.tanh(an + r * bn) + z * h, c
    i, f, g, o = np.split(a + b, 4)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(c), c


def scores(state, cell, layers, ids):
    values = list(state.values())
    h, c = ([np.zeros(len(values[1 + 4 * k]) // GATES[cell]) for k in range(layers)] for _ in range(2))
    found = []
    for word in ids:
        x = values[0][word]
        for k in range(layers):
            h[k], c[k] = a_step(cell, *values[1 + 4 * k : 5 + 4 * k], x, h[k], c[k])
            x = h[k]
        found.append(values[-2] @ x + values[-1])
    return found


@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize("layers", [1, 3])
@pytest.mark.parametrize("cell", GATES)
def test_scores_are_those_of_the_equations(rng, cell, layers, tied):
    state = a_state(rng, cell, [H if tied else D, *[H] * layers], tied)
    model = from_torch(state)
    assert (model.config.cell, model.config.layers, model.config.tied) == (cell, layers, tied)
    want = [scores(state, cell, layers, row) for row in xs]
    np.testing.assert_allclose(host(model.predict(xs)), want, rtol=1e-10)
    back = to_torch(model)
    assert list(back) == list(state)
    np.testing.assert_allclose([scores(back, cell, layers, row) for row in xs], want, rtol=1e-10)


def test_layers_of_their_own_and_of_another_last_size(rng):
    state = a_state(rng, "lstm", [D, H, H, D])
    named = {
        name.replace(f"rnn.{kind}_l{k}", f"rnns.{k}.{kind}_l0"): array
        for name, array in state.items()
        for k, kind in [(int(name[-1]), name[4:-3]) if name.startswith("rnn") else (0, "-")]
    }
    model = from_torch(named)
    assert model.config.hidden_sizes == [H, H, D]
    np.testing.assert_allclose(host(model.predict(xs)), [scores(state, "lstm", 3, row) for row in xs], rtol=1e-10)
    assert list(to_torch(model)) == list(named)


def test_missing_biases_are_zeros_and_options_are_fields(rng):
    state = a_state(rng, "gru", [H, H], tied=True)
    zeros = {name: array * 0 if "bias" in name else array for name, array in state.items()}
    without = {name: array for name, array in state.items() if "bias" not in name and name != "decoder.weight"}
    model = from_torch(without, dropout_ratio=0.5)
    assert (model.config.dropout_ratio, model.config.tied) == (0.5, True)
    np.testing.assert_array_equal(host(model.predict(xs)), host(from_torch(zeros).predict(xs)))
    relu = from_torch(a_state(rng, "rnn"), activation="relu")
    assert relu.config.activation == "relu"


@pytest.mark.parametrize(
    "model",
    [
        SimpleRnnlm(V, D, H), Rnnlm(V, D, H), BetterRnnlm(V, H, H), AwdLstm(V, D, H),
        LanguageModel(ModelConfig(vocab_size=V, cell="gru", reset_after=True, layers=2, wordvec_size=D, hidden_size=H, bias_range=1.0)),
    ],
    ids=lambda model: type(model).__name__,
)  # fmt: skip
def test_there_and_back(model):
    again = from_torch(to_torch(model))
    np.testing.assert_array_equal(host(again.predict(xs)), host(model.predict(xs)))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"cell": "gru"}, "model must be a GRU with reset_after"),
        ({"cell": "lstm", "cutoffs": (3,)}, "model must have one softmax over all words"),
    ],
)
def test_models_that_pytorch_lacks(options, said):
    with pytest.raises(InputError, match=said):
        to_torch(build_model(ModelConfig(vocab_size=V, wordvec_size=D, hidden_size=H, **options)))
    for other in (NNLM(V, D, H, 2), quantize(Rnnlm(V, D, H))):
        with pytest.raises(InputError, match="model must be a recurrent language model with float weights, got"):
            to_torch(other)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda s: {}, "state must have weights of a recurrent layer"),
        (lambda s: s | {"rnn.weight_ih_l0_reverse": s["rnn.weight_ih_l0"]}, "an embedding and an output layer beside"),
        (lambda s: {k: v for k, v in s.items() if k != "rnn.weight_hh_l0"}, "must have weight_ih and weight_hh of layer 0 of rnn"),
        (lambda s: s | {"rnn.bias_hh_l0": np.zeros(3)}, r"rnn.bias_hh_l0 of state must have 24 rows, got shape \(3,\)"),
        (lambda s: s | {"rnn.weight_hh_l0": np.zeros((24, 5))}, "must all be nn.RNN, all nn.LSTM or all nn.GRU"),
        (lambda s: s | {"rnn.weight_ih_l1": np.zeros((24, 5)), "rnn.weight_hh_l1": np.zeros((24, 6))}, "must follow each other"),
        (lambda s: s | {"decoder.weight": np.zeros((V, 5))}, r"decoder.weight of state must have shape \(9, 6\), got \(9, 5\)"),
        (lambda s: s | {"encoder.weight": np.zeros((V, 3))}, r"encoder.weight of state must have shape \(9, 4\), got \(9, 3\)"),
        (lambda s: s | {"decoder.bias": np.zeros(3)}, r"decoder.bias of state must have shape \(9,\)"),
        (lambda s: s | {"norm.weight": np.zeros(9)}, "beside the recurrent ones, got encoder.weight"),
        (lambda s: s | {"encoder.weight": np.zeros((V, D), np.float16)}, "encoder.weight of state must be float32 or float64, got float16"),
        (lambda s: s | {"encoder.weight": [[1.0], [1.0, 2.0]]}, "encoder.weight of state must be a tensor on the CPU"),
        (lambda s: s | {"decoder.bias": np.zeros(9, np.float32)}, "must have one dtype, got float32 and float64"),
        (lambda s: None, "state must be a Mapping"),
    ],
)  # fmt: skip
def test_states_that_are_no_language_model(rng, change, said):
    with pytest.raises(InputError, match=said):
        from_torch(change(a_state(rng, "lstm")))
