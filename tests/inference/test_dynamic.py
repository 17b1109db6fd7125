"""Dynamic evaluation: the steps that its equation says, and nothing left of them in the model or in the next text."""

import threading

import numpy as np
import pytest

from rnnlm import (
    DynamicEvaluation,
    LanguageModel,
    Mixture,
    ModelConfig,
    NeuralCache,
    Sentences,
    Sequential,
    TimeAffine,
    TimeEmbedding,
    TimeLSTM,
    TimeSoftmaxWithLoss,
    Vocabulary,
    evaluate,
    generate,
    in_words_of,
    kneser_ney,
    linear_weights,
    quantize,
    token_nats,
)
from rnnlm.backend import xp
from rnnlm.errors import BusyError, InputError
from rnnlm.inference.predictor import shared_copy_of
from rnnlm.models.nnlm import NNLM
from tests.gradcheck import host
from tests.inference.small_models import EOS, MODELS, V, network


@pytest.fixture
def ids(rng):
    return rng.integers(0, V, 43)


def by_hand(model, ids, lr, decay, segment):
    """The losses of all words but the first, (words - 1,); the model's weights are changed."""
    trained = [W.copy() for W in model.params]
    nats = []
    model.reset_state()
    for start in range(0, len(ids) - 1, segment):
        part = ids[start : start + segment + 1]
        model.forward(part[None, :-1], part[None, 1:], train_flg=False)
        nats += host(model.head.nats)[0].tolist()
        model.backward()
        for W, g, W0 in zip(model.params, model.grads, trained):
            W += decay * (W0 - W) - lr * g
    return nats


@pytest.mark.parametrize("decay", [0.0, 0.01])
@pytest.mark.parametrize("name", [*MODELS, "nnlm"])
def test_the_steps_of_the_equation(name, decay, ids):
    model = NNLM(V, 5, 6, 3, dtype="float64") if name == "nnlm" else network(**MODELS[name])
    before = [host(W).copy() for W in model.params]
    dynamic = DynamicEvaluation(model, lr=0.5, decay=decay, segment=4)
    nats = token_nats(dynamic, ids)
    assert all((host(W) == was).all() for W, was in zip(model.params, before))
    np.testing.assert_array_equal(nats[:4], token_nats(model, ids, window=4)[:4])  # nothing has been learned yet
    assert np.abs(nats - token_nats(model, ids)).max() > 0.01
    np.testing.assert_allclose(nats, by_hand(model, ids, 0.5, decay, 4), rtol=1e-10)


def test_a_text_begins_with_the_trained_weights(ids):
    dynamic = DynamicEvaluation(network(), lr=0.5, decay=0.01, segment=4)
    first = evaluate(dynamic, ids)
    assert evaluate(dynamic, ids) == first
    assert evaluate(dynamic.shared_copy(), ids) == first == evaluate(shared_copy_of(dynamic), ids)
    assert evaluate(dynamic, ids, window=8).nats == pytest.approx(first.nats, rel=1e-12)
    xs, ts = ids[None, :4], ids[None, 1:5]
    dynamic.reset_state()
    found = [host(dynamic.losses(xs, ts))]
    dynamic.reset_state()
    np.testing.assert_array_equal(host(dynamic.losses(xs, ts)), found[0])


def test_it_begins_with_zeros_whatever_the_model_has_read(ids):
    model = network()
    want = host(DynamicEvaluation(model, lr=0.1).losses(ids[None, :8], ids[None, 1:9]))
    model.predict(ids[None, :5])
    np.testing.assert_array_equal(host(DynamicEvaluation(model, lr=0.1).losses(ids[None, :8], ids[None, 1:9])), want)


def test_a_text_longer_than_a_call_is_cut_between_segments(rng):
    ids = rng.integers(0, V, 800)
    dynamic = DynamicEvaluation(network(), lr=0.1, segment=7)
    assert dynamic.rows == 511
    np.testing.assert_allclose(token_nats(dynamic, ids), by_hand(network(), ids, 0.1, 0.0, 7), rtol=1e-9)
    dynamic.segment = 500
    assert dynamic.rows == 500
    for wrong in (0, 513, 2.5):
        with pytest.raises(InputError, match=r"segment must be a whole number in \[1, 513\)"):
            dynamic.segment = wrong


def test_what_was_learned_goes_with_the_state(ids):
    dynamic = DynamicEvaluation(network(), lr=0.5, segment=3)
    xs, ts = ids[None, :-1], ids[None, 1:]
    dynamic.losses(xs[:, :6], ts[:, :6])
    state = dynamic.get_state()
    want = host(dynamic.losses(xs[:, 6:], ts[:, 6:]))
    evaluate(dynamic, ids[::-1])  # gives the state back
    dynamic.set_state(state)
    np.testing.assert_array_equal(host(dynamic.losses(xs[:, 6:], ts[:, 6:])), want)
    for wrong in (None, state[0], (state[0], None), (state[0], [W[:-1] for W in state[1]])):
        with pytest.raises(InputError, match="state must be a tuple of the model's state and its weights"):
            dynamic.set_state(wrong)


def test_what_comes_again_becomes_likely():
    ids = np.array([EOS, 3, 1, 7, 5] * 60)
    model = network()
    assert evaluate(model, ids).perplexity > 8
    assert evaluate(DynamicEvaluation(model, lr=0.5, segment=5), ids).perplexity < 4
    drawn_back = evaluate(DynamicEvaluation(model, lr=0.5, decay=0.5, segment=5), ids).perplexity
    assert 5 < drawn_back < 8


def test_generating_does_not_learn(ids):
    model = network()
    assert generate(DynamicEvaluation(model, lr=5.0), 1, seed=1) == generate(model, 1, seed=1)


def test_targets_that_do_not_count_teach_nothing(ids):
    dynamic = DynamicEvaluation(network(), lr=0.5, segment=4)
    xs, ts = ids[None, :8], ids[None, 1:9]
    weights = [W.copy() for W in dynamic._learner.weights()]
    assert not host(dynamic.losses(xs, np.full_like(ts, -1))).any()
    assert all(bool((was == W).all()) for W, was in zip(dynamic._learner.weights(), weights))


def test_a_mixture_with_n_grams(ids):
    model, ngram = network(), kneser_ney(ids, V, EOS, 2)
    dynamic = DynamicEvaluation(model, lr=0.5, segment=4)
    own = np.exp(-token_nats(dynamic, ids))
    mixed = np.exp(-token_nats(Mixture([dynamic, ngram], [0.6, 0.4]), ids))
    np.testing.assert_allclose(mixed, 0.6 * own + 0.4 * np.exp(-token_nats(ngram, ids)[-len(own) :]), rtol=1e-9)
    assert linear_weights([dynamic, ngram], ids).sum() == pytest.approx(1)


def test_a_sequential(ids, rng):
    f = rng.standard_normal
    layers = [
        TimeEmbedding(xp.asarray(f((V, 4)))),
        TimeLSTM(*(xp.asarray(f(shape)) for shape in ((4, 12), (3, 12), (12,))), stateful=True),
        TimeAffine(xp.asarray(f((3, V))), xp.asarray(f(V))),
    ]
    chain = Sequential(layers, head=TimeSoftmaxWithLoss(), dtype="float64")
    nats = token_nats(DynamicEvaluation(chain, lr=0.1, segment=6), ids)
    assert np.abs(nats - token_nats(chain, ids))[6:].min() > 0


def test_models_that_can_not_learn(ids):
    translated = in_words_of(network(), Vocabulary(list("abcdefghi")), Vocabulary(list("ihgfedcba")))
    others = kneser_ney(ids, V, EOS, 2), translated, Mixture([network()], [1.0])
    for model in others:
        with pytest.raises(InputError, match="model must be a network that can be trained, got"):
            DynamicEvaluation(model, lr=0.1)
    with pytest.raises(InputError, match="a quantized model can't be trained"):
        DynamicEvaluation(quantize(network("float32", cell="lstm")), lr=0.1)
    chain = Sequential([TimeEmbedding(xp.zeros((V, V)))], dtype="float64")
    with pytest.raises(InputError, match="model must read a text word by word"):
        DynamicEvaluation(chain, lr=0.1)


class Tempered(LanguageModel):
    """With the losses that a predictor has."""

    def losses(self, xs, ts):
        return 2 * super().losses(xs, ts)


def test_losses_of_ones_own_say_whether_a_backward_follows():
    model = Tempered(ModelConfig(vocab_size=V, wordvec_size=5, hidden_size=6))
    for one in (model, NeuralCache(model)):
        with pytest.raises(InputError, match="losses of Tempered must take keep"):
            DynamicEvaluation(one, lr=0.1)


def test_a_log_linear_mixture_would_not_learn(ids):
    with pytest.raises(InputError, match="a log-linear mixture reads word by word, from which DynamicEvaluation does"):
        Mixture([DynamicEvaluation(network(), lr=0.1), network()], [0.5, 0.5], log_linear=True)


def test_one_text_at_a_time(ids):
    dynamic = DynamicEvaluation(network(), lr=0.1)
    for given in ({"lanes": 2}, {}):
        corpus = ids if given else Sentences(np.append(ids, [3, EOS, 4, EOS]), EOS)
        with pytest.raises(InputError, match="DynamicEvaluation reads one stream of text"):
            evaluate(dynamic, corpus, **given)


def test_a_rate_too_high(ids):
    for dtype, lr in (("float32", 1e38), ("float64", 1e6)):
        with pytest.raises(InputError, match="lr of DynamicEvaluation must be lower: the mean loss became"):
            evaluate(DynamicEvaluation(network(dtype), lr=lr, segment=2), ids)


def test_one_thread(ids):
    dynamic = DynamicEvaluation(network(), lr=0.1)
    found = []

    def other():
        try:
            evaluate(dynamic, ids)
        except BusyError as error:
            found.append(error)

    with dynamic.one_thread:
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
    assert len(found) == 1
