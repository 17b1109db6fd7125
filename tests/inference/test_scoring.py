import numpy as np
import pytest

from rnnlm.errors import InputError
from rnnlm.inference.scoring import score
from rnnlm.models import BetterRnnlm, Rnnlm
from tests.gradcheck import host

V, EOS = 12, 0


def sentences(rng, count=30):
    return [[*rng.integers(1, V, rng.integers(0, 9)).tolist(), EOS] for _ in range(count)]


def model():
    return Rnnlm(V, 6, 8, seed=1, bias_range=0.5, dtype="float64")


def by_hand(net, sentence):
    """Log-probabilities of one sentence by itself, from the softmax of the scores."""
    net.reset_state()
    s = host(net.predict([[EOS, *sentence[:-1]]]))[0]
    p = np.exp(s - s.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    return np.log(p[np.arange(len(sentence)), sentence])


@pytest.mark.parametrize("tokens", [1, 20, 2048])
def test_each_sentence_stands_alone(rng, tokens):
    net, many = model(), sentences(rng)
    scores = score(net, many, tokens=tokens)
    bare = [sentence[:-1] for sentence in many]
    assert [s.logprob for s in score(net, bare, EOS, tokens)] == [s.logprob for s in scores]
    assert len(scores) == len(many)
    for one, sentence in zip(scores, many):
        want = by_hand(model(), sentence)
        np.testing.assert_allclose(one.tokens, want, rtol=1e-12)
        np.testing.assert_allclose(one.logprob, want.sum(), rtol=1e-12)


def test_probabilities_of_all_sentences_of_two_words_add_up():
    """Those that end at once, after one word, and all longer ones, by their first two words."""
    net = model()
    short = np.exp(score(net, [[EOS]])[0].logprob)
    one = sum(np.exp(s.logprob) for s in score(net, [[w, EOS] for w in range(1, V)]))
    pairs = [[v, w, EOS] for v in range(1, V) for w in range(1, V)]
    longer = sum(np.exp(s.tokens[:2].sum()) for s in score(net, pairs))
    np.testing.assert_allclose(short + one + longer, 1, rtol=1e-12)


def test_the_models_own_state_is_put_back_and_dropout_is_off(rng):
    net = BetterRnnlm(V, 6, 6, 0.5, seed=1)
    net.predict(rng.integers(0, V, (3, 4)))
    before = [[host(a) for a in pair] for pair in net.get_state()]
    many = sentences(rng)
    first = [s.logprob for s in score(net, many)]
    assert [s.logprob for s in score(net, many)] == first
    for pair, other in zip(net.get_state(), before):
        for a, b in zip(pair, other):
            np.testing.assert_array_equal(host(a), b)


@pytest.mark.long
def test_a_long_sentence_is_scored_in_parts(rng):
    """Its memory does not grow with it but for its ids and nats: the scores alone of 30,000 words are 2.9 MB here."""
    import tracemalloc

    net, long = model(), [*rng.integers(1, V, 30_000).tolist(), EOS]
    want = by_hand(model(), long)
    net.losses([[1] * 40], [[1] * 40])
    tracemalloc.start()
    (one,) = score(net, [long], tokens=40)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    np.testing.assert_allclose(one.tokens, want, rtol=1e-9)
    assert peak < 2_400_000


@pytest.mark.parametrize("tokens", [1, 7, 20])
def test_no_more_is_scored_at_once_than_is_asked_for(rng, tokens):
    net, sizes = model(), []
    losses = net.losses
    net.losses = lambda xs, ts: sizes.append(xs.size) or losses(xs, ts)
    score(net, sentences(rng), tokens=tokens)
    assert tokens / 2 < max(sizes) <= tokens


def test_no_sentences():
    assert score(model(), []) == []


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ([[1, 0], []], "sentence 1 must be a list of integer ids, at least one, got"),
        ([[1, 0], [1.0, 0.0]], "sentence 1 must be a list of integer ids, at least one, got"),
        ([[1, 0], 3], "sentence 1 must be a list of integer ids, at least one, got 3"),
        ([[1, [2]], [0]], "sentence 0 must be a list of integer ids, at least one, got"),
        (3, "sentences must be a list of lists of ids, got 3"),
        ([[1, 0], [12, 0]], r"sentence 1 must hold ids in \[0, 12\), got 12"),
        ([[1, 0], [2, 0], [1, 2]], r"sentence 0 ends with 0, sentence 2 is \[1, 2\]"),
        ([[1, 0, 2, 0]], "must end with the id of <eos>, and have it nowhere else"),
    ],
)
def test_bad_sentences_are_refused(wrong, message):
    with pytest.raises(InputError, match=message):
        score(model(), wrong)


def test_tokens_must_be_positive():
    with pytest.raises(InputError, match="tokens must be a whole number of at least 1, got 0"):
        score(model(), [[EOS]], tokens=0)
