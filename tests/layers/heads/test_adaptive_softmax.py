import numpy as np
import pytest

from rnnlm.backend import NAME, ops
from rnnlm.errors import InputError
from rnnlm.layers import MatMul, TimeAdaptiveSoftmaxWithLoss, TimeAffine
from rnnlm.layers.base import time_major
from tests import reference
from tests.gradcheck import assert_gradients, dev, host

N, T, H, V = 3, 4, 5, 11
SHORTLIST, CLUSTERS = 4, ((3, 5), (2, 2))  # words; units and words of each cluster
COUNTS = [2, 0, 9, 4, 4, 1, 0, 7, 3, 8, 1]  # of each word
BY_RANK = [2, 9, 7, 3, 4, 8, 0, 5, 10, 1, 6]


def build(rng, counts=COUNTS, dtype="float64"):
    def draw(*shape):
        return dev(rng.standard_normal(shape), dtype)

    first = TimeAffine(draw(H, SHORTLIST + 2), draw(SHORTLIST + 2))
    head = TimeAdaptiveSoftmaxWithLoss(
        first, [(MatMul(draw(H, d)), TimeAffine(draw(d, words), draw(words))) for d, words in CLUSTERS]
    )
    if counts is not None:
        head.set_frequencies(counts)
    return head, draw(N, T, H)


def targets(rng, ignored=2, words=V):
    ts = rng.integers(0, words, (N, T))
    ts.reshape(-1)[:ignored] = -1
    return dev(ts)


@pytest.fixture(params=["whole", "in blocks"])
def blocks(request, monkeypatch):
    if request.param == "in blocks":
        monkeypatch.setattr(ops, "SCORES", 12)
        monkeypatch.setattr(ops, "SCORES_ONCE", 5)


@pytest.mark.parametrize("counts", [None, COUNTS])
def test_scores_are_the_logarithms_of_probabilities(rng, counts):
    head, xs = build(rng, counts)
    by_rank = range(V) if counts is None else BY_RANK
    want = reference.adaptive_softmax(host(xs), by_rank, *map(host, head.params))
    np.testing.assert_allclose(host(head.scores(xs)), want, rtol=1e-12)
    np.testing.assert_allclose(np.exp(want).sum(axis=-1), 1, rtol=1e-12)
    np.testing.assert_allclose(host(head.next_scores(xs[:, -1])), want[:, -1], rtol=1e-12)


@pytest.mark.parametrize("ignored", [0, 2, 11, 12])
def test_the_loss_is_what_scores_say(rng, blocks, ignored):
    head, xs = build(rng)
    ts = targets(rng, ignored)
    logps, ids = host(head.scores(xs)), host(ts)
    nats = np.where(ids < 0, 0, -np.take_along_axis(logps, np.maximum(ids, 0)[..., None], 2)[..., 0])
    for keep in (True, False):
        assert float(head.loss(xs, ts, keep)) == pytest.approx(nats.sum() / max(1, N * T - ignored), rel=1e-12)
        np.testing.assert_allclose(host(head.nats), nats, rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize("words", [[2, 9, 7], [4, 8, 0], [1, 6], range(V)])
@pytest.mark.parametrize("dout", [1, 0.3])
def test_backward_is_the_derivative(rng, blocks, words, dout):
    """Of targets of the shortlist alone, of one cluster alone, of all; gradients of clusters without a target are 0."""
    head, xs = build(rng)
    before = host(xs)
    check_gradients(head, xs, words, rng, dout)
    np.testing.assert_array_equal(host(xs), before)


def check_gradients(head, xs, words, rng, dout=1):
    """For targets among some words, a few of them ignored."""
    ts = dev(np.where(rng.random((N, T)) < 0.2, -1, rng.choice(words, (N, T))))

    def loss():
        return dout * head.loss(xs, ts)

    loss()
    for grad in head.grads:
        grad[...] = np.nan  # what is written is not added to what was there
    grads = {"xs": head.backward(dev(dout, "float64") if dout != 1 else 1).copy()}
    grads |= {name: g.copy() for name, g in zip(head.names, head.grads)}
    assert_gradients(loss, {"xs": xs} | dict(zip(head.names, head.params)), grads, rng)


def test_a_rerun_is_equal_to_the_last_bit(rng):
    head, xs = build(rng, dtype="float32")
    ts = targets(rng)
    results = []
    for _ in range(2):
        head.loss(xs, ts)
        results.append([host(head.backward()), *map(host, head.grads)])
    for one, other in zip(*results):
        np.testing.assert_array_equal(one, other)


def test_one_hidden_state_for_another_word_is_computed_in_its_cluster_alone(rng):
    """A change of the weights of a cluster changes the nats of its own words, and no others."""
    head, xs = build(rng)
    ts = targets(rng)
    head.loss(xs, ts)
    before = host(head.nats)
    head.params[head.names.index("cluster1.b")][...] += dev(rng.standard_normal(5))
    head.loss(xs, ts)
    np.testing.assert_array_equal(host(head.nats) != before, np.isin(host(ts), BY_RANK[4:9]))


def test_any_label_may_be_the_one_that_does_not_count(rng):
    head, xs = build(rng)
    ts = host(targets(rng))
    want = float(head.loss(xs, dev(ts)))
    head.ignore_label = 10 * V
    assert float(head.loss(xs, dev(np.where(ts < 0, 10 * V, ts)))) == want


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_large_scores_have_finite_logarithms(rng, dtype):
    head, xs = build(rng, dtype=dtype)
    xs *= 1e4
    assert np.isfinite(host(head.scores(xs))).all()
    np.testing.assert_allclose(np.exp(host(head.scores(xs))).sum(axis=-1), 1, rtol=1e-5)
    assert np.isfinite(float(head.loss(xs, targets(rng))))
    assert np.isfinite(host(head.backward())).all()


def test_biases_of_frequencies_are_the_frequencies(rng):
    head, xs = build(rng)
    logs = np.log(np.maximum(COUNTS, 0.5) / sum(COUNTS))
    for name, values in head.unigram_biases(logs).items():
        head.params[head.names.index(name)][...] = dev(values)
    for name, p in zip(head.names, head.params):
        if name.endswith(".W"):
            p[...] = 0
    np.testing.assert_allclose(host(head.scores(xs)[0, 0]), reference.log_softmax(logs), rtol=1e-12)


@pytest.mark.parametrize("shape", [(1, 1), (2, 3)])
def test_memory_of_a_window_is_bounded(rng, monkeypatch, shape):
    monkeypatch.setattr(ops, "SCORES", 12)
    head, xs = build(rng)
    head.loss(xs, targets(rng))
    head.backward()
    for part in head.parts().values():
        assert all(memory.size <= max(12, N * T * H) for memory, _ in part._buffers.values())


def test_a_gpu_is_waited_for_once(rng, strict):
    head, xs = build(rng, dtype="float32")
    xs, ts = time_major(xs).swapaxes(0, 1), time_major(targets(rng)).swapaxes(0, 1)  # as layers hand them on
    strict.reset()
    head.loss(xs, ts)
    head.backward()
    assert (strict.syncs, strict.copies, strict.uploads) == (1, 0, 0)


def test_what_does_not_fit_is_refused(rng):
    def draw(*shape):
        return dev(rng.standard_normal(shape))

    first, cluster = TimeAffine(draw(5, 3), draw(3)), (MatMul(draw(5, 2)), TimeAffine(draw(2, 4), draw(4)))
    for clusters, message in {
        (): "first must have a score for each of 0 clusters",
        (cluster,) * 3: "first must have a score for each of 3 clusters, at least 1, and for at least one word",
        (cluster[:1],): "cluster 1 must be a MatMul and a TimeAffine",
        (cluster, cluster[::-1]): "cluster 2 must be a TimeAffine",
        (cluster, (MatMul(draw(4, 2)), cluster[1])): r"projection of cluster 2 must have shape \(5, 2\), got \(4, 2\)",
        (cluster, (MatMul(draw(5, 3)), cluster[1])): r"projection of cluster 2 must have shape \(5, 2\), got \(5, 3\)",
    }.items():
        with pytest.raises(InputError, match=message):
            TimeAdaptiveSoftmaxWithLoss(first, clusters)


@pytest.mark.parametrize(
    ("counts", "message"),
    [
        (COUNTS[1:], r"counts must be numbers \(11,\), one for each word"),
        (["many"] * V, "counts must be an array of numbers"),
        ([-1, *COUNTS[1:]], "counts must be finite and not negative"),
        ([np.nan, *COUNTS[1:]], "counts must be finite and not negative"),
    ],
)
def test_frequencies_that_are_none_are_refused(rng, counts, message):
    head, xs = build(rng)
    before = host(head.scores(xs))
    with pytest.raises(InputError, match=message):
        head.set_frequencies(counts)
    np.testing.assert_array_equal(host(head.scores(xs)), before)


def test_bad_input_is_refused(rng):
    head, xs = build(rng)
    with pytest.raises(InputError, match=r"xs must have shape \(N, T, 5\), got \(3, 4, 4\)"):
        head.loss(xs[:, :, :4], targets(rng))
    with pytest.raises(InputError, match=r"ts must have shape \(3, 4\), got \(3, 3\)"):
        head.loss(xs, targets(rng)[:, :3])
    if NAME == "numpy":
        with pytest.raises(InputError, match=r"ts must hold ids in \[0, 11\), or -1"):
            head.loss(xs, targets(rng) + V)
    for after in (lambda: head.loss(xs, targets(rng), keep=False), lambda: head.scores(xs), head.backward):
        head.loss(xs, targets(rng))
        after()
        with pytest.raises(InputError, match="TimeAdaptiveSoftmaxWithLoss.backward needs a forward of its own first"):
            head.backward()
