import numpy as np
import pytest

from rnnlm.errors import InputError
from rnnlm.models import BetterRnnlm, Rnnlm
from rnnlm.scoring import score
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
    scores = score(net, many, tokens)
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


def test_no_sentences():
    assert score(model(), []) == []


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ([[1, 0], []], "sentence 1 must be a list of at least one integer id, got"),
        ([[1, 0], [1.0, 0.0]], "sentence 1 must be a list of at least one integer id, got"),
        ([[1, 0], 3], "sentence 1 must be a list of at least one integer id, got 3"),
        ([[1, 0], [12, 0]], r"sentence 1 must hold ids in \[0, 12\), got 12"),
        (
            [[1, 0], [2, 0], [1, 2]],
            "sentences must all end with the id of <eos>: number 0 ends with 0, number 2 with 2",
        ),
    ],
)
def test_bad_sentences_are_refused(wrong, message):
    with pytest.raises(InputError, match=message):
        score(model(), wrong)


def test_tokens_must_be_positive():
    with pytest.raises(InputError, match="tokens must be a whole number of at least 1, got 0"):
        score(model(), [[EOS]], tokens=0)
