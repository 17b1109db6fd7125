"""Layers that know nothing of time: each is the derivative of itself, for (N, D) and for (N, T, D)."""

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
    MatMul,
    MeanOverTime,
    ReLU,
    Sigmoid,
    Softmax,
    Split,
    Step,
    Tanh,
    functions,
    relu,
    relu_slope,
    sigmoid,
    sigmoid_slope,
    softmax,
    step,
    tanh,
    tanh_slope,
)
from tests import reference
from tests.gradcheck import assert_gradients, dev, host

D, H = 4, 3


def make(name, rng):
    """A layer of float64."""

    def w(*shape):
        return dev(rng.standard_normal(shape))

    makers = {
        "matmul": lambda: MatMul(w(D, H)),
        "affine": lambda: Affine(w(D, H), w(H)),
        "dense": lambda: Dense(D, H, "he", dtype="float64"),
        "sigmoid": Sigmoid,
        "tanh": Tanh,
        "relu": ReLU,
        "softmax": Softmax,
        "dropout": lambda: Dropout(0.4),
    }
    return makers[name]()


NAMES = ["matmul", "affine", "dense", "sigmoid", "tanh", "relu", "softmax", "dropout"]
shapes = pytest.mark.parametrize("shape", [(5, D), (5, 3, D), (1, D)], ids=str)
EQUATIONS = {
    "matmul": lambda x, W: x @ W,
    "affine": lambda x, W, b: x @ W + b,
    "dense": lambda x, W, b: x @ W + b,
    "sigmoid": reference.sigmoid,
    "tanh": np.tanh,
    "relu": lambda x: np.where(x > 0, x, 0),
    "softmax": lambda x: np.exp(x) / np.exp(x).sum(axis=-1, keepdims=True),
}


def check(layer, xs, rng):
    """Gradients of the inputs and of all parameters."""

    def forward():
        if layer.mask is not None:
            layer.mask.step = 0
        return layer.forward(xs)

    dys = dev(rng.standard_normal(forward().shape))

    def loss():
        return (forward() * dys).sum()

    loss()
    grads = {"xs": layer.backward(dys).copy()} | {n: g.copy() for n, g in zip(layer.names, layer.grads)}
    assert_gradients(loss, {"xs": xs} | dict(zip(layer.names, layer.params)), grads, rng)


@shapes
@pytest.mark.parametrize("name", EQUATIONS)
def test_forward_is_the_equation(rng, name, shape):
    layer, x = make(name, rng), rng.standard_normal(shape)
    want = EQUATIONS[name](x, *map(host, layer.params))
    np.testing.assert_allclose(host(layer.forward(dev(x))), want, rtol=1e-12, atol=1e-15)
    assert layer.output_shape(shape) == want.shape


@shapes
@pytest.mark.parametrize("name", NAMES)
def test_backward_is_the_derivative(rng, name, shape):
    check(make(name, rng), dev(rng.standard_normal(shape)), rng)


@pytest.mark.parametrize("name", NAMES)
def test_inputs_are_left_untouched_in_any_memory(rng, name):
    layer, x = make(name, rng), rng.standard_normal((5, 3, D))
    results = []
    for xs in (dev(x), dev(x.swapaxes(0, 1).copy()).swapaxes(0, 1), dev(np.asfortranarray(x))):
        if layer.mask is not None:
            layer.mask.seed(1, 0)
            layer.mask.step = 0
        ys = layer.forward(xs)
        dxs = layer.backward(xp.ones_like(ys))
        results.append((host(ys), host(dxs), [host(g) for g in layer.grads]))
        np.testing.assert_array_equal(host(xs), x)
    for ys, dxs, grads in results[1:]:
        np.testing.assert_array_equal(ys, results[0][0])
        np.testing.assert_array_equal(dxs, results[0][1])
        for grad, want in zip(grads, results[0][2]):
            np.testing.assert_array_equal(grad, want)


@pytest.mark.parametrize("name", NAMES)
def test_one_backward_for_one_forward(rng, name):
    layer, xs = make(name, rng), dev(rng.standard_normal((5, D)))
    dys = xp.ones_like(layer.forward(xs))
    layer.backward(dys)
    with pytest.raises(InputError, match="backward needs a forward of its own first"):
        layer.backward(dys)


def test_nothing_is_learned_through_a_step(rng):
    layer, x = Step(), dev([[-1.0, 0.0, 2.0]])
    assert host(layer.forward(x)).tolist() == [[0, 0, 1]]
    assert host(layer.backward(x)).tolist() == [[0, 0, 0]]


@pytest.mark.parametrize("shape", [(5,), (5, 3)], ids=str)
def test_words_and_their_vectors(rng, shape):
    """(N,) to (N, D): equal ids add up on the way back."""
    W, ids = dev(rng.standard_normal((7, D))), dev(rng.integers(0, 4, shape))
    layer = Embedding(W)
    dys = dev(rng.standard_normal((*shape, D)))
    np.testing.assert_array_equal(host(layer.forward(ids)), host(W)[host(ids)])

    def loss():
        return (layer.forward(ids) * dys).sum()

    for _ in range(2):
        loss()
        layer.backward(dys)
        assert_gradients(loss, {"W": W}, {"W": layer.grads[0].copy()}, rng)


def test_weights_that_layers_draw():
    """The standard deviation of 40,000 numbers differs from the one asked for by under 2 %, its mean by 0.03 of it."""
    for init, deviation in (("xavier", 200**-0.5), ("he", (2 / 200) ** 0.5)):
        layer = Dense(200, 200, init, dtype="float64")
        layer.params[1][...] = 3
        layer.draw(3, 1)
        W, b = map(host, layer.params)
        assert abs(W.std() / deviation - 1) < 0.02
        assert abs(W.mean()) < 0.03 * deviation
        assert not b.any()
    vectors = Embedding.of_size(200, 10, "float64")
    assert vectors.params[0].shape == (200, 10)
    vectors.draw(3, 1)
    assert 0.049 < np.abs(host(vectors.params[0])).max() <= 0.05
    for one in (layer, vectors):
        before = host(one.params[0])
        for seed, number, same in ((3, 1, True), (4, 1, False), (3, 2, False)):
            one.draw(seed, number)
            assert np.array_equal(host(one.params[0]), before) == same
    given = Embedding(dev(np.ones((7, D))))
    given.draw(3, 1)
    assert (host(given.params[0]) == 1).all()


def test_the_mean_over_time(rng):
    layer, xs = MeanOverTime(), dev(rng.standard_normal((5, 3, D)))
    np.testing.assert_allclose(host(layer.forward(xs)), host(xs).mean(axis=1), rtol=1e-12)
    check(layer, xs, rng)
    assert layer.output_shape(("N", "T", D)) == ("N", D)


def test_the_mean_over_the_steps_that_there_are(rng):
    layer, xs, lengths = MeanOverTime(), dev(rng.standard_normal((3, 4, D))), [4, 1, 2]
    dys = dev(rng.standard_normal((3, D)))
    want = [host(xs)[n, :length].mean(axis=0) for n, length in enumerate(lengths)]
    np.testing.assert_allclose(host(layer.forward(xs, dev(lengths))), want, rtol=1e-12)
    dxs = layer.backward(dys).copy()
    assert_gradients(lambda: (layer.forward(xs, dev(lengths)) * dys).sum(), {"xs": xs}, {"xs": dxs}, rng)
    with pytest.raises(InputError, match=r"dys must have shape \(3, 4\), got \(3, 3\)"):
        layer.backward(dys[:, 1:])


def test_branches_that_come_together(rng):
    net = Concatenate([Affine(dev(rng.standard_normal((D, H))), dev(np.zeros(H))), Tanh()], [], Sigmoid())
    assert list(net.parts()) == ["1.affine1", "1.tanh1", "3.sigmoid1"]
    xs = tuple(dev(rng.standard_normal((5, width))) for width in (D, 2, 3))
    dys = dev(rng.standard_normal((5, H + 5)))
    assert net.output_shape(((5, D), (5, 2), (5, 3))) == (5, H + 5) == net.forward(xs).shape

    def loss():
        return (net.forward(xs) * dys).sum()

    loss()
    grads = {f"x{i}": dx.copy() for i, dx in enumerate(net.backward(dys))}
    assert_gradients(loss, {f"x{i}": x for i, x in enumerate(xs)}, grads, rng)
    with pytest.raises(InputError, match="xs must be a tuple of 3 arrays, one for each branch, got 2 of them"):
        net.forward(xs[:2])
    with pytest.raises(InputError, match=r"agree in all but their last axis, got \(5, 3\), \(4, 2\), \(5, 3\)"):
        net.forward((xs[0], xs[1][:4], xs[2]))


def test_branches_over_time_stand_side_by_side_at_every_step(rng):
    net, xs = Concatenate([], Sigmoid()), (dev(rng.standard_normal((5, 3, D))), dev(rng.standard_normal((5, 3, D))))
    ys = host(net.forward(xs))
    np.testing.assert_array_equal(ys[:, :, :D], host(xs[0]))
    np.testing.assert_allclose(ys[:, :, D:], reference.sigmoid(host(xs[1])), rtol=1e-12)
    with pytest.raises(InputError, match=r"dys must have shape \(5, 3, 8\), got \(5, 3, 4\)"):
        net.backward(xs[0])
    assert net.output_shape(("N", "T", D)) == ("N", "T", 2 * D)


def test_branches_must_be_given_what_they_can_put_side_by_side(rng):
    net = Split(Embedding.of_size(9, 4), Sigmoid())
    with pytest.raises(InputError, match="Split must have at least 2 branches, got 1"):
        Split(Sigmoid())
    net.branches[0].clear()
    xs = dev(rng.standard_normal((5, D)))
    net.forward(xs)
    with pytest.raises(InputError, match="dys must be a tuple of 2 arrays, one for each branch, got ndarray"):
        net.backward(xs)


def test_one_input_that_goes_several_ways(rng):
    net = Split([Affine(dev(rng.standard_normal((D, H))), dev(np.zeros(H))), Tanh()], [], Sigmoid())
    xs = dev(rng.standard_normal((5, D)))
    dys = tuple(dev(rng.standard_normal((5, width))) for width in (H, D, D))
    assert net.output_shape((5, D)) == ((5, H), (5, D), (5, D))

    def loss():
        return sum((y * dy).sum() for y, dy in zip(net.forward(xs), dys))

    loss()
    assert_gradients(loss, {"xs": xs}, {"xs": net.backward(dys).copy()}, rng)
    net.backward(dys)
    with pytest.raises(InputError, match="Split.backward needs a forward of its own first"):
        net.backward(dys)


@pytest.mark.parametrize(("function", "slope"), [(sigmoid, sigmoid_slope), (tanh, tanh_slope), (relu, relu_slope)])
def test_slopes_of_the_functions(function, slope):
    x = np.linspace(-5, 5, 101) + 1e-3
    want = (host(function(x + 1e-6)) - host(function(x - 1e-6))) / 2e-6
    np.testing.assert_allclose(host(slope(x)), want, atol=1e-8)


def test_the_functions_at_known_places():
    """Of lists, of whole numbers, and where exp would overflow."""
    assert host(step([-5, 0, 5])).tolist() == [0, 0, 1]
    assert host(relu([-5, 0, 5])).tolist() == [0, 0, 5]
    np.testing.assert_allclose(host(sigmoid([0, 5, -1e4, 1e4])), [0.5, 1 / (1 + np.exp(-5)), 0, 1], rtol=1e-12)
    np.testing.assert_allclose(host(tanh([0, 5])), np.tanh([0, 5]), rtol=1e-12)
    np.testing.assert_allclose(host(softmax([[1e4, 1e4], [0, np.log(3)]])), [[0.5, 0.5], [0.25, 0.75]], rtol=1e-12)
    assert functions.sigmoid(np.zeros(3, np.float32)).dtype == np.float32


def test_probabilities_of_any_rows_and_of_none():
    x = np.array([0.5, -1.0, 2.0])
    want = np.exp(x) / np.exp(x).sum()
    for given in (x, x[None, None], np.stack([x, x - 700])):
        np.testing.assert_allclose(host(softmax(dev(given))), np.broadcast_to(want, given.shape), rtol=1e-12)
    assert softmax(np.zeros((0, 3))).shape == (0, 3)
    for given in (np.zeros((3, 0)), np.float64(1.0)):
        with pytest.raises(InputError, match=r"x must have at least one number in its last axis, got shape \("):
            softmax(given)


@pytest.mark.parametrize("function", [step, sigmoid, relu, tanh, softmax])
def test_functions_are_of_real_numbers(function):
    with pytest.raises(InputError, match="x must be an array of numbers, got dtype complex128"):
        function(dev([1j, 2.0]))


@pytest.mark.parametrize(
    ("make_layer", "xs", "message"),
    [
        (lambda: Dense(4, 3), np.zeros((2, 5), "float32"), r"xs must have shape \(N, 4\), got \(2, 5\)"),
        (lambda: Dense(4, 3), np.zeros((2, 4)), "xs must have the layer's dtype float32, got float64: use astype"),
        (lambda: Dense(4, 3), np.zeros(4, "float32"), r"xs must have shape \(N, 4\) or \(N, T, 4\), got \(4,\)"),
        (Sigmoid, np.zeros((2, 3), int), "xs must be of a floating-point dtype, got int64"),
        (lambda: Dense(0, 3), None, "inputs must be a whole number of at least 1, got 0"),
        (lambda: Dense(4, 3, "normal"), None, "init must be one of xavier, he, got 'normal'"),
        (lambda: Concatenate(Sigmoid()), None, "Concatenate must have at least 2 branches, got 1"),
        (lambda: Split([Sigmoid()], ["relu"]), None, "layer 1 must be a layer, got str"),
    ],
)
def test_what_does_not_fit_is_refused(make_layer, xs, message):
    with pytest.raises(InputError, match=message):
        make_layer().forward(dev(xs))
