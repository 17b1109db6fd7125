import copy
import pickle

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from benchmarks.plain import PlainRnnlm
from rnnlm.backend import NAME, xp
from rnnlm.errors import InputError, ModelFileError
from rnnlm.inference import evaluate
from rnnlm.models import SimpleRnnlm
from rnnlm.optim import SGD, clip_grads
from tests import reference
from tests.gradcheck import assert_gradients, dev, host

V, D, H, N, T = 13, 5, 7, 3, 4


def build(dtype="float64", **options):
    return SimpleRnnlm(V, D, H, **({"seed": 1, "bias_range": 0.3, "dtype": dtype} | options))


def windows(rng, count):
    ids = rng.integers(0, V, (N, count * T + 1))
    return [(ids[:, k * T : k * T + T], ids[:, k * T + 1 : k * T + T + 1]) for k in range(count)]


def scores(model, xs, h):
    E, Wx, Wh, b, W, c = map(host, model.params)
    hs, h = reference.rnn(reference.embedding(xs, E), h, Wx, Wh, b)
    return reference.affine(hs, W, c), h


def test_forward_and_predict_are_the_equations(rng):
    model, h = build(), np.zeros((N, H))
    for xs, ts in windows(rng, 3):
        want, h = scores(model, xs, h)
        state = model.get_state()
        np.testing.assert_allclose(float(model.forward(xs, ts)), reference.cross_entropy(want, ts), rtol=1e-12)
        model.set_state(state)
        np.testing.assert_allclose(host(model.predict(xs)), want, rtol=1e-12)
        np.testing.assert_allclose(host(model.get_state()[0][0]), h, rtol=1e-12)


def test_losses_are_those_of_each_target(rng):
    model = build()
    xs, ts = rng.integers(0, V, (2, N, T))
    ts[0, :2] = -1
    want, _ = scores(model, xs, np.zeros((N, H)))
    nats = host(model.losses(xs, ts))
    assert nats[0, :2].tolist() == [0, 0]
    np.testing.assert_allclose(nats[1, 2], reference.cross_entropy(want[1:2, 2:3], ts[1:2, 2:3]), rtol=1e-12)
    np.testing.assert_allclose(nats.sum() / (N * T - 2), reference.cross_entropy(want, ts), rtol=1e-12)


def test_backward_is_the_derivative(rng):
    model, (xs, ts) = build(), windows(rng, 1)[0]
    model.forward(xs, ts)
    state = [h.copy() for h in model.get_state()[0]]

    def loss():
        model.set_state([state])
        return model.forward(xs, ts)

    loss()
    model.backward()
    grads = {name: g.copy() for name, g in zip(model.names, model.grads)}
    grads["h0"] = model.layers["rnn"].dh.copy()
    assert_gradients(loss, dict(zip(model.names, model.params)) | {"h0": state[0]}, grads, rng)


@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-12), ("float32", 1e-5)])
@pytest.mark.parametrize("max_grad", [None, 0.05])
def test_train_step_is_the_step_by_step_reference(rng, dtype, tolerance, max_grad):
    """Five windows with the state carried. Differences are measured against each array's largest entry, because sums
    of float32 in another order leave small entries with large relative errors."""
    model, lr = build(dtype), 0.5
    plain, optimizer = PlainRnnlm(model.state_dict()), SGD(lr)
    for xs, ts in windows(rng, 5):
        loss = model.forward(xs, ts)
        model.backward()
        clip_grads([model.flat_grads], max_grad or np.inf)
        want = float(plain.step(dev(xs), dev(ts), lr, max_grad))
        assert abs(float(loss) - want) <= tolerance * want
        optimizer.update([model.flat_params], [model.flat_grads])
        for name, p in zip(model.names, model.params):
            reference_p = host(plain.weights[name])
            assert np.abs(host(p) - reference_p).max() <= tolerance * np.abs(reference_p).max(), name


def test_gradients_of_one_step_are_the_references_in_float32(rng):
    model, (xs, ts) = build("float32"), windows(rng, 1)[0]
    plain = PlainRnnlm(model.state_dict())
    model.forward(xs, ts)
    model.backward()
    plain.forward(dev(xs), dev(ts))
    for name, want in plain.backward().items():
        want, got = host(want), host(model.grads[model.names.index(name)])
        assert np.abs(got - want).max() <= 1e-5 * np.abs(want).max(), name


def test_params_and_grads_are_views_of_flat_buffers(rng):
    model, (xs, ts) = build(), windows(rng, 1)[0]
    assert model.names == ["embed.W", "rnn.Wx", "rnn.Wh", "rnn.b", "affine.W", "affine.b"]
    assert [p.shape for p in model.params] == [(V, D), (D, H), (H, H), (H,), (H, V), (V,)]
    model.forward(xs, ts)
    model.backward()
    total = sum(float((g * g).sum()) for g in model.grads)
    assert total > 0
    np.testing.assert_allclose(float((model.flat_grads * model.flat_grads).sum()), total, rtol=1e-12)
    model.flat_params[...] = 0
    model.flat_grads[...] = 0
    assert not any(host(a).any() for a in [*model.params, *model.grads])
    assert all(mine is its for mine, its in zip(model.params, model.layers["embed"].params))


def test_weights_begin_as_the_book_has_them():
    model = SimpleRnnlm(2000, 100, 50, seed=3)
    E, Wx, Wh, b, W, c = map(host, model.params)
    for array, std in ((E, 0.01), (Wx, 0.1), (Wh, 50**-0.5), (W, 50**-0.5)):
        assert abs(array.std() / std - 1) < 0.05  # 2,500 draws or more: standard error of a deviation below 1.5 percent
        assert abs(array.mean()) < 5 * std / array.size**0.5
    assert not b.any()
    assert not c.any()
    assert 0 < np.abs(host(SimpleRnnlm(9, 4, 50, bias_range=0.1).params[3])).max() <= 0.1


def test_a_seed_gives_its_weights_whatever_the_dtype():
    one, same, other = build("float32"), build("float64"), build("float32", seed=2)
    np.testing.assert_array_equal(host(one.flat_params), host(build("float32").flat_params))
    for a, b in zip(one.params, same.params):
        np.testing.assert_array_equal(host(a), host(b).astype(np.float32))
    assert not np.array_equal(host(one.flat_params), host(other.flat_params))


def test_what_leaves_the_model_is_a_copy(rng):
    model, (xs, ts) = build(), windows(rng, 1)[0]
    first = model.predict(xs)
    state, weights = model.get_state(), model.state_dict()
    kept = host(first), host(state[0][0]), weights["rnn.Wh"].copy()
    model.predict(xs)
    model.forward(xs, ts)
    model.flat_params[...] = 0
    for now, before in zip((host(first), host(state[0][0]), weights["rnn.Wh"]), kept):
        np.testing.assert_array_equal(now, before)


def test_save_and_load(tmp_path, rng):
    model, other, (xs, _) = build(), build(seed=5), windows(rng, 1)[0]
    model.save_params(tmp_path / "a.safetensors")
    other.load_params(tmp_path / "a.safetensors")
    np.testing.assert_array_equal(host(other.predict(xs)), host(model.predict(xs)))


def test_save_params_has_a_default_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    build().save_params()
    assert [p.name for p in tmp_path.iterdir()] == ["SimpleRnnlm.safetensors"]
    build(seed=2).load_params()


def test_a_file_that_is_no_model_is_refused_and_nothing_changes(tmp_path):
    model, path = build(), tmp_path / "a"
    before = host(model.flat_params)
    for content in (b"", b"nonsense", b"\xff" * 100):
        path.write_bytes(content)
        with pytest.raises(ModelFileError, match="does not hold the parameters of this SimpleRnnlm"):
            model.load_params(path)
    for other in (SimpleRnnlm(V + 1, D, H), build("float32")):
        other.save_params(path)
        with pytest.raises(ModelFileError, match=r"embed.W must be float64 \(13, 5\), got"):
            model.load_params(path)
    with pytest.raises(ModelFileError, match="does not exist"):
        model.load_params(tmp_path / "b")
    with pytest.raises(InputError, match="unknown"):
        model.load_state_dict(model.state_dict() | {"more": np.zeros(1)})
    np.testing.assert_array_equal(host(model.flat_params), before)


@settings(max_examples=20, deadline=None)
@given(st.integers(2, 9), st.integers(1, 9), st.integers(1, 9), st.sampled_from(["float32", "float64"]))
def test_every_size_survives_saving(tmp_path_factory, v, d, h, dtype):
    model = SimpleRnnlm(v, d, h, bias_range=1.0, dtype=dtype)
    path = tmp_path_factory.mktemp("model") / "a"
    model.save_params(path)
    other = SimpleRnnlm(v, d, h, seed=9, dtype=dtype)
    other.load_params(path)
    for a, b in zip(model.params, other.params):
        np.testing.assert_array_equal(host(a), host(b))


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ((0, 5, 5), "vocab_size must be a whole number of at least 1, got 0"),
        ((1, 5, 5), "vocab_size must be at least 2: one word leaves nothing to predict, got 1"),
        ((9, -1, 5), "wordvec_size must be a whole number of at least 1, got -1"),
        ((9, 5, 2.5), "hidden_size must be a whole number of at least 1, got 2.5"),
        ((9, 5, True), "hidden_size must be a whole number of at least 1, got True"),
    ],
)
def test_sizes_that_make_no_model_are_refused(sizes, message):
    with pytest.raises(InputError, match=message):
        SimpleRnnlm(*sizes)


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ({"seed": -1}, "seed must be a whole number"),
        ({"bias_range": float("nan")}, r"bias_range must be in \[0, 100\], got nan"),
        ({"dtype": "float16"}, "dtype must be one of float32, float64, got 'float16'"),
    ],
)
def test_options_out_of_range_are_refused(option, message):
    with pytest.raises(InputError, match=message):
        build(**option)


@pytest.mark.parametrize(
    ("xs", "ts", "message"),
    [
        ([[0, 13]], [[1, 2]], r"xs must hold ids in \[0, 13\), got 13"),
        ([[0, -1]], [[1, 2]], r"xs must hold ids in \[0, 13\), got -1"),
        ([[0, 1]], [[1, 13]], r"ts must hold ids in \[-1, 13\), got 13"),
        ([[0, 1]], [[1, -2]], r"ts must hold ids in \[-1, 13\), got -2"),
        ([[0.0, 1.0]], [[1, 2]], "xs must be integer ids of shape .N, T., got float64"),
        ([0, 1], [1, 2], r"xs must be integer ids of shape \(N, T\), got int64 of shape \(2,\)"),
        ([[0, 1]], [[1, 2, 3]], r"xs and ts must have one shape \(N, T\), got \(1, 2\) and \(1, 3\)"),
        ([[]], [[]], r"xs must be integer ids of shape \(N, T\), got none: \(1, 0\)"),
        ([[1], [1, 2]], [[1]], r"xs must be integer ids of shape \(N, T\), got rows of different lengths"),
        (np.zeros((0, 3), int), np.zeros((0, 3), int), r"xs must be integer ids of shape \(N, T\), got none: \(0, 3\)"),
    ],
)
def test_bad_ids_are_refused(xs, ts, message):
    with pytest.raises(InputError, match=message):
        build().forward(xs, ts)


def test_states_that_do_not_fit_are_refused(rng):
    model, (xs, _) = build(), windows(rng, 1)[0]
    model.predict(xs)
    with pytest.raises(InputError, match=r"the carried state, must be \(1, 7\), got \(3, 7\): reset_state"):
        model.predict(xs[:1])
    with pytest.raises(InputError, match="state must have 1 entries, one for each recurrent layer, got 2 entries"):
        model.set_state([None, None])
    with pytest.raises(InputError, match=r"h must have shape \(N, 7\), got \(3, 8\)"):
        model.set_state([(xp.zeros((3, 8)),)])


def test_device_arrays_are_taken_as_they_are(rng):
    model, (xs, ts) = build(), windows(rng, 1)[0]
    want = float(model.forward(xs, ts))
    model.reset_state()
    assert float(model.forward(dev(xs), dev(ts))) == want


@pytest.mark.parametrize("how", [copy.deepcopy, copy.copy, lambda model: pickle.loads(pickle.dumps(model))])
def test_a_copy_is_a_model_of_its_own(rng, how):
    model, (xs, ts) = build(), windows(rng, 1)[0]
    model.forward(xs, ts)
    if NAME == "cupy" and how not in (copy.deepcopy, copy.copy):
        model.reset_state()  # device arrays of the stand-in are not pickled
    other = how(model)
    before = host(model.flat_params)
    assert float(other.forward(xs, ts)) == float(model.forward(xs, ts))
    other.backward()
    SGD(0.5).update([other.flat_params], [other.flat_grads])
    np.testing.assert_array_equal(host(model.flat_params), before)
    assert not np.array_equal(host(other.params[0]), host(model.params[0]))


@pytest.mark.parametrize("between", [lambda m, xs, ts: m.predict(xs), lambda m, xs, ts: m.losses(xs, ts)])
def test_a_backward_whose_scores_are_gone_is_refused(rng, between):
    model, (xs, ts) = build(), windows(rng, 1)[0]
    model.forward(xs, ts)
    between(model, xs, ts)
    with pytest.raises(InputError, match="backward needs a forward of its own first"):
        model.backward()


def test_losses_are_a_copy(rng):
    model, ((xs, ts), other) = build(), windows(rng, 2)
    nats = model.losses(xs, ts)
    kept = host(nats)
    model.losses(*other)
    np.testing.assert_array_equal(host(nats), kept)


def test_one_hot_targets_are_their_ids(rng):
    model, (xs, ts) = build(), windows(rng, 1)[0]
    want = float(model.forward(xs, ts))
    for dtype in (int, float, bool):
        model.reset_state()
        assert float(model.forward(xs, np.eye(V, dtype=dtype)[ts])) == want
    state = host(model.get_state()[0][0])
    for wrong in (np.eye(V + 1)[ts], np.zeros((N, T, V)), np.ones((N, T, V))):
        with pytest.raises(InputError, match=r"one-hot ts must have shape \(N, T, 13\) and one entry that is not 0"):
            model.forward(xs, wrong)
    np.testing.assert_array_equal(host(model.get_state()[0][0]), state)


@pytest.mark.parametrize("label", [0, 3, -100])
def test_any_label_may_be_ignored_in_training_and_all_words_are_scored(rng, label):
    model, other = build(), build()
    xs, ts = rng.integers(0, V, (2, N, T))
    ts[0, :2] = label
    other.head.ignore_label = label
    where = np.where(ts == label, -1, ts)
    assert float(other.forward(xs, ts)) == float(model.forward(xs, where))
    corpus = rng.integers(0, V, 60)
    assert evaluate(other, corpus, lanes=7) == evaluate(model, corpus, lanes=7)
    assert other.head.ignore_label == label
    for twin in (copy.deepcopy(other), pickle.loads(pickle.dumps(other)), other.shared_copy()):
        assert twin.head.ignore_label == label
    with pytest.raises(InputError, match=r"ts.* must hold ids in \[0, 13\), got -5"):
        other.forward(xs, np.full((N, T), -5))


def test_a_constructor_with_an_argument_of_its_own_needs_a_from_config_of_its_own():
    class Scaled(SimpleRnnlm):
        def __init__(self, vocab_size, wordvec_size, hidden_size, scale=1.0, **options):
            super().__init__(vocab_size, wordvec_size, hidden_size, **options)
            self.scale = scale

    for copied in (copy.deepcopy, SimpleRnnlm.shared_copy):
        with pytest.raises(InputError, match="Scaled takes 'scale', which its config does not have"):
            copied(Scaled(V, D, H, scale=30.0))
