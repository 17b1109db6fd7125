"""Mixtures: probabilities averaged or multiplied, words matched by name, weights that make a text most probable."""

import numpy as np
import pytest

from rnnlm import (
    Mixture,
    ModelConfig,
    Sentences,
    Vocabulary,
    build_model,
    evaluate,
    generate,
    in_words_of,
    kneser_ney,
    linear_weights,
    log_linear_weights,
    maximum_likelihood,
    score,
    token_nats,
)
from rnnlm.data.cleaning import TextOptions
from rnnlm.data.reading import Reading
from rnnlm.errors import InputError
from rnnlm.inference import mixture_weights
from rnnlm.inference.other_words import log_softmax

NAMES = ["<eos>", "<unk>", "a", "b", "c", "d", "e"]
V, EOS = len(NAMES), 0
WORDS = Vocabulary(NAMES)


@pytest.fixture
def ids(rng):
    found = np.minimum(rng.geometric(0.3, 400), V - 1)
    found[rng.random(400) < 0.15] = EOS
    return found


def small_network():
    """A recurrent model that is sure of something."""
    model = build_model(ModelConfig(vocab_size=V, wordvec_size=5, hidden_size=6, seed=1))
    for p in model.params:
        p *= 3
    return model


@pytest.fixture
def network():
    return small_network()


@pytest.fixture
def ngram(ids):
    return kneser_ney(ids, V, EOS, 3)


def probs_of(model, ids):
    """Probabilities of all words after each of the ids but the last, (tokens - 1, V)."""
    model.reset_state()
    found = [log_softmax(model.next_scores(np.array([[i]])))[0] for i in ids[:-1]]
    model.reset_state()
    return np.exp(found)


def mixed(parts, weights, log_linear):
    """What the equations say of probabilities (tokens, V)."""
    if not log_linear:
        return sum(w * p for w, p in zip(weights, parts))
    product = np.exp(sum(w * np.log(p) for w, p in zip(weights, parts)))
    return product / product.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("log_linear", [False, True])
@pytest.mark.parametrize("weights", [[0.7, 0.3], [1.0, 0.0], [0.0, 1.0]])
def test_it_is_the_equation(network, ngram, ids, log_linear, weights):
    want = mixed([probs_of(network, ids), probs_of(ngram, ids)], weights, log_linear)
    mixture = Mixture([network, ngram], weights, log_linear)
    nats = mixture.losses(ids[None, :-1], ids[None, 1:])[0]
    np.testing.assert_allclose(np.exp(-nats), want[np.arange(399), ids[1:]], rtol=2e-6)
    mixture.reset_state()
    np.testing.assert_allclose(np.exp(mixture.next_scores(ids[None, :50])[0]), want[49], rtol=2e-6)
    ts = np.where(np.arange(399) % 2, ids[1:], -1)[None]
    mixture.reset_state()
    some = mixture.losses(ids[None, :-1], ts)[0]  # fewer rows in a product, which BLAS may sum in another order
    np.testing.assert_allclose(some, np.where(ts[0] < 0, 0, nats), rtol=1e-6)


def test_three_models_and_a_mixture_of_mixtures(network, ngram, ids):
    other = kneser_ney(ids[::-1].copy(), V, EOS, 2)
    whole = Mixture([network, ngram, other], [0.5, 0.3, 0.2])
    inner = Mixture([ngram, other], [0.6, 0.4])
    np.testing.assert_allclose(token_nats(Mixture([network, inner], [0.5, 0.5]), ids), token_nats(whole, ids))
    assert inner.start_id == EOS
    assert len(token_nats(inner, ids)) == 400
    assert len(token_nats(whole, ids)) == 399  # the network reads the first word


def test_it_is_a_predictor_of_rows_states_and_texts(network, ngram, ids):
    mixture = Mixture([network, ngram], [0.5, 0.5])
    rows = ids[:396].reshape(4, 99)
    mixture.next_scores(rows[:, :9])
    state = mixture.get_state()
    once = mixture.losses(rows[:, 9:-1], rows[:, 10:])
    mixture.set_state(state)
    np.testing.assert_array_equal(mixture.losses(rows[:, 9:-1], rows[:, 10:]), once)
    assert len(generate(mixture, EOS, None, 20, seed=1)) == 20
    line = [2, 3, 2, EOS]
    ours = np.exp(score(mixture, [line])[0].tokens)
    both = [np.exp(score(model, [line])[0].tokens) for model in (network, ngram)]
    np.testing.assert_allclose(ours, sum(both) / 2, rtol=2e-6)
    assert evaluate(mixture, Sentences(ids, EOS)).tokens == Sentences(ids, EOS).tokens


@pytest.mark.parametrize(
    ("weights", "said"),
    [
        ([0.5, 0.6], r"weights of a mixture must sum to 1, got \[0.5, 0.6\], in all 1.1"),
        ([1.5, -0.5], "a weight of a mixture must be at least 0 and finite, got -0.5"),
        ([float("nan"), 1], "a weight of a mixture must be at least 0 and finite, got nan"),
        ([1.0], "weights must be one for each model of a mixture, got 1 for 2"),
    ],
)
def test_bad_weights_are_refused(network, ngram, weights, said):
    with pytest.raises(InputError, match=said):
        Mixture([network, ngram], weights)


def test_models_of_different_sizes_are_refused(ngram):
    with pytest.raises(InputError, match=r"must have the same words, got \[7, 8\] of them: take Mixture.of"):
        Mixture([ngram, kneser_ney([1, 0], 8, EOS)], [0.5, 0.5])


def test_a_model_that_is_there_twice_is_refused(network, ngram):
    for models in ([network, network], [Mixture([network, ngram], [0.5, 0.5]), network]):
        with pytest.raises(InputError, match="one that is there twice would read every word twice"):
            Mixture(models, [0.5, 0.5])
    with pytest.raises(InputError, match="models must be a list of .model, vocabulary., at least one, got"):
        Mixture.of([], [])


def test_a_product_checks_what_it_is_given(network, ngram):
    mixture = Mixture([network, ngram], [0.5, 0.5], log_linear=True)
    with pytest.raises(InputError, match=r"ts must hold ids in \[-1, 7\), got 7"):
        mixture.losses([[1, 2]], [[2, 7]])
    with pytest.raises(InputError, match=r"xs and ts must have one shape \(N, T\), got \(1, 2\) and \(1, 1\)"):
        mixture.losses([[1, 2]], [[2]])


# ---------------------------------------------------------------- words by name


def other_words(rng, names):
    """An n-gram model of a random text in other words."""
    words = Vocabulary(names)
    ids = rng.integers(0, len(names), 300)
    return kneser_ney(ids, len(names), words.eos_id, 3), words


@pytest.mark.parametrize(
    "names",
    [
        ["e", "d", "c", "b", "a", "<unk>", "<eos>"],  # the same in another order
        ["<unk>", "a", "<eos>", "b"],  # fewer: c, d and e share its <unk> with <unk>
        ["x", "<unk>", "a", "<eos>", "b", "c", "d", "e", "y", "z"],  # more: x, y, z are <unk>, too
        ["x", "<unk>", "<eos>", "e"],
    ],
)
def test_words_are_matched_by_name(rng, ids, names):
    model, own = other_words(rng, names)
    found = in_words_of(model, own, WORDS)
    theirs = [own.word_to_id.get(word, own.unk_id) for word in NAMES]
    plain = probs_of(model, [theirs[i] for i in ids[:60]])
    want = plain[:, theirs] / np.array([theirs.count(i) for i in theirs])
    want[:, 1] += plain[:, [i for i, name in enumerate(names) if name not in NAMES]].sum(axis=1)
    np.testing.assert_allclose(want.sum(axis=1), 1)
    np.testing.assert_allclose(probs_of(found, ids[:60]), want, rtol=1e-9)
    nats = found.losses(ids[None, :59], ids[None, 1:60])[0]
    np.testing.assert_allclose(np.exp(-nats), want[np.arange(59), ids[1:60]], rtol=1e-9)
    assert found.start_id == EOS
    rows = ids[:60].reshape(3, 20)
    found.reset_state()
    together = found.losses(rows[:, :-1], np.where(rows[:, 1:] == 2, -1, rows[:, 1:]))
    for row, nats in zip(rows, together):
        found.reset_state()
        alone = found.losses(row[None, :-1], row[None, 1:])[0]
        np.testing.assert_allclose(nats, np.where(row[1:] == 2, 0, alone), rtol=1e-12)


def test_a_translated_model_has_the_state_of_its_own(rng, ids):
    model, own = small_network(), Vocabulary(NAMES[::-1])
    found = in_words_of(model, own, WORDS)
    found.next_scores(ids[None, :5])
    state = found.get_state()
    want = found.next_scores(ids[None, 5:9])
    found.set_state(state)
    np.testing.assert_array_equal(found.next_scores(ids[None, 5:9]), want)
    model.set_state(state)
    np.testing.assert_array_equal(found.next_scores(ids[None, 5:9]), want)
    found.reset_state()
    assert found.start_id is None
    assert not np.array_equal(found.next_scores(ids[None, 5:9]), want)


def test_words_that_are_all_impossible_add_nothing():
    own = Vocabulary(["<eos>", "a", "<unk>", "x"])
    found = in_words_of(maximum_likelihood([1, 0, 2, 0], 4, 0, 2), own, Vocabulary(["<eos>", "a", "<unk>"]))
    np.testing.assert_allclose(np.exp(found.next_scores([[0]])), [[0, 0.5, 0.5]])


def test_the_same_words_are_not_translated(ngram):
    assert in_words_of(ngram, Vocabulary(NAMES), WORDS) is ngram


def test_a_mixture_of_models_with_their_words(rng, network, ids):
    model, own = other_words(rng, ["<unk>", "a", "<eos>", "b"])
    with pytest.raises(InputError, match="own must be the words of predictor, 4 of them, got 5"):
        in_words_of(model, Vocabulary([*own.words, "c"]), WORDS)
    mixture = Mixture.of([(network, WORDS), (model, own)], [0.5, 0.5])
    assert mixture.vocab_size == V
    for t in range(1, 30):
        mixture.reset_state()
        assert np.exp(mixture.next_scores(ids[None, :t])).sum() == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize(
    ("names", "first", "said"),
    [
        (
            ["<eos>", "a", "b"],
            NAMES,
            "the other model has no <unk> to stand for '<unk>', one of 4 words of the other",
        ),
        (
            ["<eos>", "a", "x"],
            ["<eos>", "a"],
            "the first model has no <unk> to stand for 'x', one of 1 words .* --vocab MODEL",
        ),
        (
            ["<unk>", "a"],
            ["<eos>", "<unk>", "a"],
            "the other model has no <eos>, and the other one has: they read different",
        ),
    ],
)
def test_words_that_do_not_fit_are_refused(ngram, names, first, said):
    with pytest.raises(InputError, match=said):
        in_words_of(ngram, Vocabulary(names), Vocabulary(first))


def test_texts_that_are_read_differently_are_refused(ngram):
    lower = Vocabulary(NAMES, Reading.of(TextOptions(lower=True)))
    with pytest.raises(InputError, match="models that are mixed must read texts alike, and lower is False and True"):
        in_words_of(ngram, lower, WORDS)


# ---------------------------------------------------------------- weights


def best_of_grid(models, ids, log_linear):
    """The second one's weight by a fine grid, and the mean loss there."""
    ones = [probs_of(model, ids) for model in models]
    grid = np.linspace(0, 1, 1001)
    places = np.arange(len(ids) - 1), ids[1:]
    losses = [-np.log(mixed(ones, [1 - w, w], log_linear)[places]).mean() for w in grid]
    return grid[np.argmin(losses)]


def test_em_finds_the_best_of_a_fine_grid(network, ids, rng):
    two = kneser_ney(rng.permutation(ids), V, EOS, 2), kneser_ney(ids[:80], V, EOS, 2)
    held_out = ids[200:]
    found = linear_weights(two, held_out)
    assert found.sum() == pytest.approx(1, abs=1e-12)
    want = best_of_grid(two, np.append(EOS, held_out), False)
    assert 0.05 < want < 0.95
    assert found[1] == pytest.approx(want, abs=1e-3)
    # beside a network the first word does not count, and neither does it for the n-grams
    pair = network, two[0]
    nats = [token_nats(network, held_out), token_nats(two[0], held_out)[1:]]
    grid = np.linspace(0.001, 0.999, 999)
    losses = [-np.logaddexp(np.log(1 - w) - nats[0], np.log(w) - nats[1]).mean() for w in grid]
    assert linear_weights(pair, held_out)[1] == pytest.approx(grid[np.argmin(losses)], abs=1e-3)


def test_em_leaves_out_what_does_not_help(ids, rng):
    good, bad = kneser_ney(ids, V, EOS, 3), kneser_ney(rng.integers(0, V, 400), V, EOS, 1)
    np.testing.assert_allclose(linear_weights([good, bad], ids), [1, 0], atol=1e-3)
    impossible = maximum_likelihood(ids[:20], V, EOS, 3)
    weights = linear_weights([impossible, good], ids)
    assert np.isfinite(evaluate(Mixture([impossible, good], weights), ids).nats)


@pytest.mark.parametrize("corpus", ["stream", "sentences"])
def test_newton_finds_the_best_of_a_fine_grid(ids, rng, corpus):
    two = kneser_ney(rng.permutation(ids), V, EOS, 2), kneser_ney(ids[:80], V, EOS, 2)
    held_out = ids[200 : 201 + np.flatnonzero(ids[200:] == EOS)[-1]]
    rows = Sentences(held_out, EOS)
    want = best_of_grid(two, np.concatenate([[EOS], *rows] if corpus == "sentences" else [[EOS], held_out]), True)
    found = log_linear_weights(*two, rows if corpus == "sentences" else np.append(EOS, held_out))
    assert 0.05 < want < 0.95
    assert found[1] == pytest.approx(want, abs=2e-3)
    assert found.sum() == 1


def test_newton_stops_at_the_ends(ids, rng):
    good, bad = kneser_ney(ids, V, EOS, 3), kneser_ney(rng.integers(0, V, 400), V, EOS, 1)
    np.testing.assert_allclose(log_linear_weights(good, bad, ids[:150], lanes=3), [1, 0], atol=0.05)
    np.testing.assert_allclose(log_linear_weights(bad, good, ids[:150], lanes=3), [0, 1], atol=0.05)


class Always:
    """A predictor that always finds the same scores."""

    def __init__(self, *scores):
        self.scores, self.vocab_size = np.array([scores], float), len(scores)

    def next_scores(self, xs):
        return np.repeat(self.scores, len(xs), axis=0)

    def losses(self, xs, ts):
        raise NotImplementedError

    def reset_state(self):
        pass

    def get_state(self):
        return None

    def set_state(self, state):
        pass


@pytest.mark.parametrize(
    ("first", "second", "best"), [(-4, 16, 0.2), (16, -4, 0.8), (-40, 4, 10 / 11), (3, 5, 0), (-5, -3, 1)]
)
def test_newton_does_not_jump_from_end_to_end(first, second, best, monkeypatch):
    """Each weight costs a pass over the text, and is asked for once; an end that is the best is found as it is."""
    asked, derivatives = [], mixture_weights._derivatives
    monkeypatch.setattr(mixture_weights, "_derivatives", lambda *a: asked.append(a[-1]) or derivatives(*a))
    found = log_linear_weights(Always(0, first), Always(0, second), np.arange(41) % 2)
    assert found[1] == pytest.approx(best, abs=1e-3 if 0 < best < 1 else 0)
    assert len(set(asked)) == len(asked) <= 7


def test_each_line_is_read_by_both_models_from_a_reset_state(monkeypatch):
    """The derivatives of a text are the sums of those of its lines by themselves."""
    monkeypatch.setattr(mixture_weights, "WINDOW", 4)
    other = build_model(ModelConfig(vocab_size=V, wordvec_size=5, hidden_size=6, seed=2))
    lines = [[2, 3, EOS], [4, 2, 5, 3, EOS], [3, EOS], [2, 2, 6, EOS]]

    def derivatives(some):
        return np.array(mixture_weights._derivatives(small_network(), other, Sentences.of(some, EOS), 1, 0.3))

    alone = sum(derivatives([line]) for line in lines)
    np.testing.assert_allclose(derivatives(lines), alone, rtol=1e-5)


def test_more_lanes_than_tokens_of_a_window_are_read_one_step_at_a_time(monkeypatch):
    monkeypatch.setattr(mixture_weights, "WINDOW", 2)
    models, ids = [Always(0, -4), Always(0, 16)], np.arange(41) % 2
    np.testing.assert_allclose(log_linear_weights(*models, ids, lanes=3), [0.8, 0.2], atol=1e-3)


@pytest.mark.parametrize("lanes", [1, 3])
def test_the_derivatives_are_the_equations(rng, lanes):
    """Of models that remember nothing, so that a text may be cut anywhere: the expectation of what is between the two,
    less that of the token, and its variance."""
    one, other, ids = rng.standard_normal(5), rng.standard_normal(5), rng.integers(0, 5, 20)
    apart = log_softmax(other[None])[0] - log_softmax(one[None])[0]
    p = np.exp(one + 0.3 * apart) / np.exp(one + 0.3 * apart).sum()
    mean = p @ apart
    want = (mean - apart[ids[1:]]).sum(), 19 * (p @ (apart - mean) ** 2)
    found = mixture_weights._derivatives(Always(*one), Always(*other), ids, lanes, 0.3)
    np.testing.assert_allclose(found, want, rtol=1e-10)


@pytest.mark.parametrize(
    ("first", "second", "best"), [(-0.4, 1.6, 0.2), (1.6, -0.4, 0.8), (0.3, 0.5, 0), (-0.5, -0.3, 1)]
)
def test_newton_finds_the_best_where_two_tokens_tell_little(first, second, best):
    found = log_linear_weights(Always(0, first), Always(0, second), [0, 1, 0])
    np.testing.assert_allclose(found, [1 - best, best], atol=1e-3)


def test_what_can_not_be_tuned_is_refused(ngram):
    with pytest.raises(InputError, match=r"must have the same words, got \[7, 8\] of them: in_words_of translates"):
        linear_weights([ngram, kneser_ney([1, 0], 8, EOS)], [1, 2])
    with pytest.raises(InputError, match=r"must have the same words, got \[7, 8\] of them: in_words_of translates"):
        log_linear_weights(ngram, kneser_ney([1, 0], 8, EOS), [1, 2])
    with pytest.raises(InputError, match=r"must have the same words, got \[\] of them"):
        linear_weights([], [1, 2])
    never = [maximum_likelihood([2, EOS], V, EOS, 2), maximum_likelihood([3, EOS], V, EOS, 2)]
    with pytest.raises(InputError, match="a text all of whose tokens are impossible to all models"):
        linear_weights(never, [4, 5])


def test_log_linear_does_not_take_what_is_impossible(ids):
    one, other = maximum_likelihood(ids[:30], V, EOS, 2), maximum_likelihood(ids[30:90], V, EOS, 2)
    smooth = kneser_ney(ids, V, EOS, 2)
    for pair in ((one, other), (one, smooth), (smooth, one)):
        with pytest.raises(InputError, match="can't be tuned where a model finds words impossible"):
            log_linear_weights(*pair, ids)
    never = maximum_likelihood([2, EOS], V, EOS, 2), maximum_likelihood([3, EOS], V, EOS, 2)
    with pytest.raises(InputError, match="a log-linear mixture has no word left"):
        Mixture(never, [0.5, 0.5], log_linear=True).next_scores([[EOS]])
