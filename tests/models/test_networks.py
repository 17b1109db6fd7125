"""Networks without time, made of layers: the worked examples of the notes that the project started from."""

import numpy as np
import pytest

from rnnlm.backend import xp
from rnnlm.errors import InputError
from rnnlm.layers import (
    Affine,
    Concatenate,
    Dense,
    Dropout,
    Embedding,
    Losses,
    MatMul,
    MeanSquaredError,
    ReLU,
    Sigmoid,
    SoftmaxWithLoss,
    Split,
    Step,
    Tanh,
    TimeRNN,
)
from rnnlm.models import Sequential
from rnnlm.optim import SGD
from tests.gradcheck import assert_gradients, dev, host

INPUTS = dev([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
GATES = {"AND": (0.5, 0.5, -0.7), "NAND": (-0.5, -0.5, 0.7), "OR": (0.6, 0.6, -0.5)}


def gate(name):
    w1, w2, b = GATES[name]
    return [Affine(dev([[w1], [w2]]), dev([b])), Step()]


@pytest.mark.parametrize(("name", "want"), [("AND", [0, 0, 0, 1]), ("NAND", [1, 1, 1, 0]), ("OR", [0, 1, 1, 1])])
def test_a_perceptron_is_a_gate(name, want):
    assert Sequential(gate(name), dtype="float64").predict(INPUTS)[:, 0].tolist() == want


def test_two_layers_of_perceptrons_are_xor():
    """AND of NAND and OR, which no single layer can do."""
    both = [
        Affine(dev(np.array([GATES["NAND"][:2], GATES["OR"][:2]]).T), dev([GATES["NAND"][2], GATES["OR"][2]])),
        Step(),
    ]
    assert Sequential([*both, *gate("AND")], dtype="float64").predict(INPUTS)[:, 0].tolist() == [0, 1, 1, 0]


def test_backpropagation_by_hand():
    """x 0.1, 0.2; two sigmoid layers without biases; E = 1/2 sum (t - o)², the mean of two; rate 0.5."""
    W1, W2 = MatMul(dev([[0.3, 0.4], [0.25, 0.35]])), MatMul(dev([[0.45, 0.7], [0.4, 0.6]]))
    net = Sequential([W1, Sigmoid(), W2, Sigmoid()], MeanSquaredError(), "float64")
    x, t = dev([[0.1, 0.2]]), dev([[0.4, 0.6]])
    z1 = host(W1.forward(x))
    h = host(net._chain[1].forward(dev(z1)))
    z2 = host(W2.forward(dev(h)))
    np.testing.assert_allclose(z1, [[0.08, 0.11]], atol=1e-9)
    np.testing.assert_allclose(h, [[0.51998934, 0.52747230]], atol=1e-8)
    np.testing.assert_allclose(z2, [[0.44498412, 0.68047592]], atol=1e-8)
    np.testing.assert_allclose(net.predict(x), [[0.60944600, 0.66384491]], atol=1e-8)
    np.testing.assert_allclose((net.predict(x) - host(t)) ** 2 / 2, [[0.02193381, 0.00203809]], atol=1e-8)
    assert abs(float(net.loss(x, t)) - 0.02397190) < 1e-8
    net.backward()
    dW1, dW2 = (host(g) for g in net.grads)
    assert abs(dW2[0, 0] - 0.02592286) < 1e-8
    assert abs(dW1[0, 0] - 0.00080888) < 1e-8
    slope = host(net._chain[3]._gradient(dev(net.predict(x) - host(t)), dev(net.predict(x))))
    assert abs((slope @ host(W2.params[0]).T)[0, 0] - 0.03240681) < 1e-8
    SGD(0.5).update(net.params, net.grads)
    want = [[0.29959556, 0.39964496], [0.24919112, 0.34928991]], [[0.43703857, 0.69629578], [0.38685205, 0.59624247]]
    for W, after in zip(net.params, want):
        np.testing.assert_allclose(host(W), after, atol=1e-8)
    assert abs(float(net.loss(x, t)) - 0.02323634) < 1e-8


def test_a_product_of_matrices():
    assert host(MatMul(dev([[5.0, 6], [7, 8]])).forward(dev([[1.0, 2], [3, 4]]))).tolist() == [[19, 22], [43, 50]]


def test_the_summary_counts_parameters(capsys):
    Sequential([Dense(4, 8), Sigmoid(), Dense(8, 1)], head=MeanSquaredError()).summary()
    rows = [line.split("  ") for line in capsys.readouterr().out.splitlines()]
    said = {row[0].strip(): row[-1].strip() for row in rows}
    assert (said["dense1"], said["dense2"], said["total"]) == ("40", "9", "49")
    rnn = TimeRNN(xp.zeros((10, 3)), xp.zeros((3, 3)), xp.zeros(3), return_sequences=False)
    for sequences, shape in ((False, "(N, 3)"), (True, "(N, 2, 3)")):
        rnn.return_sequences = sequences
        Sequential([rnn], dtype="float64").summary((2, 10))
        lines = capsys.readouterr().out.splitlines()
        assert shape in lines[1]
        assert lines[1].split()[-1] == lines[-1].split()[-1] == "42"
    assert rnn.forward(xp.zeros((8, 2, 10))).shape == (8, 2, 3)


def two_inputs(seed=0, dtype="float32"):
    left = [Dense(64, 16), ReLU(), Dense(16, 8), ReLU()]
    right = [Dense(128, 64), ReLU(), Dense(64, 32), ReLU(), Dense(32, 8), ReLU()]
    chain = [Concatenate(left, right), Dense(16, 2), ReLU(), Dense(2, 1)]
    return Sequential(chain, MeanSquaredError(), dtype, seed)


def test_two_inputs_that_come_together(rng, capsys):
    net = two_inputs(dtype="float64")
    net.summary(((64,), (128,)))
    assert "(N, 16)" in capsys.readouterr().out
    xs, t = (dev(rng.standard_normal((5, 64))), dev(rng.standard_normal((5, 128)))), dev(rng.standard_normal((5, 1)))
    net.loss(xs, t)
    net.backward()
    grads = {name: g.copy() for name, g in zip(net.names, net.grads)}
    assert_gradients(lambda: float(net.loss(xs, t)), dict(zip(net.names, net.params)), grads, rng)
    assert net.names[0] == "concatenate1.1.dense1.W"
    assert (
        sum(p.size for p in net.params)
        == 64 * 16 + 16 + 16 * 8 + 8 + 128 * 64 + 64 + 64 * 32 + 32 + 32 * 8 + 8 + 34 + 3
    )


def test_several_outputs(rng):
    head = Losses(MeanSquaredError(), SoftmaxWithLoss())
    net = Sequential([Dense(4, 5), Tanh(), Split([Dense(5, 1)], [Dense(5, 3)])], head, "float64", seed=2)
    xs, ts = dev(rng.standard_normal((6, 4))), (dev(rng.standard_normal((6, 1))), dev(rng.integers(0, 3, 6)))
    net.loss(xs, ts)
    net.backward()
    grads = {name: g.copy() for name, g in zip(net.names, net.grads)}
    assert_gradients(lambda: float(net.loss(xs, ts)), dict(zip(net.names, net.params)), grads, rng)
    one, other = net.predict(host(xs))
    assert (one.shape, other.shape) == ((6, 1), (6, 3))


def test_weights_come_from_the_seed():
    first, same, other = (two_inputs(seed).state_dict() for seed in (1, 1, 2))
    assert all((first[name] == same[name]).all() for name in first)
    assert (first["dense1.W"] != other["dense1.W"]).any()
    assert abs(first["concatenate1.2.dense1.W"].std() - 128**-0.5) < 0.005
    assert not first["dense1.b"].any()


def test_dropout_in_branches_is_numbered_and_off_when_predicting(rng):
    nets = [Sequential([Split([Dropout(0.5)], [Dropout(0.5)])], dtype="float64", seed=seed) for seed in (1, 1, 2)]
    xs = dev(np.ones((4, 50)))
    masks = [tuple(host(y) for y in net.forward(xs)) for net in nets]
    assert (masks[0][0] == masks[1][0]).all()
    assert (masks[0][0] != masks[0][1]).any()
    assert (masks[0][0] != masks[2][0]).any()
    assert (nets[0].predict(xs)[0] == 1).all()


def test_ids_go_in_where_an_embedding_is_first(rng, capsys):
    net = Sequential([Embedding(dev(rng.standard_normal((7, 4)))), Tanh(), Dense(4, 7)], SoftmaxWithLoss(), "float64")
    assert net.predict([1, 2, 3]).shape == (3, 7)
    net.summary()
    assert [line.split("(")[1].split(")")[0] for line in capsys.readouterr().out.splitlines()[1:4]] == [
        "N, 4",
        "N, 4",
        "N, 7",
    ]
    assert Sequential([Dense(2, 1)]).predict([[0, 1]]).dtype == np.float32


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        (lambda: [Dense(4, 8), Sigmoid(), Dense(9, 1)], "dense2 must be given rows of 9 numbers, got 8 from sigmoid1"),
        (lambda: [Dense(4, 8), "relu"], "layer 2 must be a layer, got str"),
        (lambda: [Sigmoid()] * 2, "layer 2 must not be one that came before: make a second Sigmoid"),
        (
            lambda: [Concatenate([Dense(4, 8)], [Dense(4, 8)]), Dense(15, 2)],
            "dense1 must be given rows of 15 numbers, got 16 from concatenate1",
        ),
        (
            lambda: [Split([Dense(4, 8), Dense(7, 2)], [Dense(4, 3)])],
            "dense2 must be given rows of 7 numbers, got 8 from dense1",
        ),
    ],
)
def test_layers_that_do_not_fit_are_refused_when_they_are_put_together(layers, message):
    with pytest.raises(InputError, match=message):
        Sequential(layers())


def test_a_network_without_a_head_has_no_loss():
    with pytest.raises(InputError, match=r"these layers have none: Sequential\(layers, head=...\)"):
        Sequential([Dense(2, 1)]).loss(dev([[0.0, 1.0]], "float32"), dev([[1.0]]))
