import numpy as np
import pytest

import rnnlm.cells.lstm  # noqa: F401 - whose functions have twins
from rnnlm.backend import FUSED, NAME, TWINS, ops, xp
from rnnlm.backend.cpu import ops as cpu_ops, output, threads
from rnnlm.backend.host import on_host
from tests.gradcheck import dev, host
from tests.layers.heads import test_affine_softmax


@pytest.mark.parametrize("factor", [1.0, 0.25])
def test_scale(factor):
    a = dev(np.array([1.0, -2.0]))
    ops.scale_(a, xp.asarray(factor))
    np.testing.assert_array_equal(host(a), [factor, -2 * factor])


def test_arrays_come_and_go():
    ids = np.arange(5)
    np.testing.assert_array_equal(host(ops.resident(ids)), ids)
    np.testing.assert_array_equal(ops.asnumpy(ops.asarray([1, 2], np.float32)), np.array([1, 2], np.float32))
    a, b = np.arange(12.0).reshape(2, 2, 3), np.arange(6.0).reshape(2, 3, 1)
    np.testing.assert_array_equal(host(ops.batch_matmul(dev(a), dev(b))), a @ b)


def test_all_of_a_tree_comes_to_the_host_as_copies():
    a = dev(np.arange(3.0))
    found = on_host({"a": a, "b": [a, (2, "x")], "c": None})
    a[...] = 0
    assert type(found["a"]) is np.ndarray
    np.testing.assert_array_equal(found["a"], [0, 1, 2])
    np.testing.assert_array_equal(found["b"][0], [0, 1, 2])
    assert (found["b"][1], found["c"]) == ([2, "x"], None)


def test_overflow_and_nan_give_no_warning_where_they_are_looked_for():
    huge = np.full(2, 1e300)
    with cpu_ops.quiet():
        assert np.isinf(huge * huge).all()
        assert np.isnan(huge * huge - huge * huge).all()


def test_what_slows_numpy_down_is_told(monkeypatch):
    for forced, told in ((None, []), ("others", ["others"])):
        monkeypatch.setattr(cpu_ops, "forced_kernels", lambda forced=forced: forced)
        assert cpu_ops.remarks() == told


@pytest.mark.parametrize("M", [1, 40, 129, 300])
@pytest.mark.parametrize("words", [1, 8, 39])
def test_rows_are_added_by_their_ids(rng, words, M):
    """As few as a product sums and more; to what is there, an id as often as it comes, and none where there is none."""
    out, ids, rows = rng.standard_normal((40, 4)), rng.integers(0, words, M), rng.standard_normal((M, 4))
    want, got = out.copy(), out.copy()
    for place, row in zip(ids, rows):
        want[place] += row
    cpu_ops.add_rows(got, ids, rows)
    np.testing.assert_allclose(got, want, atol=1e-12)


def test_rows_of_one_id_are_summed_in_the_order_they_came(rng):
    """Another order would have other bits: BLAS's own, in the product that sums a handful."""
    for words, rtol in (([3, 1], 1e-5), ([*range(20), *range(5)], 0)):
        ids, rows = np.tile(words, 50), rng.standard_normal((50 * len(words), 4)).astype(np.float32)
        got = np.zeros((20, 4), np.float32)
        cpu_ops.add_rows(got, ids, rows)
        for word in words:
            np.testing.assert_allclose(got[word], np.cumsum(rows[ids == word], axis=0)[-1], rtol=rtol)


@pytest.mark.parametrize("size", [1, 1000, 600_001])
def test_squares_are_summed(rng, monkeypatch, size):
    """In threads or in one; of an array that is not contiguous too."""
    a = rng.standard_normal((size, 2))
    monkeypatch.setattr(threads, "thread_count", lambda: 3)
    for one in (a, a[:, 0], a.T):
        assert cpu_ops.squares(one) == pytest.approx((one**2).sum(), rel=1e-12)
        assert cpu_ops.squares(one) == cpu_ops.squares(one)


@pytest.mark.parametrize("size", [1, 7, 100_000, 1_000_000])
def test_elementwise_work_covers_everything_once(size):
    a, b = xp.zeros(size), xp.ones(size)

    def add(x, y):
        x += y

    ops.elementwise(add, a, b)
    np.testing.assert_array_equal(host(a), np.ones(size))


def test_elementwise_work_on_an_array_that_is_not_contiguous_writes_to_it():
    def add_one(x):
        x += 1

    a = xp.zeros((4, 6))
    ops.elementwise(add_one, a.T)
    np.testing.assert_array_equal(host(a), np.ones((4, 6)))


@pytest.mark.parametrize("shape", [(1, 1, 1), (7, 5, 3), (300, 200, 300), (2, 900, 7000), (40, 300, 700)])
def test_products(rng, shape):
    """Large enough for threads and blocks, the last three, with sizes that are no multiples of a block's."""
    M, K, N = shape
    a, W, out = rng.standard_normal((M, K)), rng.standard_normal((K, N)), dev(np.full((M, N), np.nan))
    for view in (dev(W), dev(W.T.copy()).T):
        out[...] = np.nan
        ops.matmul(dev(a), view, out=out)
        np.testing.assert_allclose(host(out), a @ W, atol=1e-10)
        for times in (1, 20):
            out[...] = np.nan
            ops.multiplier(view, M, times)(dev(a), out)
            np.testing.assert_allclose(host(out), a @ W, atol=1e-10)
        ops.matmul(dev(a), view, out=out, add=True)
        np.testing.assert_allclose(host(out), 2 * (a @ W), atol=1e-10)


@pytest.mark.skipif(NAME != "numpy", reason="the NumPy twins of the plain text run on NumPy")
@pytest.mark.skipif(not TWINS, reason="RNNLM_FUSED=0 leaves the plain text alone")
@pytest.mark.parametrize("scale", [1, 1000])
def test_numpys_lstm_cell_is_the_plain_text(rng, scale):
    N, H = 3, 5
    a, product = (scale * rng.standard_normal((N, 4 * H)) for _ in range(2))
    c_prev, dy, dh, dc = (scale * rng.standard_normal((N, H)) for _ in range(4))
    results = []
    for forward, backward in zip(FUSED["lstm_forward"], FUSED["lstm_backward"]):
        gates, c, h, dc_prev = a.copy(), np.empty((N, H)), np.empty((N, H)), dc.copy()
        forward(gates, product, c_prev, c, h)
        results.append([gates.copy(), c, h])
        backward(dy, dh.copy(), dc_prev, gates, c_prev, c)
        results[-1] += [gates, dc_prev]
    for plain, fused in zip(*results):
        np.testing.assert_allclose(fused, plain, rtol=1e-12, atol=1e-13 * scale)


@pytest.mark.skipif(NAME != "numpy", reason="the NumPy twins of the plain text run on NumPy")
@pytest.mark.parametrize("shape", [(5, 3, 4), (60, 510, 900)])
@pytest.mark.parametrize("tied", [False, True])
def test_numpys_output_is_the_plain_text(rng, monkeypatch, tied, shape):
    monkeypatch.setattr(output, "CACHE", 2000)  # of which several parts are worked through
    for size in (1, 100):
        test_affine_softmax.test_numpys_twin_is_the_plain_text(rng, monkeypatch, size, tied, shape, True)
