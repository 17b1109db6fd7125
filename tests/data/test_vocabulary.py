import pytest
from hypothesis import given, settings, strategies as st

from rnnlm.data import Vocabulary
from rnnlm.errors import DataError


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
