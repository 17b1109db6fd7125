"""N-gram models of random texts against dictionaries, for any order; and the files that they are written to."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, strategies as st

from rnnlm import Vocabulary, kneser_ney, load_ngram, maximum_likelihood, save_ngram
from rnnlm.backend import NAME
from tests.inference.plain import EOS
from tests.ngrams.by_dictionary import START, KneserNey

pytestmark = pytest.mark.skipif(NAME != "numpy", reason="n-grams are counted without an array library: runs on NumPy")
texts = st.integers(2, 6).flatmap(
    lambda V: st.tuples(st.just(V), st.lists(st.integers(0, V - 1), min_size=1, max_size=40))
)
orders = st.integers(1, 5)
rising = st.lists(st.integers(0, 2), max_size=3).map(sorted)


def lines_of(ids):
    """Lines of ids, the last one with or without its end."""
    lines = [[]]
    for i in ids:
        lines[-1].append(i)
        if i == EOS:
            lines.append([])
    return [line for line in lines if line]


def contexts_of(ids, order):
    """What may be read before a word: beginnings of lines, ends of them, and words that were never seen together."""
    lines = lines_of(ids)
    found = [[EOS, *line[:n]] for line in lines for n in range(len(line)) if EOS not in line[:n]]
    return [*found[:12], [*ids[:3]], [*ids[::-1][:4]]]


def log_probs(model, read):
    model.reset_state()
    return model.next_scores([read])[0]


def as_context(read, order):
    """The words of a line that a model of this order looks back at."""
    read = list(read)
    while EOS in read:
        read = [START, *read[read.index(EOS) + 1 :]]
    return tuple(read[max(0, len(read) - order + 1) :]) if order > 1 else ()


@given(texts, orders, rising)
def test_kneser_ney_is_what_dictionaries_say(text, order, cutoffs):
    V, ids = text
    cutoffs = cutoffs[: order - 1]
    model = kneser_ney(ids, V, EOS, order, cutoffs)
    plain = KneserNey(lines_of(ids), range(V), order, model.discounts, tuple(cutoffs))
    for read in contexts_of(ids, order):
        want = [plain(word, as_context(read, order)) for word in range(V)]
        found = np.exp(log_probs(model, read))
        np.testing.assert_allclose(found, want, rtol=1e-9, atol=1e-15)
        np.testing.assert_allclose(found.sum(), 1, rtol=1e-12)


@given(texts, orders)
def test_relative_frequencies_are_counts(text, order):
    V, ids = text
    model = maximum_likelihood(ids, V, EOS, order)
    counts = Counter()
    for line in lines_of(ids):
        line = [START, *line]
        counts.update(tuple(line[i:end]) for end in range(2, len(line) + 1) for i in range(max(0, end - order), end))
    for read in contexts_of(ids, order):
        context = as_context(read, order)
        while context and not any((*context, word) in counts for word in range(V)):
            context = context[1:]
        total = sum(counts[(*context, word)] for word in range(V))
        want = [counts[(*context, word)] / total for word in range(V)]
        np.testing.assert_allclose(np.exp(log_probs(model, read)), want, rtol=1e-12)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("ngrams")


@given(texts, orders, st.sampled_from(["lm.arpa", "lm.arpa.gz", "lm"]))
def test_a_model_that_is_written_and_read_says_the_same(folder, text, order, name):
    """A folder keeps all bits, an ARPA file seven figures of the logarithm to base 10."""
    V, ids = text
    model = kneser_ney(ids, V, EOS, order)
    words = Vocabulary(["<eos>", *(f"w{i}" for i in range(1, V))])
    save_ngram(folder / name, model, words)
    other, same = load_ngram(folder / name)
    assert same.words == words.words or sorted(same.words) == sorted(words.words)
    place = [same.word_to_id[word] for word in words.words]
    for read in contexts_of(ids, order):
        found = log_probs(other, [place[i] for i in read])[place]
        np.testing.assert_allclose(
            found, log_probs(model, read), rtol=1e-5 if "arpa" in name else 0, atol=1e-5 if "arpa" in name else 0
        )


def test_these_checks_see_a_fault():
    """Discounts of another order are found out."""
    ids = [1, 2, 0, 1, 2, 2, 0, 2, 1, 0]
    model = kneser_ney(ids, 3, EOS, 2)
    wrong = KneserNey(lines_of(ids), range(3), 2, [(0.1, 0.2, 0.3)] * 2)
    want = [wrong(word, as_context([EOS, 1], 2)) for word in range(3)]
    assert not np.allclose(np.exp(log_probs(model, [EOS, 1])), want)
