"""Corpora by name or file: their parts, and the same in the words of a model."""

import numpy as np
import pytest

from rnnlm import TextOptions, Tokens, Vocabulary, encode_corpus, load_corpus
from rnnlm.data.corpora import named
from rnnlm.data.corpora.named import load_part
from rnnlm.errors import DataError, InputError

LINES = [f"{'a b c d'[: 2 * (i % 4) + 1]}\n" for i in range(100)]  # 1 to 4 words and an end: 350 tokens


@pytest.fixture
def path(tmp_path):
    (tmp_path / "text").write_text("".join(LINES))
    return tmp_path / "text"


def lengths(corpus):
    return [len(part) for part in (corpus.train, corpus.valid, corpus.test)]


def test_a_file_is_cut_at_the_first_line_end_from_90_and_95_percent_on(path):
    corpus = load_corpus(str(path))
    ends = np.cumsum([len(line.split()) + 1 for line in LINES])
    first, second = (int(ends[ends >= share * 350][0]) for share in (0.9, 0.95))
    assert lengths(corpus) == [first, second - first, 350 - second]
    assert all(part[-1] == corpus.vocabulary.eos_id for part in (corpus.train, corpus.valid, corpus.test))
    assert not corpus.floors
    encode_corpus(path, path.with_name("ids"))
    encoded = load_corpus(str(path.with_name("ids")))
    assert isinstance(encoded.train, Tokens)
    assert lengths(encoded) == lengths(corpus)
    np.testing.assert_array_equal(encoded.test, corpus.test)


def test_a_line_end_is_found_wherever_it_is(monkeypatch):
    monkeypatch.setattr(named, "LOOK", 4)
    ids = np.array([1, 1, 0, 1, 1, 1, 1, 1, 1, 0, 1])
    assert [named._line_end(ids, k, 0) for k in range(12)] == [3, 3, 3, 3, 10, 10, 10, 10, 10, 10, 10, 11]
    assert named._line_end(ids, 5, None) == 5


def test_the_most_frequent_words_are_kept(path):
    corpus = load_corpus(str(path), max_words=4)
    assert set(corpus.vocabulary.words) == {"a", "b", "<eos>", "<unk>"}
    assert len(load_corpus(str(path)).vocabulary) == 6  # with <unk>, which may come
    with pytest.raises(InputError, match="max_words must be a whole number of at least 3, got 2"):
        load_corpus(str(path), max_words=2)
    letters = load_corpus(str(path), options=TextOptions(units="char")).vocabulary
    assert set(letters.words) == {"a", "b", "c", "d", "▁", "<eos>", "<unk>"}


def test_penn_treebank_in_words_or_characters(treebank):
    corpus = load_corpus("ptb")
    assert lengths(corpus) == [lengths(corpus)[0]] * 3
    assert "<unk>" in corpus.vocabulary
    cleaned = load_corpus("ptb", treebank, options=TextOptions(lower=True), max_words=5)
    assert len(cleaned.vocabulary) == 5
    assert lengths(cleaned) == lengths(corpus)
    found = load_part("ptb", "test", corpus.vocabulary, treebank)
    np.testing.assert_array_equal(found.ids, corpus.test)
    assert found.unknown == 0


def test_a_file_in_the_words_of_a_model(path):
    words = Vocabulary(["a", "b", "<eos>", "<unk>"])
    for found in (load_part(str(path), None, words), _encoded_part(path, words)):
        assert len(found.ids) == 350
        assert found.unknown == 25 + 50  # d, and twice as many c
        assert np.asarray(found.ids[:2]).tolist() == [0, 2]
    assert load_part(str(path), None, words).size.lines == 100
    with pytest.raises(DataError, match="corpus must be story, ptb or a text file, and 'storry' is none of them; did"):
        load_part("storry", "test", words)
    with pytest.raises(DataError, match="and 'xyz' is none of them: there is no such file$"):
        load_corpus("xyz")


def _encoded_part(path, words):
    encode_corpus(path, path.with_name("ids"))
    with pytest.raises(InputError, match="ids is words already"):
        load_corpus(str(path.with_name("ids")), options=TextOptions(lower=True))
    return load_part(str(path.with_name("ids")), None, words)


@pytest.mark.parametrize("text", ["a b c " * 100, "a b\n" * 20 + "a b c " * 100, "a b\n" * 90 + "c " * 60])
def test_long_lines_are_cut_between_words(tmp_path, text):
    """One line, and a long last one, of which no part would be left."""
    (tmp_path / "text").write_text(text)
    corpus = load_corpus(str(tmp_path / "text"))
    total = sum(lengths(corpus))
    assert all(abs(length - total * share) <= 2 for length, share in zip(lengths(corpus), (0.9, 0.05, 0.05)))
    whole = load_corpus(str(tmp_path / "text"), options=TextOptions(sentences=True))
    assert all(len(part) == 0 or part[-1] == whole.vocabulary.eos_id for part in (whole.train, whole.valid))
