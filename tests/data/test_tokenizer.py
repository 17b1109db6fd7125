"""Words of short texts as ids, and rows of one length."""

import numpy as np
import pytest

from rnnlm import Tokenizer, next_word_samples, pad_sequences
from rnnlm.errors import DataError, InputError

LINES = ["경마장에 있는 말이 뛰고 있다", "", "그의 말이 법이다", "가는 말이 고와야 오는 말이 곱다"]


def test_ids_are_by_frequency_and_unknown_words_dropped():
    tokenizer = Tokenizer()
    tokenizer.fit_on_texts(["The earth is an awesome place live"])
    assert tokenizer.texts_to_sequences(["The earth is an great place live"]) == [[1, 2, 3, 4, 6, 7]]
    tokenizer = Tokenizer(oov_token="<unk>")
    tokenizer.fit_on_texts(["The earth is an awesome place live"])
    assert tokenizer.texts_to_sequences(["The earth is an great place live"]) == [[2, 3, 4, 5, 1, 7, 8]]


def test_padding_in_front():
    rows = [[1, 2, 3], [3, 4, 5, 6], [7, 8]]
    assert pad_sequences(rows, maxlen=3, padding="pre").tolist() == [[1, 2, 3], [4, 5, 6], [0, 7, 8]]
    assert pad_sequences(rows, 3, "post", "post").tolist() == [[1, 2, 3], [3, 4, 5], [7, 8, 0]]
    assert pad_sequences(rows).tolist() == [[0, 1, 2, 3], [3, 4, 5, 6], [0, 0, 7, 8]]
    assert pad_sequences([[0.5], []], 2, value=-1, dtype="float32").tolist() == [[-1, 0.5], [-1, -1]]


def test_three_lines_and_their_samples():
    tokenizer = Tokenizer()
    tokenizer.fit_on_texts(LINES)
    words = ["말이", "경마장에", "있는", "뛰고", "있다", "그의", "법이다", "가는", "고와야", "오는", "곱다"]
    assert tokenizer.word_index == {word: i for i, word in enumerate(words, 1)}
    assert tokenizer.size == 12
    x, y = next_word_samples(tokenizer.texts_to_sequences(LINES))
    assert x.tolist() == [
        [0, 0, 0, 0, 2], [0, 0, 0, 2, 3], [0, 0, 2, 3, 1], [0, 2, 3, 1, 4], [0, 0, 0, 0, 6], [0, 0, 0, 6, 1],
        [0, 0, 0, 0, 8], [0, 0, 0, 8, 1], [0, 0, 8, 1, 9], [0, 8, 1, 9, 10], [8, 1, 9, 10, 1],
    ]  # fmt: skip
    assert y.tolist() == [3, 1, 4, 5, 1, 7, 1, 9, 10, 1, 11]
    assert tokenizer.sequences_to_texts([[0, 0, 6, 1]]) == ["그의 말이"]
    assert next_word_samples([[1, 2, 3, 4]], maxlen=3)[0].tolist() == [[0, 1], [1, 2], [2, 3]]


def test_what_keras_does_to_a_text():
    tokenizer = Tokenizer(num_words=3)
    tokenizer.fit_on_texts(["One, two; two!", ["Two", "three"]])
    assert tokenizer.word_index == {"two": 1, "one": 2, "three": 3}
    assert tokenizer.texts_to_sequences(["one two three"]) == [[2, 1]]
    assert tokenizer.size == 3
    kept = Tokenizer(filters="", lower=False)
    kept.fit_on_texts(["One, one"])
    assert kept.word_index == {"One,": 1, "one": 2}


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda: pad_sequences([[1]], padding="left"), "padding must be one of pre, post, got 'left'"),
        (lambda: pad_sequences([[1]], maxlen=0), "maxlen must be a whole number of at least 1"),
        (lambda: pad_sequences([]), "at least one row"),
        (lambda: pad_sequences([[[1]]]), "sequence 0 must be a list of numbers"),
        (lambda: next_word_samples([[1], []]), "must have one of at least two words"),
        (lambda: Tokenizer().fit_on_texts("a text"), "texts must be a list of texts"),
        (lambda: Tokenizer(num_words=1), "num_words must be"),
    ],
)
def test_wrong_arguments(call, match):
    with pytest.raises(InputError, match=match):
        call()


def test_words_that_are_not_there():
    with pytest.raises(DataError, match="none is left of them once they are cleaned"):
        Tokenizer().fit_on_texts(["...", ""])
    with pytest.raises(DataError, match="must learn words before"):
        Tokenizer().texts_to_sequences(["a"])
    tokenizer = Tokenizer()
    tokenizer.fit_on_texts(["a b"])
    with pytest.raises(DataError, match=r"must be in \[0, 2\], got 3"):
        tokenizer.sequences_to_texts(np.array([[1, 3]]))
