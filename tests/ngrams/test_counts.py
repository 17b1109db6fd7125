"""n-grams counted by sorting are those that a dictionary counts."""

from collections import Counter

import numpy as np
import pytest

from rnnlm.backend import NAME
from rnnlm.errors import DataError, InputError
from rnnlm.ngrams.counts import continuations, count

pytestmark = pytest.mark.skipif(NAME != "numpy", reason="n-grams are counted without an array library: runs on NumPy")
V, EOS = 7, 0


def text(rng, tokens=400):
    """Ids of lines of random lengths, some of them empty, the last one without its end."""
    return rng.integers(0, V, tokens) * (rng.random(tokens) < 0.9)


def by_dictionary(ids, order):
    """How often each n-gram occurs, `<s>` being V."""
    lines, line = [], [V]
    for i in ids:
        line.append(int(i))
        if i == EOS:
            lines.append(line)
            line = [V]
    lines.append(line[: len(line) if len(line) > 1 else 0])
    return Counter(tuple(line[i : i + order]) for line in lines for i in range(len(line) - order + 1))


def spelled(levels, order):
    """The n-grams of an order as tuples of words, in the order of the table."""
    if order == 1:
        return [(int(word),) for word in levels[0].keys]
    shorter = spelled(levels, order - 1)
    contexts, words = np.divmod(levels[order - 1].keys, V + 1)
    return [(*shorter[c], int(w)) for c, w in zip(contexts, words)]


def test_the_counts_are_a_dictionarys(rng):
    ids = text(rng)
    levels = count(ids, V, EOS, 4)
    for order, level in enumerate(levels, 1):
        found = dict(zip(spelled(levels, order), level.counts.tolist()))
        assert {ngram: c for ngram, c in found.items() if c} == by_dictionary(ids, order)
        assert (np.diff(level.keys) > 0).all()


def test_suffixes_and_beginnings(rng):
    levels = count(text(rng), V, EOS, 4)
    for order in (2, 3, 4):
        ngrams, shorter = spelled(levels, order), spelled(levels, order - 1)
        assert [shorter[i] for i in levels[order - 1].suffixes] == [ngram[1:] for ngram in ngrams]
        assert levels[order - 1].after_start.tolist() == [ngram[0] == V for ngram in ngrams]


def test_continuations_are_the_different_words_before(rng):
    ids = text(rng)
    levels = count(ids, V, EOS, 4)
    for order in (1, 2, 3):
        before = Counter(ngram[1:] for ngram in by_dictionary(ids, order + 1))
        want = [
            c if ngram[0] == V else before[ngram] for ngram, c in zip(spelled(levels, order), levels[order - 1].counts)
        ]
        assert continuations(levels[order - 1], levels[order]).tolist() == want


def test_no_ngram_reaches_over_the_end_of_a_line():
    levels = count([1, 2, EOS, 3, EOS], V, EOS, 3)
    assert spelled(levels, 3) == [(1, 2, EOS), (V, 1, 2), (V, 3, EOS)]


def test_progress_is_told():
    told = []
    count([1, 2, EOS, 3, EOS], V, EOS, 3, told.append)
    assert told == [5, 5, 5]


@pytest.mark.parametrize(
    ("ids", "order", "error", "said"),
    [
        ([], 2, DataError, "at least 1 token to be counted, got 0"),
        ([1, V], 2, InputError, r"ids in \[0, 7\), got 7"),
        ([1], 0, InputError, r"order must be a whole number in \[1, 256\), got 0"),
        ([1], 256, InputError, r"order must be a whole number in \[1, 256\), got 256"),
        ([[1, 2]], 2, InputError, "corpus must be a list of integer ids"),
    ],
)
def test_bad_input_is_refused(ids, order, error, said):
    with pytest.raises(error, match=said):
        count(np.array(ids, int), V, EOS, order)
