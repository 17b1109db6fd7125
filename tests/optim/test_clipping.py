import numpy as np
import pytest

from rnnlm.backend import NAME, xp
from rnnlm.errors import InputError
from rnnlm.optim import (
    clip_grads,
)
from tests.gradcheck import dev, host


def test_the_norm_of_nothing_and_of_mixed_dtypes():
    assert float(clip_grads([], 1.0)) == 0
    a, b = dev(np.full(4, 2.0, np.float32)), dev(np.full(9, 1.0))
    assert float(clip_grads([a, b], 10.0)) == 5
    assert (a.dtype, b.dtype) == (np.float32, np.float64)


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


@pytest.mark.skipif(NAME == "cupy", reason="kernels are compiled for float32 and float64")
def test_the_norm_of_small_numbers_does_not_overflow():
    """As their squares do in float16."""
    for g in (np.full(70_000, 100, np.float16), np.asfortranarray(np.full((700, 100), 100, np.float16))):
        grads = [dev(g)]
        clip_grads(grads, 1.0)
        np.testing.assert_allclose(host(grads[0]), 1 / np.sqrt(70_000), rtol=1e-2)
