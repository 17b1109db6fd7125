import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from rnnlm.backend import xp
from rnnlm.errors import InputError
from rnnlm.layers import TimeEmbedding
from rnnlm.layers.embedding import add_rows
from tests import reference
from tests.gradcheck import assert_gradients, dev, host


def build(rng, V=7, D=3):
    return TimeEmbedding(dev(rng.standard_normal((V, D))))


def test_forward_is_the_equation(rng):
    layer, ids = build(rng), rng.integers(0, 7, (2, 5))
    np.testing.assert_array_equal(host(layer.forward(dev(ids))), reference.embedding(ids, host(layer.params[0])))


def test_backward_is_the_derivative_with_repeated_ids(rng):
    layer, ids = build(rng), dev([[0, 3, 3, 0, 6], [3, 3, 1, 0, 0]])
    dys = dev(rng.standard_normal((2, 5, 3)))

    def loss():
        return (layer.forward(ids) * dys).sum()

    loss()
    assert layer.backward(dys) is None
    assert_gradients(loss, {"W": layer.params[0]}, {"W": layer.grads[0].copy()}, rng)


def test_what_was_there_before_is_cleared(rng):
    """Rows that an optimiser wrote into, too."""
    layer = build(rng)
    layer.forward(dev([[1, 2]]))
    layer.backward(dev(np.ones((1, 2, 3))))
    layer.grads[0] += 7
    layer.forward(dev([[2, 5]]))
    layer.backward(dev(np.ones((1, 2, 3))))
    np.testing.assert_array_equal(host(layer.grads[0])[:, 0], [0, 0, 1, 0, 0, 1, 0])


def test_ids_may_change_between_forward_and_backward(rng):
    layer, ids = build(rng), dev([[1, 2]])
    layer.forward(ids)
    ids[...] = 0
    layer.backward(dev(np.ones((1, 2, 3))))
    np.testing.assert_array_equal(host(layer.grads[0])[:, 0], [0, 1, 1, 0, 0, 0, 0])


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(0, 9), min_size=1, max_size=300), st.integers(0, 2**32 - 1))
def test_add_rows_adds_up_repeated_ids(ids, seed):
    rows = np.random.default_rng(seed).standard_normal((len(ids), 4))
    out, want = xp.ones((10, 4)), np.ones((10, 4))
    add_rows(out, dev(ids), dev(rows))
    np.add.at(want, ids, rows)
    np.testing.assert_allclose(host(out), want, rtol=1e-12, atol=1e-12)  # another order of the same sum


@pytest.mark.parametrize(
    ("ids", "message"),
    [
        (np.zeros((2, 3)), "ids must hold integer ids, got dtype float64"),
        (np.zeros(3, int), r"ids must have shape \(N, T\), got \(3,\)"),
        (np.zeros((2, 0), int), r"ids must have shape \(N, T\), got \(2, 0\)"),
    ],
)
def test_bad_ids_are_refused(rng, ids, message):
    with pytest.raises(InputError, match=message):
        build(rng).forward(dev(ids))


def test_a_gradient_of_another_shape_is_refused(rng):
    layer = build(rng)
    layer.forward(dev([[1, 2]]))
    with pytest.raises(InputError, match=r"dxs must have shape \(1, 2, 3\), got \(1, 2, 4\)"):
        layer.backward(dev(np.ones((1, 2, 4))))
