"""Kneser-Ney: discounts and a small model by hand, a larger one by dictionaries, probabilities that sum to 1, and the
figure of Penn Treebank.
"""

import os
from math import exp, log

import numpy as np
import pytest

from rnnlm import evaluate, kneser_ney, load_corpus, maximum_likelihood
from rnnlm.backend import NAME
from rnnlm.data.corpora import ptb, story
from rnnlm.errors import InputError
from rnnlm.ngrams.smoothing import USUAL_DISCOUNTS, discounts_of
from tests.ngrams.by_dictionary import START, KneserNey

pytestmark = pytest.mark.skipif(NAME != "numpy", reason="n-grams are counted without an array library: runs on NumPy")
WORDS = ["a", "b", "c", "<eos>"]
EOS = 3


def prob(model, *words):
    """p(last word | the words before it), "<s>" the beginning of a line."""
    ids = [EOS if word == START else WORDS.index(word) for word in words]
    model.reset_state()
    return exp(-model.losses([ids[:-1]], [[*[-1] * (len(ids) - 2), ids[-1]]])[0, -1])


def lines_of(ids, eos):
    """Lines of ids, as tuples."""
    ends = np.flatnonzero(np.asarray(ids) == eos) + 1
    return [part.tolist() for part in np.split(np.asarray(ids), ends) if len(part)]


def test_discounts_by_hand():
    # n1 = 4, n2 = 2, n3 = 1, n4 = 1, so Y = 4 / (4 + 2 * 2) = 1 / 2
    counts = np.array([1, 1, 1, 1, 2, 2, 3, 4, 9, 0])
    assert discounts_of(counts).tolist() == [0, 1 - 2 * 0.5 * 2 / 4, 2 - 3 * 0.5 * 1 / 2, 3 - 4 * 0.5 * 1 / 1]


@pytest.mark.parametrize("counts", [[5, 6, 7], [1, 2, 2, 3], [1] * 3 + [2] + [3] * 9 + [4]])
def test_discounts_that_can_not_be_had_are_the_usual_ones(counts):
    assert discounts_of(np.array(counts)).tolist() == [0, *USUAL_DISCOUNTS]


def test_a_small_model_by_hand():
    # the lines "a b", "a c", "b"; counts of counts give no discounts, which are then 1/2 of 1 and 1 of 2
    model = kneser_ney([0, 1, 3, 0, 2, 3, 1, 3], 4, EOS, order=2)
    # before a stands <s>, before b <s> and a, before c a, before <eos> b and c: 1, 2, 1, 2 of 6, of which 3 are taken
    unigrams = {"a": 0.5 / 6 + 0.5 / 4, "b": 1 / 6 + 0.5 / 4, "c": 0.5 / 6 + 0.5 / 4, "<eos>": 1 / 6 + 0.5 / 4}
    assert sum(unigrams.values()) == pytest.approx(1)
    # after <s>: a twice, b once; after a: b and c once each; after b: <eos> twice; after c: <eos> once
    want = {
        (START, "a"): 1 / 3 + 1.5 / 3 * unigrams["a"],
        (START, "b"): 0.5 / 3 + 1.5 / 3 * unigrams["b"],
        (START, "c"): 1.5 / 3 * unigrams["c"],
        ("a", "b"): 0.5 / 2 + 1 / 2 * unigrams["b"],
        ("a", "a"): 1 / 2 * unigrams["a"],
        ("b", "<eos>"): 1 / 2 + 1 / 2 * unigrams["<eos>"],
        ("c", "<eos>"): 0.5 / 1 + 0.5 * unigrams["<eos>"],
    }
    for words, p in want.items():
        assert prob(model, *words) == pytest.approx(p, rel=1e-12), words


@pytest.mark.parametrize("cutoffs", [(), (1,), (0, 1), (1, 1, 2)])
@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_a_random_text_by_dictionaries(rng, order, cutoffs):
    V = 12
    ids = np.minimum(rng.geometric(0.25, 300), V - 2)
    ids[rng.random(300) < 0.15] = EOS
    if len(cutoffs) > order - 1:
        with pytest.raises(InputError, match=f"cut-offs are for the orders from 2 to {order}"):
            kneser_ney(ids, V, EOS, order, cutoffs)
        return
    model = kneser_ney(ids, V, EOS, order, cutoffs)
    lines = lines_of(ids, EOS)
    plain = KneserNey(lines, range(V), order, model.discounts, cutoffs)
    for line in lines[:12] + [rng.integers(EOS + 1, V, 5).tolist() for _ in range(4)]:
        model.reset_state()
        model.next_scores([[EOS]])
        for place in range(min(len(line), 6)):
            context = (START, *line[:place])[max(0, place + 2 - order) :] if order > 1 else ()
            want = [plain(word, context) for word in range(V)]
            state = model.get_state()
            xs, ts = np.full((1, 1), line[place - 1] if place else EOS), np.array([[line[place]]])
            found = np.exp(model.next_scores(xs)[0])
            np.testing.assert_allclose(found, want, rtol=1e-10)
            model.set_state(state)
            assert model.losses(xs, ts)[0, 0] == pytest.approx(-log(want[line[place]]), rel=1e-10)
    assert sum(len(table) for table in model.tables[1:]) == sum(len(ngram) > 1 for ngram in plain.kept)


def expect_to_sum_to_1(model, ids, rng):
    """All words' probabilities after 1,000 contexts, half of them of random words."""
    words = rng.integers(0, model.vocab_size, (500, 6))
    starts = rng.integers(0, len(ids) - 6, 500)
    contexts = np.concatenate([words, np.asarray(ids)[starts[:, None] + np.arange(6)]])
    for part in np.split(contexts, 10):
        model.reset_state()
        np.testing.assert_allclose(np.exp(model.next_scores(part)).sum(axis=1), 1, rtol=0, atol=1e-9)


@pytest.mark.parametrize("cutoffs", [(), (1,)])
def test_probabilities_sum_to_1_on_the_stories(rng, cutoffs):
    ids, words, _ = story.load_data("valid")
    model = kneser_ney(ids, len(words), words["<eos>"], 5, cutoffs)
    expect_to_sum_to_1(model, ids, rng)
    expect_to_sum_to_1(maximum_likelihood(ids, len(words), words["<eos>"], 3), ids, rng)


def test_a_5_gram_of_penn_treebank_is_the_published_one(rng):
    if not os.environ.get("RNNLM_DATA"):
        pytest.skip("needs Penn Treebank: set RNNLM_DATA to the folder that holds ptb/ptb.train.txt")
    corpus = load_corpus("ptb")
    model = kneser_ney(corpus.train, len(corpus.vocabulary), corpus.vocabulary.eos_id)
    result = evaluate(model, corpus.test)
    assert result.tokens == ptb.load_data("test")[0].size == 82_430
    assert result.perplexity == pytest.approx(141.2, rel=0.005)
    expect_to_sum_to_1(model, corpus.train, rng)


def test_a_word_that_never_occurs_has_a_share(rng):
    ids = np.array([0, 1, EOS] * 20)
    model = kneser_ney(ids, 6, EOS)
    model.reset_state()
    probs = np.exp(model.next_scores([[EOS, 0]])[0])
    assert probs[4] == probs[5] > 0
    assert probs.sum() == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize(
    ("cutoffs", "said"),
    [
        ((2, 1), "must not fall from order to order, got .2, 1."),
        ((-1,), "a cut-off must be a whole number of at least 0, got -1"),
        (1, "cutoffs must be a list of numbers, one for each order from 2 on, got 1"),
    ],
)
def test_bad_cutoffs_are_refused(cutoffs, said):
    with pytest.raises(InputError, match=said):
        kneser_ney([0, EOS], 4, EOS, 4, cutoffs)


@pytest.mark.parametrize("order", ["5", 2.5, None, 0, 256, 2**31, 2**64])
def test_bad_orders_are_refused(order):
    for model in (kneser_ney, maximum_likelihood):
        with pytest.raises(InputError, match=r"order must be a whole number in \[1, 256\)"):
            model([0, EOS], 4, EOS, order)


# ---------------------------------------------------------------- relative frequencies


def test_the_notes_boy_spreads_insults():
    words = {"boy": 0, "is": 1, "spreading": 2, "<eos>": 3, "insults": 4, "smiles": 5, "rumours": 6, "snow": 7}
    ids = []
    for last, times in (("insults", 500), ("smiles", 200), ("rumours", 300)):
        ids += [words[word] for word in ("boy", "is", "spreading", last, "<eos>")] * times
    ids += [words["snow"], words["<eos>"]]
    model = maximum_likelihood(ids, len(words), words["<eos>"], order=4)
    probs = np.exp(model.next_scores([[words["boy"], words["is"], words["spreading"]]])[0])
    assert probs[words["insults"]] == pytest.approx(0.5, rel=1e-12)
    assert probs[words["smiles"]] == pytest.approx(0.2, rel=1e-12)
    assert probs[words["snow"]] == 0
    assert probs.sum() == pytest.approx(1)
    model.reset_state()
    assert model.losses([[0, 1, 2]], [[-1, -1, words["snow"]]])[0, 2] == np.inf


def test_a_context_that_was_never_seen_is_shortened():
    model = maximum_likelihood([0, 1, EOS, 2, 1, 0, EOS], 4, EOS, order=3)
    model.reset_state()
    np.testing.assert_allclose(np.exp(model.next_scores([[1, 1]])[0]), [0.5, 0, 0, 0.5])  # "b b" is new, "b" is not
