import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from rnnlm.data import Vocabulary
from rnnlm.errors import DataError, InputError, UnknownWord


def test_ids_are_places():
    words = Vocabulary(["the", "cat", "<unk>", "<eos>"])
    assert words.encode(["cat", "the", "cat"]).tolist() == [1, 0, 1]
    assert words.encode("cat  dog\tthe").tolist() == [1, 2, 0]
    assert Vocabulary(["a\u00a0b", "<unk>"]).encode("a\u00a0b").tolist() == [0]
    assert words.decode([3, 0]) == ["<eos>", "the"]
    assert (words.eos_id, words.unk_id, len(words), "dog" in words) == (3, 2, 4, False)
    assert words.id_to_word[1] == "cat"


def test_a_strange_word_without_unk_is_refused():
    with pytest.raises(DataError, match="'dog' is not among the 2 words of the vocabulary, which has no <unk>"):
        Vocabulary(["the", "cat"]).encode(["cat", "dog"])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["a", "b", "a"], "words of a vocabulary must differ, got 'a' as 0 and 2"),
        (["a", ""], "word 1 of a vocabulary must be a non-empty str without white space, got ''"),
        (["a b"], "word 0 of a vocabulary must be a non-empty str without white space"),
        (["\ud800"], "word 0 of a vocabulary must be a non-empty str"),
        ([1], "word 0 of a vocabulary must be a non-empty str without white space, got 1"),
        (["a\n"], "word 0 of a vocabulary must be a non-empty str without white space"),
    ],
)
def test_words_that_make_no_vocabulary_are_refused(words, message):
    with pytest.raises(DataError, match=message):
        Vocabulary(words)


def test_an_id_that_is_no_word_is_refused():
    for number in (-1, 1):
        with pytest.raises(DataError, match=rf"must be in \[0, 1\), got {number}"):
            Vocabulary(["a"]).decode([number])


words_of_any_script = st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(
    lambda w: w.encode().split() == [w.encode()]
)


@settings(max_examples=100, deadline=None)
@given(st.lists(words_of_any_script, unique=True))
def test_a_vocabulary_survives_saving(tmp_path_factory, words):
    path = tmp_path_factory.mktemp("vocabulary") / "vocab.txt"
    Vocabulary(["<eos>", *(w for w in words if w != "<eos>")]).save(path)
    assert Vocabulary.load(path).words == ["<eos>", *(w for w in words if w != "<eos>")]


def test_a_damaged_vocabulary_is_refused(tmp_path):
    path = tmp_path / "vocab.txt"
    for content, message in (
        (b"a\nb\na\n", "must differ"),
        (b"a\n\nb\n", "non-empty"),
        (b"\xff\n", "not UTF-8 at byte 0"),
    ):
        path.write_bytes(content)
        with pytest.raises(DataError, match=message):
            Vocabulary.load(path)
    with pytest.raises(DataError, match="does not exist"):
        Vocabulary.load(tmp_path / "none")


def test_the_text_of_ids_has_a_line_for_each_end():
    words = Vocabulary(["the", "cat", "<eos>"])
    assert words.text([0, 1, 2, 0, 2]) == "the cat\nthe\n"
    assert words.text([2, 0]) == "\nthe"
    assert repr(words) == "<Vocabulary of 3 words: 'the', 'cat', '<eos>'>"
    with pytest.raises(DataError, match="words must be Unicode characters, got"):
        words.encode("the \ud800")


def test_words_and_ids_are_looked_up_as_in_a_sequence_of_words():
    words = Vocabulary(["the", "cat", "<unk>"])
    assert (words["cat"], words[1], words[np.int64(0)], len(words)) == (1, "cat", "the", 3)
    assert list(words) == list(words) == words.words
    assert "cat" in words
    assert "dog" not in words
    assert 1 not in words


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("dog", r"^'dog' is not among the 3 words of the vocabulary: encode reads it as <unk>$"),
        (3, r"^ids of this vocabulary must be in \[0, 3\), got 3$"),
    ],
)
def test_what_is_not_in_it_is_a_key_error_of_ours(key, message):
    words = Vocabulary(["the", "cat", "<unk>"])
    with pytest.raises(UnknownWord, match=message) as caught:
        words[key]
    assert isinstance(caught.value, KeyError)
    assert isinstance(caught.value, DataError)


@pytest.mark.parametrize("key", [-1, True, 1.0, None, slice(2), ["the"]])
def test_keys_are_words_and_ids_alone(key):
    with pytest.raises(InputError, match="a key of a vocabulary that is no word .a str. must be a whole number of at "):
        Vocabulary(["the", "cat"])[key]


def test_a_long_vocabulary_is_shown_in_short():
    shown = repr(Vocabulary([f"w{i}" for i in range(1000)] + ["\x1b[31m"]))
    assert shown.startswith("<Vocabulary of 1,001 words: 'w0', 'w1', ")
    assert shown.endswith("'w7', ...>")
    assert "\x1b" not in repr(Vocabulary(["\x1b[31m"]))
