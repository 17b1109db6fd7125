import numpy as np
import pytest

from rnnlm.backend import xp
from rnnlm.errors import InputError
from rnnlm.optim import SGD, Adam, clip_grads
from tests.gradcheck import dev, host


def test_sgd_is_its_equation(rng):
    p, g = rng.standard_normal((2, 50_000))
    params, grads = [dev(p), dev(p[:3])], [dev(g), dev(g[:3])]
    SGD(0.3).update(params, grads)
    for got, i in zip(params, (slice(None), slice(3))):
        np.testing.assert_array_equal(host(got), p[i] - 0.3 * g[i])
    np.testing.assert_array_equal(host(grads[0]), g)


def test_adam_is_its_equations(rng):
    """The unsimplified form of the paper: bias-corrected averages."""
    p, (g1, g2) = rng.standard_normal(50_000), rng.standard_normal((2, 50_000))
    params, optimizer = [dev(p)], Adam(0.01)
    m = v = 0
    want = p
    for t, g in ((1, g1), (2, g2)):
        optimizer.update(params, [dev(g)])
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
        m_hat, v_hat = m / (1 - 0.9**t), v / (1 - 0.999**t)
        want = want - 0.01 * m_hat / (np.sqrt(v_hat) + 1e-7 / np.sqrt(1 - 0.999**t))
    np.testing.assert_allclose(host(params[0]), want, rtol=1e-10)


@pytest.mark.parametrize("optimizer", [SGD(0.1), Adam(0.1)])
def test_a_flat_buffer_is_updated_as_its_parts(optimizer, rng):
    p, g = rng.standard_normal((2, 30))
    flat, parts = dev(p), [dev(p[:11]), dev(p[11:].reshape(19, 1))]
    other = type(optimizer)(0.1)
    for _ in range(3):
        optimizer.update([flat], [dev(g)])
        other.update(parts, [dev(g[:11]), dev(g[11:].reshape(19, 1))])
    np.testing.assert_array_equal(host(flat), np.concatenate([host(part).ravel() for part in parts]))


def test_the_learning_rate_may_be_changed():
    optimizer, p = SGD(1.0), [dev(np.zeros(1))]
    optimizer.lr /= 4
    optimizer.update(p, [dev(np.ones(1))])
    assert host(p[0]) == -0.25


@pytest.mark.parametrize("lr", [0, -1, float("nan"), float("inf")])
@pytest.mark.parametrize("cls", [SGD, Adam])
def test_a_learning_rate_must_be_positive(cls, lr):
    with pytest.raises(InputError, match="lr must be positive and finite, got"):
        cls(lr)
    optimizer = cls(1.0)
    with pytest.raises(InputError, match="lr must be positive and finite, got"):
        optimizer.lr = lr
    assert optimizer.lr == 1


def test_lists_that_do_not_match_are_refused():
    with pytest.raises(InputError, match="lists of one length, got 1 and 0"):
        SGD(1.0).update([xp.zeros(2)], [])
    with pytest.raises(InputError, match=r"grads\[0\] must have the shape of params\[0\] \(2,\), got \(3,\)"):
        Adam(1.0).update([xp.zeros(2)], [xp.zeros(3)])
    with pytest.raises(InputError, match=r"beta1 must be in \[0, 1\), got 1"):
        Adam(beta1=1)
    adam = Adam()
    adam.update([xp.zeros(2)], [xp.zeros(2)])
    with pytest.raises(InputError, match="shape of params"):
        adam.update([xp.zeros(3)], [xp.zeros(3)])


@pytest.mark.parametrize("max_norm", [1.0, 5.0, 100.0, float("inf")])
def test_clipping_is_its_equation(rng, max_norm):
    a, b = rng.standard_normal((4, 3)), rng.standard_normal(50)
    grads = [dev(a), dev(b)]
    norm = np.sqrt((a**2).sum() + (b**2).sum())
    got = clip_grads(grads, max_norm)
    np.testing.assert_allclose(float(got), norm, rtol=1e-12)
    factor = min(1, max_norm / (norm + 1e-6))
    np.testing.assert_allclose(host(grads[0]), a * factor, rtol=1e-12)
    np.testing.assert_allclose(host(grads[1]), b * factor, rtol=1e-12)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("max_norm", [1.0, float("inf")])
def test_gradients_whose_norm_is_not_finite_are_left_as_they_are(bad, max_norm):
    """Scaled by NaN, the rows of words that were not seen would be zero no longer."""
    grads = [dev([1.0, bad, 0.0]), dev([2.0])]
    assert not np.isfinite(float(clip_grads(grads, max_norm)))
    np.testing.assert_array_equal(host(grads[0]), [1, bad, 0])
    assert host(grads[1]) == 2


@pytest.mark.parametrize("max_norm", [0, -1, float("nan")])
def test_max_norm_must_be_positive(max_norm):
    with pytest.raises(InputError, match="max_norm must be positive, got"):
        clip_grads([xp.zeros(2)], max_norm)
