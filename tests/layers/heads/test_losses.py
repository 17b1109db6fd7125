"""Losses of rows: their equations, their gradients, their accuracy."""

import numpy as np
import pytest

from rnnlm.backend import NAME
from rnnlm.errors import InputError
from rnnlm.layers import (
    BinaryCrossEntropy,
    CategoricalCrossEntropy,
    EachTarget,
    EmbeddingDot,
    Losses,
    MeanSquaredError,
    NegativeSamplingLoss,
    SigmoidWithLoss,
    SoftmaxWithLoss,
    SparseCategoricalCrossEntropy,
    UnigramSampler,
)
from tests.gradcheck import assert_gradients, dev, host

N, V = 6, 4


def of_kind(kind, rng, shape=(N, V)):
    """A loss, outputs, targets, and what the loss is by its equation."""
    x, ids = rng.standard_normal(shape), rng.integers(0, V, shape[:-1])
    p, onehot = 1 / (1 + np.exp(-x)), np.eye(V)[ids]
    q = np.exp(x) / np.exp(x).sum(axis=-1, keepdims=True)
    yes = (rng.random(shape) < 0.5).astype(float)
    binary = -(yes * np.log(p) + (1 - yes) * np.log(1 - p)).mean()
    categorical = -np.log(q[onehot == 1]).mean()
    return {
        "squares": (MeanSquaredError(), x, yes, ((x - yes) ** 2).mean()),
        "binary": (BinaryCrossEntropy(), p, yes, binary),
        "sigmoid": (SigmoidWithLoss(), x, yes, binary),
        "categorical": (CategoricalCrossEntropy(), q, onehot, categorical),
        "sparse": (SparseCategoricalCrossEntropy(), q, ids, categorical),
        "softmax": (SoftmaxWithLoss(), x, ids, categorical),
        "one-hot": (SoftmaxWithLoss(), x, onehot, categorical),
    }[kind]


KINDS = ["squares", "binary", "sigmoid", "categorical", "sparse", "softmax", "one-hot"]


@pytest.mark.parametrize("shape", [(N, V), (N, 3, V)], ids=str)
@pytest.mark.parametrize("kind", KINDS)
def test_the_loss_and_its_gradient(rng, kind, shape):
    head, y, t, want = of_kind(kind, rng, shape)
    y, t = dev(y), dev(t)
    np.testing.assert_allclose(float(head.loss(y, t)), want, rtol=1e-12)
    dy = head.backward(0.5)
    assert dy.shape == y.shape
    assert_gradients(lambda: 0.5 * float(head.loss(y, t, keep=False)), {"y": y}, {"y": dy.copy()}, rng)
    with pytest.raises(InputError, match="needs a forward of its own first"):
        head.backward()


@pytest.mark.parametrize("kind", KINDS)
def test_the_loss_of_a_row_is_that_of_the_row_alone(rng, kind):
    head, y, t, want = of_kind(kind, rng)
    head.loss(dev(y), dev(t))
    nats = host(head.nats).reshape(-1)
    assert (nats.shape, nats.dtype) == ((N,), np.float64)
    np.testing.assert_allclose(nats.mean(), want, rtol=1e-12)
    alone = [float(head.loss(dev(y[n : n + 1]), dev(t[n : n + 1]))) for n in range(N)]
    np.testing.assert_allclose(nats, alone, rtol=1e-12)


@pytest.mark.parametrize("kind", [*KINDS, "several", "sampled", "each"])
def test_a_head_begins_as_every_layer_does(rng, kind):
    """In training, with nothing to go back from."""
    sampled = NegativeSamplingLoss(dev(np.ones((V, 5))), [0, 1])
    heads = {"several": Losses(MeanSquaredError()), "sampled": sampled, "each": EachTarget(sampled)}
    head = heads.get(kind) or of_kind(kind, rng)[0]
    assert (head.train_flg, head.ignore_label) == (True, -1)
    with pytest.raises(InputError, match=f"{type(head).__name__}.backward needs a forward of its own first"):
        head.backward()


def test_one_number_a_row(rng):
    """(N,) and (N, 1), targets of either shape, whole numbers too."""
    x, t = rng.standard_normal(N), rng.integers(0, 2, N)
    losses = []
    for y in (x, x[:, None]):
        head = SigmoidWithLoss()
        for targets in (t, t[:, None].astype(float))[: y.ndim]:
            losses.append(float(head.loss(dev(y), dev(targets))))
            assert head.backward().shape == y.shape
    np.testing.assert_allclose(losses, losses[0], rtol=1e-12)


def test_large_scores_and_certain_probabilities_stay_finite():
    for head, y, t in (
        (SigmoidWithLoss(), [[1e4, -1e4]], [[0.0, 1.0]]),
        (BinaryCrossEntropy(), [[1.0, 0.0]], [[0.0, 1.0]]),
        (CategoricalCrossEntropy(), [[1.0, 0.0]], [[0.0, 1.0]]),
        (SparseCategoricalCrossEntropy(), [[1.0, 0.0]], [1]),
    ):
        assert np.isfinite(float(head.loss(dev(y), dev(t))))
        assert np.isfinite(host(head.backward())).all()


def test_accuracy(rng):
    q = dev([[0.1, 0.9], [0.8, 0.2], [0.6, 0.4]])
    ids, onehot = dev([1, 0, 1]), dev([[0.0, 1.0], [1.0, 0.0], [0.0, 1.0]])
    for head, t in (
        (SparseCategoricalCrossEntropy(), ids),
        (CategoricalCrossEntropy(), onehot),
        (SoftmaxWithLoss(), ids),
        (SoftmaxWithLoss(), onehot),
    ):
        assert host(head.hits(q, t)).tolist() == [True, True, False]
    assert host(BinaryCrossEntropy().hits(dev([[0.9], [0.2]]), dev([1, 1]))).tolist() == [True, False]
    assert host(SigmoidWithLoss().hits(dev([[0.9], [-0.2]]), dev([[1], [1]]))).tolist() == [True, False]
    over_time, right = q[:, None], np.array([[1], [0], [1]])
    for head in (SparseCategoricalCrossEntropy(), SoftmaxWithLoss()):
        assert host(head.hits(over_time, dev(right))).tolist() == [True, True, False]
    half = dev([[0.5], [0.5], [0.6]])  # an output or a target of one half says no
    assert host(BinaryCrossEntropy().hits(half, dev([0.5, 1.0, 0.5]))).tolist() == [True, False, False]
    with pytest.raises(InputError, match="MeanSquaredError has no accuracy"):
        MeanSquaredError().hits(q, q)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "squares"])
def test_an_accuracy_is_of_targets_that_fit(rng, kind):
    head, y, t, _ = of_kind(kind, rng)
    for outputs, targets in ((y, t[1:]), (y[1:], t)):
        with pytest.raises(InputError, match="ts must have shape"):
            head.hits(dev(outputs), dev(targets))


def test_several_losses_count_alike_unless_weights_are_given(rng):
    y = dev(rng.standard_normal((N, 2)))
    each = [float(MeanSquaredError().loss(y, y - k)) for k in (1, 3)]
    heads = Losses(MeanSquaredError(), MeanSquaredError())
    np.testing.assert_allclose(float(heads.loss((y, y), (y - 1, y - 3))), sum(each), rtol=1e-12)
    for k, dy in zip((1, 3), heads.backward()):
        np.testing.assert_allclose(host(dy), 2 * k / (2 * N), rtol=1e-12)


def test_several_losses_at_once(rng):
    heads = Losses(MeanSquaredError(), SoftmaxWithLoss(), weights=[2, 0.5])
    ys, ts = (
        (dev(rng.standard_normal((N, 2))), dev(rng.standard_normal((N, V)))),
        (dev(np.zeros((N, 2))), dev(rng.integers(0, V, N))),
    )
    want = 2 * float(MeanSquaredError().loss(ys[0], ts[0])) + 0.5 * float(SoftmaxWithLoss().loss(ys[1], ts[1]))
    np.testing.assert_allclose(float(heads.loss(ys, ts)), want, rtol=1e-12)
    grads = {f"y{i}": dy.copy() for i, dy in enumerate(heads.backward())}
    assert_gradients(lambda: float(heads.loss(ys, ts, keep=False)), {f"y{i}": y for i, y in enumerate(ys)}, grads, rng)
    with pytest.raises(InputError, match="ts must be a tuple of 2, one for each head"):
        heads.loss(ys, ts[0])
    with pytest.raises(InputError, match="weights must be 2 numbers, one for each head, got 1"):
        Losses(MeanSquaredError(), MeanSquaredError(), weights=[1])


def test_targets_that_do_not_fit(rng):
    with pytest.raises(InputError, match=r"ts must have shape \(6, 4\), got \(6, 3\)"):
        MeanSquaredError().loss(dev(np.zeros((N, V))), dev(np.zeros((N, 3))))
    with pytest.raises(InputError, match=r"ts must have shape \(6\), got \(5,\)|ts must have shape \(6,\), got \(5,\)"):
        SparseCategoricalCrossEntropy().loss(dev(np.ones((N, V))), dev(np.zeros(5, int)))
    with pytest.raises(InputError, match=r"h must have shape \(N, 5\), got \(6, 4\)"):
        EmbeddingDot(dev(np.ones((V, 5)))).forward(dev(np.ones((N, 4))), dev(np.zeros(N, int)))


@pytest.mark.skipif(NAME != "numpy", reason="on a device a look at targets would wait for it")
@pytest.mark.parametrize("kind", ["binary", "sigmoid", "categorical"])
def test_targets_of_a_cross_entropy_are_probabilities(rng, kind):
    head, y, t, _ = of_kind(kind, rng)
    for wrong in (-0.1, 1.1, 2.0):
        t[2, 1] = wrong
        with pytest.raises(InputError, match=rf"ts must be in \[0, 1\], got {wrong}"):
            head.loss(y, t)
        assert np.isfinite(MeanSquaredError().loss(y, t))  # any number
    t[2, 1] = 0.5
    assert np.isfinite(head.loss(y, t))


def test_several_losses_have_one_backward_and_a_factor_that_is_finite_for_each(rng):
    heads, y = Losses(MeanSquaredError(), MeanSquaredError(), weights=[1, 1e300]), dev(rng.standard_normal((N, 2)))
    heads.loss((y, y), (y - 1, y - 1))
    for wrong in (1e10, float("nan")):
        with pytest.raises(InputError, match="dout must be a finite number|dout must be finite"):
            heads.backward(wrong)
    first, _ = heads.backward(2)  # what was refused has ended nothing
    np.testing.assert_allclose(host(first), 2 * 2 / (2 * N), rtol=1e-12)
    with pytest.raises(InputError, match="Losses.backward needs a forward of its own first"):
        heads.backward()


def test_scores_are_the_outputs_and_end_what_was_begun(rng):
    """After an evaluation there is no backward, and heads with layers of their own are no part of several."""
    y, t = dev(rng.standard_normal((N, V))), dev(rng.integers(0, V, N))
    for head, given, targets in (
        (SoftmaxWithLoss(), y, t),
        (MeanSquaredError(), y, y.copy()),
        (Losses(MeanSquaredError(), SoftmaxWithLoss()), (y, y), (y.copy(), t)),
    ):
        head.loss(given, targets)
        assert head.scores(given) is given
        with pytest.raises(InputError, match="needs a forward of its own first"):
            head.backward()
    inner = NegativeSamplingLoss(dev(rng.standard_normal((V, 5))), rng.integers(0, V, 50), sample_size=3, seed=2)
    h, want = dev(rng.standard_normal((N, 5))), None
    for head, ts in ((inner, t), (EachTarget(inner), t[:, None])):
        head.loss(h, ts)
        want = host(h) @ host(inner.params[0]).T
        np.testing.assert_allclose(host(head.scores(h)), want, rtol=1e-12)
        with pytest.raises(InputError, match="needs a forward of its own first"):
            head.backward()
    with pytest.raises(InputError, match="heads of Losses must have no parameters: put their layers before them"):
        Losses(MeanSquaredError(), inner)


# ---------------------------------------------------------------- negative sampling


@pytest.mark.parametrize("shape", [(N,), (N, 3)], ids=str)
def test_products_with_word_vectors(rng, shape):
    W, h, idx = dev(rng.standard_normal((V, 5))), dev(rng.standard_normal((N, 5))), dev(rng.integers(0, V, shape))
    layer, dys = EmbeddingDot(W), dev(rng.standard_normal(shape))
    rows = host(W)[host(idx)]
    want = (rows * (host(h) if len(shape) == 1 else host(h)[:, None])).sum(axis=-1)
    np.testing.assert_allclose(host(layer.forward(h, idx)), want, rtol=1e-12)

    def loss():
        return (layer.forward(h, idx) * dys).sum()

    for _ in range(2):
        loss()
        dh = layer.backward(dys)
        assert_gradients(loss, {"h": h, "W": W}, {"h": dh.copy(), "W": layer.grads[0].copy()}, rng)


def test_the_worked_example_of_the_product_layer():
    W, h = np.arange(21.0).reshape(7, 3), np.arange(9.0).reshape(3, 3)
    assert host(EmbeddingDot(dev(W)).forward(dev(h), dev([0, 3, 1]))).tolist() == [5, 122, 86]
    assert W[[0, 3, 1]].tolist() == [[0, 1, 2], [9, 10, 11], [3, 4, 5]]
    assert (W[[0, 3, 1]] * h).tolist() == [[0, 1, 4], [27, 40, 55], [18, 28, 40]]


def test_targets_of_a_row_that_are_ignored_add_nothing(rng):
    """The mean over rows stays one over rows."""
    assert not EachTarget(SoftmaxWithLoss()).scores_words
    head, h = EachTarget(SoftmaxWithLoss()), dev(rng.standard_normal((N, V)))
    ts = rng.integers(0, V, (N, 3))
    ts[0], ts[1, 2] = -1, -1
    nats = np.log(np.exp(host(h)).sum(axis=1))[:, None] - np.take_along_axis(host(h), np.maximum(ts, 0), axis=1)
    loss = head.loss(h, dev(ts))
    np.testing.assert_allclose(float(loss), nats[ts >= 0].sum() / N, rtol=1e-12)
    dh = head.backward(0.5)
    assert_gradients(lambda: 0.5 * float(head.loss(h, dev(ts), keep=False)), {"h": h}, {"h": dh.copy()}, rng)


@pytest.mark.parametrize("kind", ["squares", "sigmoid", "sparse"])
def test_only_a_loss_that_ignores_targets_has_another_label_for_them(rng, kind):
    head = of_kind(kind, rng)[0]
    head.ignore_label = -1
    with pytest.raises(
        InputError, match=f"{type(head).__name__} has no ignore_label of its own: all of its targets count"
    ):
        head.ignore_label = 0
    assert head.ignore_label == -1


@pytest.mark.parametrize("wrapped", [False, True])
def test_negative_sampling_is_the_derivative(rng, wrapped):
    corpus = rng.integers(0, V, 50)
    W, h = dev(rng.standard_normal((V, 5))), dev(rng.standard_normal((N, 5)))
    inner = NegativeSamplingLoss(W, corpus, sample_size=3, seed=2)
    head, ts = (EachTarget(inner), dev(rng.integers(0, V, (N, 2)))) if wrapped else (inner, dev(rng.integers(0, V, N)))

    def loss():
        inner.sampler.draws = 0  # the same negatives
        return float(head.loss(h, ts))

    loss()
    dh = head.backward()
    assert_gradients(loss, {"h": h, "W": W}, {"h": dh.copy(), "W": inner.grads[0].copy()}, rng)
    head.backward()
    with pytest.raises(InputError, match=f"{type(head).__name__}.backward needs a forward of its own first"):
        head.backward()


def test_the_loss_is_that_of_a_yes_and_some_no(rng):
    corpus = rng.integers(0, V, 50)
    W, h, idx = dev(rng.standard_normal((V, 5))), dev(rng.standard_normal((2, 5))), dev([[0, 1, 2], [3, 3, 1]])
    got = float(NegativeSamplingLoss(W, corpus, sample_size=2).loss_of(h, idx))
    s = (host(W)[host(idx)] * host(h)[:, None]).sum(axis=-1)
    want = -(np.log(1 / (1 + np.exp(-s[:, 0]))) + np.log(1 / (1 + np.exp(s[:, 1:]))).sum(axis=1)).mean()
    np.testing.assert_allclose(got, want, rtol=1e-12)


def test_negatives_that_are_given_are_rows_of_ids(rng):
    head = NegativeSamplingLoss(dev(rng.standard_normal((V, 5))), [0, 1, 2], sample_size=2)
    h = dev(rng.standard_normal((2, 5)))
    for idx, message in (
        ([0, 1], r"idx must have shape \(N, S\), got \(2,\)"),
        ([[0.0], [1.0]], "idx must hold integer ids, got dtype float64"),
        ([[0], [1], [2]], r"idx must have shape \(2, S\), got \(3, 1\)"),
    ):
        with pytest.raises(InputError, match=message):
            head.loss_of(h, dev(idx))


def test_negatives_are_drawn_by_the_power_of_their_count():
    """100,000 draws: a word's count differs from its expectation by under 5 standard deviations."""
    corpus = np.repeat(np.arange(5), [1000, 500, 100, 10, 0])
    sampler, target = UnigramSampler(corpus, 0.75, 100, seed=1), np.zeros(1000, int)
    np.testing.assert_allclose(
        sampler.word_p, (lambda p: p / p.sum())(np.array([1000, 500, 100, 10.0]) ** 0.75), rtol=1e-12
    )
    found = np.bincount(sampler.get_negative_sample(target).reshape(-1), minlength=5)
    p = sampler.word_p[1:] / sampler.word_p[1:].sum()
    assert found[0] == found[4] == 0
    assert (np.abs(found[1:4] - 1e5 * p) < 5 * (1e5 * p * (1 - p)) ** 0.5).all()


def test_a_target_that_does_not_occur_leaves_all_words_to_be_drawn():
    """Be its id among the others or beyond them."""
    corpus = np.repeat([0, 1, 3], [5, 3, 2])
    found = [UnigramSampler(corpus, seed=4).get_negative_sample(np.full(2000, target)) for target in (2, 4, 99)]
    for one in found[1:]:
        np.testing.assert_array_equal(one, found[0])
    share = np.bincount(found[0].reshape(-1)) / found[0].size
    np.testing.assert_allclose(share, np.array([5, 3, 0, 2]) ** 0.75 / sum(c**0.75 for c in (5, 3, 2)), atol=0.025)


@pytest.mark.parametrize("V", [2, 3, 7])
def test_a_target_is_never_its_own_negative(rng, V):
    corpus = rng.integers(0, V, 200)
    sampler = UnigramSampler(corpus, sample_size=4)
    target = rng.integers(0, V, 5000)
    first, second = sampler.get_negative_sample(target), sampler.get_negative_sample(target)
    assert not (first == target[:, None]).any()
    assert V == 2 or (first != second).any()
    again = UnigramSampler(corpus, sample_size=4)
    assert (again.get_negative_sample(target) == first).all()
    assert again.draws == 1
    assert (again.get_negative_sample(target) == second).all()


def test_where_rounding_leads_to_the_target_the_most_frequent_other_word_is_taken():
    """Or, among those that are as frequent, the one with the lowest id."""
    sampler = UnigramSampler(np.arange(1000).repeat(1 + np.arange(1000) % 2))  # odd ones twice
    found, target = np.array([[7, 8], [1, 5]]), np.array([7, 1])
    assert sampler._but(found, target).tolist() == [[1, 8], [3, 5]]
    sampler = UnigramSampler([1, 3, 3, 4, 4, 4])
    assert sampler._but(np.array([[4, 1], [0, 3], [2, 4]]), np.array([4, 1, 9])).tolist() == [[3, 1], [4, 3], [4, 4]]


@pytest.mark.filterwarnings("ignore:overflow")  # which the NumPy backend keeps to itself
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"power": 2000}, "power must leave the counts of words finite, got 2000: take one near 1"),
        ({"power": 0}, "power must be positive and finite, got 0"),
        ({"sample_size": 0}, "sample_size must be a whole number of at least 1, got 0"),
        ({"seed": -1}, r"seed must be a whole number in \[0, 2\*\*64\), got -1"),
        ({"seed": 2**64}, r"seed must be a whole number in \[0, 2\*\*64\), got 18446744073709551616"),
    ],
)
def test_bad_options_of_a_sampler_are_refused(options, message):
    with pytest.raises(InputError, match=message):
        UnigramSampler([0, 0, 1], **options)


def test_the_usual_options_of_a_sampler():
    """The book's: five words a target, drawn by counts to the power of three quarters."""
    sampler = UnigramSampler([0, 0, 1])
    assert (sampler.sample_size, sampler.seed, sampler.draws) == (5, 0, 0)
    np.testing.assert_allclose(sampler.word_p, np.array([2**0.75, 1]) / (2**0.75 + 1), rtol=1e-12)
    head = NegativeSamplingLoss(dev(np.ones((2, 3))), [0, 0, 1])
    assert (head.sampler.sample_size, head.sampler.seed) == (5, 0)
    np.testing.assert_array_equal(head.sampler.word_p, sampler.word_p)


def test_what_negative_sampling_is_given_must_fit(rng):
    head = NegativeSamplingLoss(dev(rng.standard_normal((V, 5))), [0, 1, 2], sample_size=2)
    h, ts = dev(rng.standard_normal((2, 5))), dev([0, 1])
    for call in (head.scores, lambda h: head.loss(h, ts)):
        with pytest.raises(InputError, match=r"h must have shape \(N, 5\), got \(2, 4\)"):
            call(h[:, :4])
        with pytest.raises(InputError, match="h must have the layer's dtype float64, got float32"):
            call(h.astype(np.float32))
    with pytest.raises(InputError, match=r"ts must have shape \(2,\), got \(1,\)"):
        head.loss(h, ts[:1])
    with pytest.raises(InputError, match="keep must be True or False, got 1"):
        head.loss(h, ts, keep=1)
    assert head.sampler.draws == 0  # what is refused draws nothing
    for wrong in ([[1], [1, 2]], ["a", "b"]):
        with pytest.raises(InputError, match="corpus must be an array of numbers"):
            UnigramSampler(wrong)
        with pytest.raises(InputError, match="target must be an array of numbers"):
            head.sampler.get_negative_sample(wrong)


@pytest.mark.parametrize(
    ("corpus", "message"),
    [
        ([1, 1], "two different words"),
        ([0.5], r"corpus must be ids \(tokens,\), got float64"),
        ([0, 9], r"ids in \[0, 4\), got 9"),
        ([0, 4], r"ids in \[0, 4\), got 4"),
        ([0, 2**31], r"corpus must hold ids in \[0, 2\^31\), got 2147483648"),
        ([0, -1], r"corpus must hold ids in \[0, 2\^31\), got -1"),
        ([[0, 1]], r"corpus must be ids \(tokens,\), got int64 of shape \(1, 2\)"),
        ([], r"corpus must be ids \(tokens,\), got float64 of shape \(0,\)"),
    ],
)
def test_corpora_without_negatives_are_refused(rng, corpus, message):
    with pytest.raises(InputError, match=message):
        NegativeSamplingLoss(dev(rng.standard_normal((V, 5))), np.array(corpus))
