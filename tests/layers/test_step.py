"""One time step after another gives what a window gives."""

import numpy as np
import pytest

from rnnlm.backend import NAME
from rnnlm.errors import InputError
from rnnlm.layers import Affine, Dropout, Embedding, MatMul, TimeAffine, TimeAffineWithLoss, TimeDropout, TimeEmbedding
from rnnlm.models import LanguageModel, ModelConfig, Sequential
from tests.gradcheck import dev, host
from tests.layers import test_recurrent as recurrent

N, T, D, H = 3, 4, 5, 6


def of_window(layer, xs):
    layer.train_flg = False
    return host(layer.forward(xs))


def of_steps(layer, xs):
    layer.train_flg = False
    step = layer.stepper(len(xs))
    return np.stack([host(step(xs[:, t])) for t in range(xs.shape[1])], axis=1)


def weights(rng, *shape):
    return dev(rng.standard_normal(shape))


LAYERS = {
    "Embedding": lambda rng: Embedding(weights(rng, 9, D), 0.5),
    "TimeEmbedding": lambda rng: TimeEmbedding(weights(rng, 9, D)),
    "MatMul": lambda rng: MatMul(weights(rng, D, H)),
    "Affine": lambda rng: Affine(weights(rng, D, H), weights(rng, H)),
    "TimeAffine": lambda rng: TimeAffine(weights(rng, H, D).T, weights(rng, H)),
    "Dropout": lambda rng: Dropout(0.5),
    "TimeDropout": lambda rng: TimeDropout(0.5),
}


@pytest.mark.parametrize("name", LAYERS)
def test_steps_of_a_layer_without_state(rng, name):
    layer = LAYERS[name](rng)
    xs = dev(rng.integers(0, 9, (N, T))) if "Embedding" in name else weights(rng, N, T, D)
    np.testing.assert_allclose(of_steps(layer, xs), of_window(layer, xs), rtol=1e-12)
    layer.stepper(N)(xs[:, 0])
    with pytest.raises(InputError, match="backward needs a forward of its own first"):
        layer.backward(weights(rng, N, T, D))


@pytest.mark.parametrize("kind", ["rnn", "lstm", "gru", "gru-after"])
def test_steps_of_a_recurrent_layer(rng, kind):
    """From a state on, and with the state that the window leaves."""
    layer, xs, *_ = recurrent.build(rng, kind)
    layer.stateful = True
    layer.reset_state()
    layer.forward(xs)
    state = layer.get_state()
    want, wanted = of_window(layer, xs), [host(s) for s in layer.get_state()]
    layer.set_state(*state)
    np.testing.assert_allclose(of_steps(layer, xs), want, rtol=1e-12)
    for found, s in zip(layer.get_state(), wanted):
        np.testing.assert_allclose(host(found), s, rtol=1e-12)
    for wrong in (xs[:, 0, :2], xs[:2, 0]):
        with pytest.raises(InputError, match="xs must have shape"):
            layer.stepper(N)(wrong)
    with pytest.raises(InputError, match="backward needs a forward of its own first"):
        layer.backward(xs)


@pytest.mark.skipif(NAME != "numpy", reason="on a device a look at ids would wait for it")
def test_ids_of_a_step_are_looked_at(rng):
    layer = TimeEmbedding(weights(rng, 9, D))
    for wrong in (9, -1):
        with pytest.raises(InputError, match=rf"ids must hold ids in \[0, 9\), got {wrong}"):
            layer.stepper(1)(np.array([wrong]))
        with pytest.raises(InputError, match=rf"ids must hold ids in \[0, 9\), got {wrong}"):
            layer.stepper(2)(np.array([wrong, 0]))


def test_a_layer_with_a_forward_of_its_own_is_asked_for_it(rng):
    class Twice(TimeEmbedding):
        def forward(self, ids):
            return 2 * super().forward(ids)

    class Named(TimeEmbedding):
        """Nothing of its own."""

    class Beside:
        def forward(self, ids):
            return 2 * super().forward(ids)

    class Mixed(Beside, TimeEmbedding):
        """Twice, by something that is no layer."""

    W, ids = weights(rng, 9, D), dev(rng.integers(0, 9, (N, T)))
    assert Named.stepper is TimeEmbedding.stepper
    for other in (Twice, Mixed):
        np.testing.assert_array_equal(of_steps(other(W), ids), 2 * of_steps(Named(W), ids))


@pytest.mark.parametrize("method", ["scores", "next_scores"])
def test_a_head_with_scores_of_its_own_is_asked_for_them(rng, method):
    class Hot(TimeAffineWithLoss):
        pass

    def hot(self, h):
        return getattr(TimeAffineWithLoss, method)(self, h) / 10

    class Hotter(Hot):
        locals()[method] = hot

    W, b, E = weights(rng, D, 9), weights(rng, 9), weights(rng, 9, D)
    ids = dev(rng.integers(0, 9, (N, 2)))
    cold, heated = (
        Sequential({"embed": TimeEmbedding(E)}, head(TimeAffine(W, b)), "float64") for head in (Hot, Hotter)
    )
    want = host(cold.next_scores(ids)) / 10
    for xs in (ids, ids[:, 1:]):
        np.testing.assert_allclose(host(heated.next_scores(xs)), want, rtol=1e-12)


def test_a_layer_that_was_given_a_method_is_asked_by_it(rng):
    E, W = weights(rng, 9, D), weights(rng, D, 9)
    ids = dev(rng.integers(0, 9, (N, 1)))
    plain, hooked = (
        Sequential({"embed": TimeEmbedding(E)}, TimeAffineWithLoss(TimeAffine(W, weights(rng, 9) * 0)), "float64")
        for _ in range(2)
    )
    embed = hooked.layers["embed"]
    embed.forward = lambda xs: 2 * type(embed).forward(embed, xs)
    np.testing.assert_allclose(host(hooked.next_scores(ids)), 2 * host(plain.next_scores(ids)), rtol=1e-12)


def test_weights_that_are_replaced_are_those_of_the_next_step(rng):
    for layer, xs in ((Affine(weights(rng, D, H), weights(rng, H)), weights(rng, N, D)),
                      (TimeEmbedding(weights(rng, 9, D)), dev(rng.integers(0, 9, N))),
                      (recurrent.build(rng, "lstm")[0], None)):  # fmt: skip
        xs = weights(rng, N, layer.takes) if xs is None else xs
        layer.stateful = False if hasattr(layer, "stateful") else None
        step = layer.stepper(N)
        before = host(step(xs))
        for number, p in enumerate(layer.params):
            layer.params[number] = p * 0
        assert np.abs(before).max() > np.abs(host(step(xs))).max() == 0


def test_no_state_goes_on_where_one_does_not_fit(rng):
    sizes = {"wordvec_size": D, "hidden_size": H, "layers": 2, "dtype": "float64"}
    model = LanguageModel(ModelConfig("LanguageModel", 9, **sizes))
    ids = rng.integers(0, 9, (N, 1))
    model.next_scores(ids)
    first, second = model.recurrent_layers
    before, second.h = host(first.h), second.h[:2]
    with pytest.raises(InputError, match="h, the carried state, must be"):
        model.next_scores(ids)
    np.testing.assert_array_equal(host(first.h), before)


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
def test_words_one_by_one_have_the_scores_of_a_text(rng, cell):
    sizes = {"wordvec_size": D, "hidden_size": H, "layers": 2, "dtype": "float64"}
    model = LanguageModel(ModelConfig("LanguageModel", 9, **sizes, cell=cell, dropout_ratio=0.5))
    ids = rng.integers(0, 9, (N, T))
    want = host(model.predict(ids))
    whole = model.get_state()
    model.reset_state()
    for t in range(T):
        np.testing.assert_allclose(host(model.next_scores(ids[:, t : t + 1])), want[:, t], rtol=1e-11)
    for found, wanted in zip(model.get_state(), whole):
        for one, other in zip(found, wanted):
            np.testing.assert_allclose(host(one), host(other), rtol=1e-11)
    with pytest.raises(InputError, match="h, the carried state, must be"):
        model.next_scores(ids[:2, :1])
    model.reset_state()
    np.testing.assert_allclose(host(model.next_scores(ids[:, :2])), want[:, 1], rtol=1e-11)
