import numpy as np
import pytest

from rnnlm.backend import FUSED, NAME, TWINS, ops, xp
from rnnlm.backend.cpu import output, products, threads
from rnnlm.errors import InputError
from rnnlm.layers import TimeAffine, TimeAffineWithLoss, TimeSoftmaxWithLoss
from tests.gradcheck import assert_gradients, dev, host

SIZES = (3, 4, 5, 7)


def build(rng, ignored=2, tied=False, sizes=SIZES, dtype="float64"):
    N, T, H, V = sizes
    W = dev(rng.standard_normal((V, H)), dtype).T if tied else dev(rng.standard_normal((H, V)), dtype)
    affine = TimeAffine(W, dev(rng.standard_normal(V), dtype))
    if tied:
        affine.grads[0] = xp.zeros((V, H), dtype).T
    ts = rng.integers(0, V, (N, T))
    ts.reshape(-1)[:ignored] = -1
    return TimeAffineWithLoss(affine), affine, dev(rng.standard_normal((N, T, H)), dtype), dev(ts)


@pytest.fixture(params=["whole", "in blocks", "row by row"])
def blocks(request, monkeypatch):
    """Scores of 5 rows of 7 words at once: 12 rows take three blocks; or of one row, even where they are too many."""
    if request.param != "whole":
        monkeypatch.setattr(ops, "SCORES", {"in blocks": 35, "row by row": 6}[request.param])
        monkeypatch.setattr(ops, "SCORES_ONCE", 7)


@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize("ignored", [0, 2, 11, 12])
def test_it_is_an_affine_layer_and_a_loss(rng, blocks, tied, ignored):
    layer, affine, xs, ts = build(rng, ignored, tied)
    loss = TimeSoftmaxWithLoss()
    want = float(loss.forward(affine.forward(xs), ts))
    dxs = host(affine.backward(loss.backward(0.5)))
    grads = [host(g) for g in affine.grads]
    for keep in (False, True):
        assert abs(float(layer.forward(xs, ts, keep)) - want) < 1e-13
        np.testing.assert_allclose(host(layer.nats), host(loss.nats), atol=1e-13)
    affine.grads[0][...] = affine.grads[1][...] = np.nan  # what is written is not added to what was there
    np.testing.assert_allclose(host(layer.backward(xp.asarray(0.5))), dxs, atol=1e-14)
    for grad, its in zip(affine.grads, grads):
        np.testing.assert_allclose(host(grad), its, atol=1e-14)


def test_scores_of_a_window_never_stand_in_memory_whole(rng, monkeypatch):
    monkeypatch.setattr(ops, "SCORES", 35)
    layer, _, xs, ts = build(rng)
    layer.forward(xs, ts)
    layer.backward()
    assert max(memory.size for memory, _ in layer._buffers.values()) == max(35, host(xs).size)


@pytest.mark.parametrize(("scores", "lengths"), [(83, [11, 1]), (35, [5, 5, 2]), (7, [1] * 12), (6, [1] * 12)])
def test_a_block_has_as_many_rows_as_there_is_room_for(rng, monkeypatch, scores, lengths):
    layer, *_ = build(rng)
    monkeypatch.setattr(ops, "SCORES", scores)
    found = [(rows, exps.shape) for rows, exps in layer._blocks(12)]
    assert [shape for _, shape in found] == [(length, 7) for length in lengths]
    assert np.concatenate([np.arange(12)[rows] for rows, _ in found]).tolist() == list(range(12))


@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize("dout", [1, 0.3])
def test_backward_is_the_derivative(rng, blocks, tied, dout):
    layer, affine, xs, ts = build(rng, tied=tied)

    def loss():
        return dout * layer.forward(xs, ts)

    loss()
    before = host(xs)
    grads = {"xs": layer.backward(dout).copy()} | {n: g.copy() for n, g in zip(affine.names, affine.grads)}
    np.testing.assert_array_equal(host(xs), before)
    assert_gradients(loss, {"xs": xs} | dict(zip(affine.names, affine.params)), grads, rng)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("size", [0, 1, 29, 31, 100, 1e4, 1e30])
def test_finite_scores_give_finite_losses(dtype, size):
    """One hidden unit, whose weights are the scores; some rows of a block may be large, some small."""
    affine = TimeAffine(dev([[size, -size, 0]], dtype), dev(np.zeros(3), dtype))
    layer = TimeAffineWithLoss(affine)
    loss = float(layer.forward(dev(np.array([[[1], [-1], [0.01]]]), dtype), dev([[1, 0, 2]])))
    assert np.isfinite(loss)
    assert loss >= np.log(3) * 0.9
    assert np.isfinite(host(layer.backward())).all()
    assert all(np.isfinite(host(g)).all() for g in affine.grads)


@pytest.mark.parametrize("size", [1, 100])
def test_nats_of_float32_scores_are_as_exact_as_the_scores(rng, size):
    """The logarithm and the difference are taken in float64: in float32 nats of 9 would be wrong by up to 5e-7."""
    scores, targets = (size * rng.standard_normal((1, 5000))).astype(np.float32), rng.integers(0, 5000, (1, 64))
    layer = TimeAffineWithLoss(TimeAffine(dev(scores), dev(np.zeros(5000), np.float32)))
    layer.forward(dev(np.ones((1, 64, 1)), np.float32), dev(targets))
    exact = np.log(np.exp(scores[0] - scores.max(), dtype=np.float64).sum()) + float(scores.max()) - scores[0, targets]
    np.testing.assert_allclose(host(layer.nats).reshape(exact.shape), exact, rtol=0, atol=2.5e-7)


@pytest.mark.skipif(NAME != "numpy", reason="the NumPy twins of the plain text run on NumPy")
@pytest.mark.skipif(not TWINS, reason="RNNLM_FUSED=0 leaves the plain text alone")
@pytest.mark.parametrize("size", [1, 100])
@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize("shape", [(1, 1, 2), (5, 3, 4), (400, 60, 3000), (300, 600, 900)])
@pytest.mark.parametrize("small", [False, True])
def test_numpys_twin_is_the_plain_text(rng, monkeypatch, size, tied, shape, small):
    """With scores that need their largest subtracted and scores that don't, in one thread and in more, with memory for
    fewer rows than a product would take, with and without kernels for small products."""
    M, H, V = shape
    monkeypatch.setattr(output, "MEMORY", 20_000)
    monkeypatch.setattr(products, "small_kernels", lambda: small)
    monkeypatch.setattr(output, "few_at_a_time", lambda: small)
    x, W, b = size * rng.standard_normal((M, H)), rng.standard_normal((H, V)), rng.standard_normal(V)
    W = np.asfortranarray(W) if tied else W
    targets = rng.integers(0, V, M)
    monkeypatch.setattr(threads, "thread_count", lambda: 3)
    results = []
    for forward, alone in zip(FUSED["output_forward"], FUSED["output_nats"]):
        exps, totals, nats, same = np.empty((M, V)), np.empty(M), np.empty(M), np.empty(M)
        forward(x, W, b, targets, exps, totals, nats)
        alone(x, W, b, targets, np.ones(M), np.empty(M), same, np.empty((2, V)))
        results.append((nats, same, exps / totals[:, None]))
    for plain, fused in zip(*results):
        np.testing.assert_allclose(fused, plain, rtol=1e-9, atol=1e-11)
    np.testing.assert_allclose(results[0][1], results[0][0], rtol=1e-12)
    some = np.arange(M) % 3 == 1
    alone(x, W, b, targets, some / 2, np.empty(M), same, np.empty((2, V)))
    np.testing.assert_allclose(same[some], results[0][0][some], rtol=1e-9, atol=1e-11)
    assert np.isfinite(same).all()


def test_scores_are_those_of_the_affine_layer_and_the_next_ones_the_last(rng):
    layer, affine, xs, ts = build(rng)
    want = host(affine.forward(xs))
    layer.forward(xs, ts)
    np.testing.assert_array_equal(host(layer.scores(xs)), want)
    with pytest.raises(InputError, match="needs a forward of its own first"):
        layer.backward()
    np.testing.assert_allclose(host(layer.next_scores(xs[:, -1])), want[:, -1], rtol=1e-12)


def test_bad_input_is_refused(rng):
    layer, _, xs, ts = build(rng)
    with pytest.raises(InputError, match=r"xs must have shape \(N, T, 5\), got \(3, 4, 4\)"):
        layer.forward(xs[:, :, :4], ts)
    with pytest.raises(InputError, match="xs must have the layer's dtype float64, got float32"):
        layer.forward(xs.astype(np.float32), ts)
    with pytest.raises(InputError, match=r"ts must have shape \(3, 4\), got \(3, 3\)"):
        layer.forward(xs, ts[:, :3])
    layer.forward(xs, ts, keep=False)
    with pytest.raises(InputError, match="TimeAffineWithLoss.backward needs a forward of its own first"):
        layer.backward()
    layer.forward(xs, ts)
    layer.backward()
    with pytest.raises(InputError, match="TimeAffineWithLoss.backward needs a forward of its own first"):
        layer.backward()
