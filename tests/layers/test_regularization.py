import numpy as np
import pytest

from rnnlm.errors import InputError
from rnnlm.layers import TimeActivationRegularization
from tests.gradcheck import assert_gradients, dev, host


@pytest.mark.parametrize(("ar", "tar"), [(2.0, 0.0), (0.0, 1.5), (2.0, 1.5)])
@pytest.mark.parametrize("T", [1, 2, 5])
def test_the_penalty_and_its_gradient(rng, ar, tar, T):
    layer = TimeActivationRegularization(ar, tar)
    xs, dys = dev(rng.standard_normal((3, T, 4))), dev(rng.standard_normal((3, T, 4)))
    h = host(xs)
    want = ar * (h**2).mean() + (tar * ((h[:, 1:] - h[:, :-1]) ** 2).mean() if T > 1 else 0)

    def loss():
        ys = layer.forward(xs)
        return (ys * dys).sum() + layer.penalty

    loss()
    np.testing.assert_allclose(float(layer.penalty), want, rtol=1e-12)
    assert_gradients(loss, {"xs": xs}, {"xs": layer.backward(dys).copy()}, rng)


@pytest.mark.parametrize("counted", [[[1, 1, 1, 1], [1, 1, 0, 0]], [[0, 0, 0, 0], [1, 0, 1, 0]]])
def test_the_penalty_of_the_steps_that_count(rng, counted):
    """Means over these steps, and over the pairs of neighbours of which both count."""
    layer, counted = TimeActivationRegularization(2.0, 1.5), np.array(counted, bool)
    xs, dys = dev(rng.standard_normal((2, 4, 3))), dev(rng.standard_normal((2, 4, 3)))
    h, pairs = host(xs), counted[:, 1:] & counted[:, :-1]
    slopes = ((h[:, 1:] - h[:, :-1]) ** 2)[pairs]
    want = 2 * (h**2)[counted].mean() + (1.5 * slopes.mean() if pairs.any() else 0)

    def loss():
        layer.counted = dev(counted)
        ys = layer.forward(xs)
        assert layer.counted is None  # said of one window
        return (ys * dys).sum() + layer.penalty

    loss()
    np.testing.assert_allclose(float(layer.penalty), want, rtol=1e-12)
    assert_gradients(loss, {"xs": xs}, {"xs": layer.backward(dys).copy()}, rng)
    loss()
    with pytest.raises(InputError, match=r"dys must have shape \(2, 4, 3\), got \(2, 3, 3\)"):
        layer.backward(dys[:, 1:])


def test_it_passes_on_what_it_gets(rng):
    layer, xs = TimeActivationRegularization(1.0, 1.0), dev(rng.standard_normal((2, 3, 4)))
    np.testing.assert_array_equal(host(layer.forward(xs)), host(xs))
    layer.train_flg = False
    np.testing.assert_array_equal(host(layer.forward(xs)), host(xs))
    assert layer.penalty == 0
    np.testing.assert_array_equal(host(layer.backward(xs)), host(xs))


@pytest.mark.parametrize("weight", [-1, float("nan"), float("inf"), "1"])
def test_weights_are_not_negative(weight):
    with pytest.raises(InputError, match="tar must be at least 0 and finite, got"):
        TimeActivationRegularization(tar=weight)
