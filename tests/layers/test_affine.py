import numpy as np
import pytest

from rnnlm.backend import xp
from rnnlm.errors import InputError
from rnnlm.layers import MatMul, TimeAffine
from tests import reference
from tests.gradcheck import assert_gradients, dev, host


def build(rng, N=2, T=5, H=3, V=7):
    layer = TimeAffine(dev(rng.standard_normal((H, V))), dev(rng.standard_normal(V)))
    return layer, dev(rng.standard_normal((N, T, H)))


def test_forward_is_the_equation(rng):
    layer, xs = build(rng)
    np.testing.assert_allclose(
        host(layer.forward(xs)), reference.affine(host(xs), *map(host, layer.params)), rtol=1e-12
    )


@pytest.mark.parametrize("sizes", [(2, 5, 3, 7), (1, 1, 1, 1), (4, 1, 2, 3)])
def test_backward_is_the_derivative(rng, sizes):
    layer, xs = build(rng, *sizes)
    dys = dev(rng.standard_normal((*sizes[:2], sizes[3])))

    def loss():
        return (layer.forward(xs) * dys).sum()

    loss()
    before = host(xs), host(dys)
    grads = {"xs": layer.backward(dys).copy()} | {n: g.copy() for n, g in zip(layer.names, layer.grads)}
    np.testing.assert_array_equal(host(xs), before[0])
    np.testing.assert_array_equal(host(dys), before[1])
    assert_gradients(loss, {"xs": xs} | dict(zip(layer.names, layer.params)), grads, rng)


def test_bad_input_is_refused(rng):
    layer, xs = build(rng)
    with pytest.raises(InputError, match=r"xs must have shape \(N, T, 3\), got \(2, 5, 7\)"):
        layer.forward(dev(np.ones((2, 5, 7))))
    with pytest.raises(InputError, match="dtype float64, got float32"):
        layer.forward(xs.astype(np.float32))
    layer.forward(xs)
    with pytest.raises(InputError, match=r"dys must have shape \(2, 5, 7\), got \(2, 5, 3\)"):
        layer.backward(xs)
    with pytest.raises(InputError, match=r"b must have shape \(7,\), got \(6,\)"):
        TimeAffine(xp.zeros((3, 7)), xp.zeros(6))


@pytest.mark.parametrize(
    ("W", "message"),
    [
        (np.zeros(3), r"W must have shape \(D, H\), got \(3,\)"),
        (np.zeros((0, 3)), r"W must have shape \(D, H\), got \(0, 3\)"),
        (np.zeros((2, 3), int), "W must be of a floating-point dtype, got int64"),
    ],
)
def test_weights_are_a_matrix_of_floating_point_numbers(W, message):
    with pytest.raises(InputError, match=message):
        MatMul(dev(W))
