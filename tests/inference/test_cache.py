"""A neural cache: what its equations say, word by word, however the text is cut, and nothing left of it in the next."""

import tracemalloc
from concurrent.futures import ThreadPoolExecutor

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
    TimeAffineWithLoss,
    TimeEmbedding,
    TimeLSTM,
    TimeSoftmaxWithLoss,
    evaluate,
    generate,
    generate_batch,
    kneser_ney,
    linear_weights,
    quantize,
    score,
    token_nats,
)
from rnnlm.backend import xp
from rnnlm.errors import BusyError, InputError
from rnnlm.models.nnlm import NNLM
from tests.gradcheck import host
from tests.inference.small_models import EOS, MODELS, V, network

HOW = {"size": 8, "weight": 0.3, "flatness": 2.0}


@pytest.fixture
def ids(rng):
    return rng.integers(0, V, 43)


def by_hand(model, ids, size, weight, flatness):
    """The probabilities of all words after each but the last, (words - 1, V), from one step after another."""
    model.reset_state()
    chain, head = model.stack, model.stack.head
    states, kept, found = [], [], []
    for t, word in enumerate(ids[:-1]):
        if states:
            kept.append((states[-1], word))
        states.append(host(chain.forward(xp.asarray(ids[None, t : t + 1]), False))[0, 0].astype(float).copy())
        scores = host(head.next_scores(xp.asarray(states[-1][None]).astype(model.flat_params.dtype)))[0].astype(float)
        p = np.exp(scores - scores.max())
        p /= p.sum()
        if kept:
            like = np.array([flatness * states[-1] @ state for state, _ in kept[-size:]])
            like = np.exp(like - like.max())
            cached = np.zeros(V)
            for (_, other), share in zip(kept[-size:], like / like.sum()):
                cached[other] += share
            p = (1 - weight) * p + weight * cached
        found.append(p)
    return np.array(found)


@pytest.mark.parametrize("size", [1, 8, 100])
@pytest.mark.parametrize("name", MODELS)
def test_the_equation(name, size, ids):
    how = HOW | {"size": size}
    want = by_hand(network(**MODELS[name]), ids, **how)
    cache = NeuralCache(network(**MODELS[name]), **how)
    np.testing.assert_allclose(np.exp(-token_nats(cache, ids)), want[np.arange(len(want)), ids[1:]], rtol=1e-10)
    cache.reset_state()
    steps = [host(cache.next_scores(ids[None, t : t + 1]))[0] for t in range(len(ids) - 1)]
    np.testing.assert_allclose(np.exp(steps), want, rtol=1e-10)


def test_float32_and_other_models(ids):
    model = network("float32", cell="lstm", init="uniform", init_range=3.0)  # states far from 0
    want = by_hand(model, ids, **HOW)[np.arange(42), ids[1:]]
    flat = by_hand(model, ids, **HOW | {"flatness": 0.0})[np.arange(42), ids[1:]]
    assert np.abs(np.log(want / flat)).mean() > 0.05
    np.testing.assert_allclose(np.exp(-token_nats(NeuralCache(model, **HOW), ids)), want, rtol=1e-4)
    for weights, apart in (("float16", 0.02), ("int8", 0.2)):
        small = quantize(model, weights)
        found = np.exp(-token_nats(NeuralCache(small, **HOW), ids))
        assert np.abs(np.log(found / want)).mean() < apart
        np.testing.assert_allclose(found, by_hand(small, ids, **HOW)[np.arange(42), ids[1:]], rtol=1e-4)
    nnlm = NNLM(V, 5, 6, 3, dtype="float64")
    assert np.abs(token_nats(NeuralCache(nnlm, **HOW), ids) - token_nats(nnlm, ids)).max() > 0.01


@pytest.mark.parametrize("window", [1, 3, 7, 42])
def test_it_does_not_matter_how_the_text_is_cut(window, ids):
    cache = NeuralCache(network(cell="lstm"), **HOW)
    np.testing.assert_allclose(token_nats(cache, ids, window=window), token_nats(cache, ids), rtol=1e-12)


def test_texts_side_by_side_have_a_cache_each(rng):
    texts = rng.integers(0, V, (3, 30))
    cache = NeuralCache(network(cell="lstm"), **HOW)
    together = host(cache.losses(texts[:, :-1], texts[:, 1:]))
    np.testing.assert_allclose(together, [token_nats(cache, text) for text in texts], rtol=1e-12)
    cache.reset_state()
    cache.losses(texts[:, :9], texts[:, 1:10])
    cache.next_scores(texts[:, 9:15])
    np.testing.assert_allclose(host(cache.losses(texts[:, 15:-1], texts[:, 16:])), together[:, 15:], rtol=1e-12)


def test_large_caches_read_fewer_words_at_a_time(rng):
    ids = rng.integers(0, V, 900)
    cache = NeuralCache(network(), size=30_000)
    assert (cache.rows, NeuralCache(network(), size=10).rows) == (69, 512)
    assert NeuralCache(network(), size=1 << 24).rows == 1
    np.testing.assert_allclose(token_nats(cache, ids), token_nats(cache, ids, window=900), rtol=1e-12)


def test_a_unigram_cache_knows_which_words_come():
    ids = np.array([EOS, 3, 1, 7, 5] * 60)
    assert evaluate(network(cell="lstm"), ids).perplexity > 8
    assert 5 < evaluate(NeuralCache(network(cell="lstm"), weight=0.9, flatness=0.0), ids).perplexity < 5.6


def test_a_weight_of_0_is_the_model(ids):
    np.testing.assert_array_equal(token_nats(NeuralCache(network(), weight=0.0), ids), token_nats(network(), ids))
    cache, model = NeuralCache(network(), weight=0.0), network()
    assert generate(cache, 1, seed=3) == generate(model, 1, seed=3)


def test_the_state_is_the_models_and_what_is_kept(ids):
    cache = NeuralCache(network(), **HOW)
    assert cache.get_state()[1] is None
    xs, ts = ids[None, :-1], ids[None, 1:]
    cache.losses(xs[:, :6], ts[:, :6])
    state = cache.get_state()
    assert [one.shape for one in state[1]] == [(1, 6, 6), (1, 5)]
    want = host(cache.losses(xs[:, 6:], ts[:, 6:]))
    evaluate(cache, ids[::-1])  # gives the state back
    assert cache.get_state()[1][1].shape == (1, 8)
    for _ in range(2):
        cache.set_state(state)
        np.testing.assert_array_equal(host(cache.losses(xs[:, 6:], ts[:, 6:])), want)
    states, words = state[1]
    for wrong in (
        (state[0], (states, words + V)),
        (state[0], (states, words - V)),
        (state[0], (states.astype(int), words)),
        (state[0], (states, words.astype(float))),
        None,
        state[0],
        (state[0], ()),
        (state[0], state[1][:1]),
        (state[0], (state[1][0], state[1][1][:, 1:])),
    ):
        with pytest.raises(InputError, match="state must be a tuple of the model's state and what is kept"):
            cache.set_state(wrong)


@pytest.mark.parametrize(
    "kept", [(xp.zeros((1, 3, 7)), xp.zeros((1, 2), int)), (xp.zeros((2, 3, 6)), xp.zeros((2, 2), int))]
)
def test_kept_states_of_another_model_are_told(kept, ids):
    cache = NeuralCache(network())
    cache.set_state((cache.model.get_state(), kept))
    with pytest.raises(InputError, match=r"the state of a cache must be of 1 texts and 6 hidden units, got \("):
        cache.losses(ids[None, :5], ids[None, 1:6])


def test_a_cache_that_grows_and_moves(rng):
    """Larger than what is read at once, and read in pieces of all lengths."""
    ids = rng.integers(0, V, 2500)
    how = {"size": 700, "weight": 0.3, "flatness": 2.0}
    want = token_nats(NeuralCache(network(cell="lstm"), **how), ids, window=2499)
    cache, found = NeuralCache(network(cell="lstm"), **how), []
    while (begin := sum(len(one) for one in found)) < 2499:
        stop = min(begin + int(rng.integers(1, 300)), 2499)
        found.append(host(cache.losses(ids[None, begin:stop], ids[None, begin + 1 : stop + 1]))[0])
    np.testing.assert_allclose(np.concatenate(found), want, rtol=1e-9)


def test_a_long_call_takes_memory_for_its_size_only(rng):
    cache, ids = NeuralCache(network("float32"), size=10), rng.integers(0, V, 6001)[None]
    tracemalloc.start()
    cache.losses(ids[:, :-1], ids[:, 1:])
    assert tracemalloc.get_traced_memory()[1] < 30e6  # all products of states at once would take 144 MB
    tracemalloc.stop()


def test_targets_that_do_not_count(ids):
    cache = NeuralCache(network(), **HOW)
    xs, ts = ids[None, :8], ids[None, 1:9].copy()
    want = host(cache.losses(xs, ts))
    ts[0, 3:5] = -1
    cache.reset_state()
    found = host(cache.losses(xs, ts))
    assert (found[0, 3:5] == 0).all()
    np.testing.assert_array_equal(np.delete(found, [3, 4], 1), np.delete(want, [3, 4], 1))


def test_generating(ids):
    cache = NeuralCache(network(cell="lstm"), size=5, weight=0.9, flatness=2.0)
    text = generate(cache, ids[:9].tolist(), sample_size=40, greedy=True)
    model = network(cell="lstm")
    want = by_hand(model, np.array(text), 5, 0.9, 2.0).argmax(axis=1)
    assert text[9:] == want[8:].tolist()
    for stop_id in (None, 3):
        rows = generate_batch(cache, [1, 2, 3], sample_size=20, seed=1, stop_id=stop_id)
        one = generate(cache, 1, sample_size=20, seed=1, stop_id=stop_id)
        assert list(rows[0])[: len(one)] == one


def test_scored_lines_have_an_empty_cache_each(ids):
    cache, model = NeuralCache(network(), **HOW), network()
    first, second = score(cache, [ids[:9].tolist(), ids[:9].tolist()])
    assert first.logprob == pytest.approx(second.logprob)
    assert first.logprob != pytest.approx(score(model, [ids[:9].tolist()])[0].logprob)
    lines = Sentences(np.append(ids, EOS), EOS)
    each = [score(cache, [line.tolist()])[0].logprob for line in lines]
    assert evaluate(cache, lines).nats == pytest.approx(-sum(each) / int(lines.lengths.sum()))


def test_mixtures_and_models_that_learn(ids):
    cache, ngram = NeuralCache(network(), **HOW), kneser_ney(ids, V, EOS, 2)
    assert linear_weights([cache, ngram], ids).sum() == pytest.approx(1)
    for log_linear in (False, True):
        assert np.isfinite(token_nats(Mixture([cache, ngram], [0.6, 0.4], log_linear), ids)).all()
    with pytest.raises(InputError, match="models of a mixture must differ"):
        Mixture([cache, cache.model], [0.5, 0.5])
    found = token_nats(DynamicEvaluation(cache, lr=0.5, segment=4), ids)
    np.testing.assert_allclose(found[:4], token_nats(cache, ids)[:4], rtol=1e-12)
    learned = token_nats(DynamicEvaluation(network(), lr=0.5, segment=4), ids)
    still = token_nats(DynamicEvaluation(NeuralCache(network(), 8, 0.0), lr=0.5, segment=4), ids)
    np.testing.assert_array_equal(still, learned)
    assert np.abs(found - learned).max() > 0.01
    with pytest.raises(InputError, match="a log-linear mixture reads word by word"):
        Mixture([DynamicEvaluation(cache, lr=0.1), ngram], [0.5, 0.5], log_linear=True)
    with pytest.raises(InputError, match="a quantized model can't be trained"):
        DynamicEvaluation(NeuralCache(quantize(network("float32", cell="lstm"))), lr=0.1)


def spelled(weights, affine_in_the_chain):
    """The same network, its last affine layer below the head or in it."""
    E, Wx, Wh, b, W, c = map(xp.asarray, weights)
    layers = [TimeEmbedding(E), TimeLSTM(Wx, Wh, b, stateful=True)]
    if affine_in_the_chain:
        return Sequential([*layers, TimeAffine(W, c)], head=TimeSoftmaxWithLoss(), dtype="float64")
    return Sequential(layers, head=TimeAffineWithLoss(TimeAffine(W, c)), dtype="float64")


def test_a_sequential_and_a_copy_for_another_thread(ids, rng):
    weights = [3 * rng.standard_normal(shape) for shape in ((V, 4), (4, 12), (3, 12), (12,), (3, V), (V,))]
    cache, other = (NeuralCache(spelled(weights, where), **HOW) for where in (True, False))
    want = token_nats(cache, ids)
    assert np.abs(want - token_nats(cache.model, ids)).max() > 0.1
    np.testing.assert_allclose(token_nats(other, ids), want, rtol=1e-10)
    cache.reset_state()
    steps = [host(cache.next_scores(ids[None, t : t + 1]))[0, ids[t + 1]] for t in range(len(ids) - 1)]
    np.testing.assert_allclose(steps, -want, rtol=1e-10)
    cache.losses(ids[None, :5], ids[None, 1:6])
    np.testing.assert_array_equal(token_nats(cache.shared_copy(), ids), want)
    with cache.one_thread, ThreadPoolExecutor(1) as pool, pytest.raises(BusyError):
        pool.submit(evaluate, cache, ids).result()


def test_models_without_hidden_states(ids):
    for model in (kneser_ney(ids, V, EOS, 2), Mixture([network()], [1.0])):
        with pytest.raises(InputError, match="model must be a network of this library, which has hidden states, got"):
            NeuralCache(model)


class Twice(LanguageModel):
    """Reads all words twice."""

    def forward(self, xs, ts, **options):
        super().forward(xs, ts, **options)
        return super().forward(xs, ts, **options)


def test_models_that_do_not_give_a_state_for_each_word(ids):
    model = Twice(ModelConfig(vocab_size=V, wordvec_size=5, hidden_size=6))
    with pytest.raises(
        InputError, match=r"a cached model must have one hidden state for each word of \(1, 5\), got \["
    ):
        NeuralCache(model).losses(ids[None, :5], ids[None, 1:6])


@pytest.mark.parametrize(
    ("name", "wrong", "said"),
    [
        ("size", 0, r"size must be a whole number in \[1, 16777217\), got 0"),
        ("weight", 1.0, r"weight must be in \[0, 1\), got 1.0"),
        ("flatness", -1.0, r"flatness must be in \[0, 1e\+06\]"),
        ("flatness", 1e39, r"flatness must be in \[0, 1e\+06\]"),
    ],
)
def test_what_can_not_be(name, wrong, said):
    with pytest.raises(InputError, match=said):
        NeuralCache(network(), **{name: wrong})
    cache = NeuralCache(network())
    with pytest.raises(InputError, match=said):
        setattr(cache, name, wrong)
