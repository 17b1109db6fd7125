import numpy as np
import pytest

from rnnlm.backend import FUSED, NAME
from rnnlm.errors import InputError
from rnnlm.layers import small, small_layers  # noqa: F401 - all that has twins
from rnnlm.layers.small import KINDS, SmallMatrix
from tests.gradcheck import dev, host

K, N = 300, 1100  # more than a block of columns, and of rows that are made small at once


def made(W, kind, axis=0):
    """A small matrix of a host array."""
    found = SmallMatrix.zeros(W.shape, kind, "float32", axis)
    found.fill("W", dev(W))
    return found


def meant(matrix):
    """What a small matrix stands for, in float64."""
    scales = 1 if matrix.scales is None else host(matrix.scales).astype(np.float64)
    return host(matrix.codes).astype(np.float64) * scales


@pytest.fixture
def W(rng):
    """Columns, and rows, of very different sizes, two of them zeros."""
    a = rng.standard_normal((K, N)) * np.exp(rng.uniform(-9, 3, (1, N))) * np.exp(rng.uniform(-3, 1, (K, 1)))
    a[:, 7], a[9] = 0, 0
    return a.astype(np.float32)


@pytest.mark.parametrize("axis", [0, 1])
def test_int8_is_off_by_half_a_scale_at_most(W, axis):
    matrix = made(W, "int8", axis)
    scales = host(matrix.scales)
    assert host(matrix.codes).dtype == np.int8
    largest = np.abs(W).max(axis=axis, keepdims=True)
    np.testing.assert_allclose(scales[largest > 0], largest[largest > 0] / 127, rtol=1e-6)
    assert (np.abs(host(matrix.codes)).max(axis=axis, keepdims=True)[largest > 0] == 127).all()
    assert (np.abs(meant(matrix) - W) <= scales * (0.5 + 1e-5)).all()  # rounding of W / scale, in float32
    assert (np.abs(meant(matrix) - W) > scales * 0.49).any()  # or it would be a finer grid


@pytest.mark.parametrize("axis", [0, 1])
def test_zeros_stay_zeros(axis):
    matrix = made(np.zeros((3, 4), np.float32), "int8", axis)
    assert (meant(matrix) == 0).all()
    assert (host(matrix.scales) > 0).all()


def test_the_smallest_numbers_there_are_make_no_infinity():
    matrix = made(np.full((2, 2), 1e-44, np.float32), "int8")
    assert np.isfinite(meant(matrix)).all()
    assert np.abs(meant(matrix)).max() < 1e-38


def test_float16_is_the_nearest_and_all_of_it_comes_back():
    every = np.arange(1 << 16, dtype=np.uint16).view(np.float16)
    every = every[np.isfinite(every)].astype(np.float32).reshape(-1, 64)
    matrix = made(every, "float16")
    out = matrix.whole(dev(np.full_like(every, np.nan)))
    np.testing.assert_array_equal(host(out), every)
    np.testing.assert_array_equal(np.signbit(host(out)), np.signbit(every))
    third = made(np.full((1, 1), 1 / 3, np.float32), "float16")
    np.testing.assert_array_equal(host(third.codes), np.float16(1 / 3))


@pytest.mark.parametrize("value", [65_536.0, -1e30])
def test_what_is_beyond_float16_is_refused(value):
    with pytest.raises(InputError, match=r"embed.W must be within 65,504 to be kept as float16, got .*: take int8"):
        SmallMatrix.zeros((1, 2), "float16", "float32").fill("embed.W", dev(np.array([[1, value]], np.float32)))


@pytest.mark.parametrize("M", [1, 5, 300])
@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_a_product_is_that_with_what_is_meant(W, rng, kind, tied, M):
    matrix = made(W.T.copy(), kind, axis=1).T if tied else made(W, kind)
    assert matrix.shape == (K, N)
    x = rng.standard_normal((M, K)).astype(np.float32)
    out = dev(np.full((M, N), np.nan, np.float32))
    matrix.product(dev(x), out)
    want = x.astype(np.float64) @ meant(matrix)
    room = 1e-6 * (np.abs(x) @ np.abs(meant(matrix)))  # sums of 300 in float32
    assert (np.abs(host(out) - want) <= room).all()


@pytest.mark.parametrize("kind", KINDS)
def test_rows_are_those_of_what_is_meant(W, kind):
    matrix = made(W, kind, axis=1)
    ids = np.array([3, 0, 299, 3, 9])
    out = dev(np.full((5, N), np.nan, np.float32))
    matrix.rows(dev(ids), out)
    np.testing.assert_allclose(host(out), meant(matrix)[ids], rtol=1e-7)
    whole = matrix.whole(dev(np.full((K, N), np.nan, np.float32)))
    np.testing.assert_array_equal(host(whole)[ids], host(out))


@pytest.mark.skipif(NAME != "numpy" or not FUSED, reason="these twins are NumPy's")
@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("kind", KINDS)
def test_twins_do_what_the_plain_text_does(W, rng, kind, dtype, axis):
    matrix = made(W, kind, axis)
    scales = None if matrix.scales is None else matrix.scales.astype(dtype)
    found = [np.full(W.shape, np.nan, dtype) for _ in range(2)]
    for widen, out in zip(FUSED["widen"], found):
        widen(matrix.codes, scales, out)
    np.testing.assert_array_equal(*found)
    if axis == 0:
        x, found = rng.standard_normal((4, K)).astype(dtype), [np.full((4, N), np.nan, dtype) for _ in range(2)]
        for product, out in zip(FUSED["small_product"], found):
            product(x, matrix.codes, scales, out)
        np.testing.assert_allclose(*found, rtol=1e-5, atol=1e-4 * np.abs(found[0]).max())


def test_a_lost_scale_is_seen(W, rng, monkeypatch):
    """A planted fault: the check of products is one that can fail."""
    if NAME != "numpy":
        pytest.skip("plants it into the function that NumPy runs")
    product = small.small_product
    monkeypatch.setattr(small, "small_product", lambda x, codes, scales, out: product(x, codes, scales * 1.001, out))
    with pytest.raises(AssertionError):
        test_a_product_is_that_with_what_is_meant(W, rng, "int8", False, 5)
