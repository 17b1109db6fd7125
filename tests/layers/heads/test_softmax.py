import numpy as np
import pytest

from rnnlm.errors import InputError
from rnnlm.layers import SoftmaxWithLoss, TimeSoftmaxWithLoss
from tests import reference
from tests.gradcheck import assert_gradients, dev, host


def build(rng, N=3, T=4, V=6, ignored=2):
    scores, ts = dev(3 * rng.standard_normal((N, T, V))), rng.integers(0, V, (N, T))
    ts.reshape(-1)[:ignored] = -1
    return TimeSoftmaxWithLoss(), scores, ts


@pytest.mark.parametrize("ignored", [0, 2, 11, 12])
def test_forward_is_the_equation(rng, ignored):
    layer, scores, ts = build(rng, ignored=ignored)
    before = host(scores)
    np.testing.assert_allclose(float(layer.forward(scores, dev(ts))), reference.cross_entropy(before, ts), rtol=1e-12)
    np.testing.assert_array_equal(host(scores), before)
    np.testing.assert_allclose(host(layer.nats).sum(), reference.cross_entropy(before, ts) * (12 - ignored), rtol=1e-12)


@pytest.mark.parametrize("ignored", [0, 2, 11])
@pytest.mark.parametrize("dout", [1, 0.3])
def test_backward_is_the_derivative(rng, ignored, dout):
    layer, scores, ts = build(rng, ignored=ignored)

    def loss():
        return dout * layer.forward(scores, dev(ts))

    loss()
    assert_gradients(loss, {"xs": scores}, {"xs": layer.backward(dout).copy()}, rng)


def test_all_targets_ignored_is_nothing(rng):
    layer, scores, ts = build(rng, ignored=12)
    assert float(layer.forward(scores, dev(ts))) == 0
    assert not host(layer.backward()).any()


def test_one_hot_targets_are_their_ids(rng):
    layer, scores, ts = build(rng, ignored=0)
    want = float(layer.forward(scores, dev(ts)))
    assert float(layer.forward(scores, dev(np.eye(6)[ts]))) == want


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("size", [0, 1, 100, 1e4, 1e30, "largest"])
def test_finite_scores_give_finite_losses(dtype, size):
    top = np.finfo(dtype).max if size == "largest" else dtype(size)
    scores = np.array([[[top, -top, 0], [-top, top, top]]], dtype)
    layer = TimeSoftmaxWithLoss()
    loss = float(layer.forward(dev(scores), dev([[1, 0]])))
    if dtype is np.float64 and size == "largest":
        assert loss == np.inf  # the only loss too large for float64: the difference of its two largest numbers
    else:
        assert np.isfinite(loss)
        assert loss >= np.log(3)
    assert np.isfinite(host(layer.backward())).all()


def test_a_probability_that_underflows_is_not_an_infinity():
    loss = float(TimeSoftmaxWithLoss().forward(dev(np.array([[[0, 1000.0]]], np.float32)), dev([[0]])))
    assert loss == 1000


def test_bad_input_is_refused(rng):
    layer, scores, ts = build(rng)
    with pytest.raises(InputError, match=r"ts must have shape \(3, 4\), got \(3, 3\)"):
        layer.forward(scores, dev(ts[:, :3]))
    with pytest.raises(InputError, match="ts must hold integer ids, got dtype float64"):
        layer.forward(scores, dev(ts.astype(float)))
    with pytest.raises(InputError, match=r"one-hot ts must have shape \(3, 4, 6\), got \(3, 4, 5\)"):
        layer.forward(scores, dev(np.zeros((3, 4, 5))))
    with pytest.raises(InputError, match=r"xs must have shape \(N, T, V\), got \(3, 6\)"):
        layer.forward(scores[:, 0], dev(ts))
    with pytest.raises(InputError, match="backward needs a forward"):
        layer.backward()


def test_scores_are_what_it_is_given_and_the_next_ones_a_copy_of_the_last(rng):
    layer, scores, ts = build(rng)
    layer.forward(scores, dev(ts))
    assert layer.scores(scores) is scores
    with pytest.raises(InputError, match="backward needs a forward"):
        layer.backward()
    last = layer.next_scores(scores[:, -1])
    want = host(last)
    np.testing.assert_array_equal(want, host(scores)[:, -1])
    scores[...] = 0
    np.testing.assert_array_equal(host(last), want)


def test_what_is_ignored_may_hold_anything():
    """An infinite loss of a target that does not count, and another label for such targets."""
    layer = TimeSoftmaxWithLoss()
    scores = dev(np.array([[[1, 2], [1.7e308, -1.7e308]]]))
    assert abs(float(layer.forward(scores, dev([[0, -1]]))) - np.log1p(np.e)) < 1e-12
    layer.ignore_label = 99
    assert abs(float(layer.forward(scores, dev([[0, 99]]))) - np.log1p(np.e)) < 1e-12


def test_a_column_of_ids_is_told(rng):
    h, column = dev(rng.standard_normal((4, 3))), dev(np.zeros((4, 1), np.int64))
    with pytest.raises(InputError, match=r"ts must be ids \(4,\) or one-hot \(4, 3\), got \(4, 1\): a column is ts"):
        SoftmaxWithLoss().loss(h, column)
