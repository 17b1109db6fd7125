import numpy as np
import pytest

from rnnlm.errors import InputError
from rnnlm.layers import TimeContextEmbedding
from tests import reference
from tests.gradcheck import assert_gradients, dev, host

V, D, n = 7, 3, 4
both = pytest.mark.parametrize("mean", [False, True])


def build(rng, mean=False, context=n):
    return TimeContextEmbedding(dev(rng.standard_normal((V, D))), context, mean)


def check_gradient(layer, rng):
    """After a window of two words, so that the next one begins with some of its context before it and some missing."""
    before, ids = dev(rng.integers(0, V, (2, 2))), dev(rng.integers(0, V, (2, 5)))
    dys = dev(rng.standard_normal((2, 5, layer.output_shape(("N", "T"))[-1])))

    def loss():
        layer.reset_state()
        layer.forward(before)
        return (layer.forward(ids) * dys).sum()

    loss()
    assert layer.backward(dys) is None
    assert_gradients(loss, {"W": layer.params[0]}, {"W": layer.grads[0].copy()}, rng)


@both
@pytest.mark.parametrize("context", [1, 2, n, 9])
def test_forward_is_the_equation(rng, mean, context):
    layer, ids = build(rng, mean, context), rng.integers(0, V, (2, 6))
    want = reference.contexts(ids, host(layer.params[0]), context)
    want = want.mean(axis=2) if mean else want.reshape(2, 6, -1)
    np.testing.assert_allclose(host(layer.forward(dev(ids))), want, rtol=1e-12, atol=1e-15)  # rounding of a mean


@both
def test_backward_is_the_derivative(rng, mean):
    check_gradient(build(rng, mean), rng)


@both
def test_windows_may_be_cut_anywhere(rng, mean):
    """Outputs are those of one window; so is the gradient of a window's words, those before it among them."""
    layer, ids = build(rng, mean), rng.integers(0, V, (2, 9))
    whole, grads = host(layer.forward(dev(ids))), []
    dys = rng.standard_normal(whole.shape)
    layer.backward(dev(dys))
    want = host(layer.grads[0])
    layer.reset_state()
    parts = []
    for cut in (slice(0, 1), slice(1, 3), slice(3, 4), slice(4, 9)):
        parts.append(host(layer.forward(dev(ids[:, cut]))))
        layer.backward(dev(dys[:, cut]))
        grads.append(host(layer.grads[0]))
    np.testing.assert_array_equal(np.concatenate(parts, axis=1), whole)
    np.testing.assert_allclose(sum(grads), want, rtol=1e-12, atol=1e-14)  # sums in another order


def test_the_state_is_the_last_words(rng):
    layer, ids = build(rng), rng.integers(0, V, (2, 6))
    assert layer.get_state() is None
    layer.forward(dev(ids[:, :2]))
    np.testing.assert_array_equal(host(layer.get_state()[0]), ids[:, :2])
    layer.forward(dev(ids[:, 2:4]))
    (state,) = layer.get_state()
    np.testing.assert_array_equal(host(state), ids[:, 1:4])
    ahead = host(layer.forward(dev(ids[:, 4:])))
    layer.set_state(state)
    state[...] = 0  # what is given is copied
    np.testing.assert_array_equal(host(layer.forward(dev(ids[:, 4:]))), ahead)
    layer.set_state(None)
    assert layer.get_state() is None
    alone = build(rng, context=1)
    alone.forward(dev(ids))
    assert alone.get_state() is None


def test_what_does_not_fit_is_refused(rng):
    layer = build(rng)
    with pytest.raises(InputError, match=r"ids, the last words, must be fewer than context 4 of a text, got \(2, 4\)"):
        layer.set_state(dev(np.zeros((2, 4), int)))
    with pytest.raises(InputError, match="must hold integer ids, got dtype float64"):
        layer.set_state(dev(np.zeros((2, 3))))
    with pytest.raises(InputError, match="is ids, got 2 arrays"):
        layer.set_state(dev(np.zeros((2, 3), int)), dev(np.zeros((2, 3), int)))
    layer.forward(dev(np.zeros((2, 3), int)))
    with pytest.raises(InputError, match=r"must be those of 3 texts, got 2: reset_state\(\) first"):
        layer.forward(dev(np.zeros((3, 3), int)))
    with pytest.raises(InputError, match=r"dys must have shape \(2, 3, 12\), got \(2, 3, 3\)"):
        layer.backward(dev(np.zeros((2, 3, 3))))
    with pytest.raises(InputError, match="context must be a whole number of at least 1, got 0"):
        build(rng, context=0)
