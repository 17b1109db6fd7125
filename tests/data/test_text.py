import numpy as np
import pytest

from rnnlm.data import Vocabulary, read_corpus
from rnnlm.errors import DataError, InputError


def corpus_of(tmp_path, text, **options):
    path = tmp_path / "text.txt"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    ids, words = read_corpus(path, **options)
    return words.decode(ids)


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("x\ny\n", "x <eos> y <eos>"),
        ("x\ny", "x <eos> y <eos>"),
        (" the  cat \n\tsat\r\n", "the cat <eos> sat <eos>"),
        ("a\n\nb\n", "a <eos> <eos> b <eos>"),
        ("\ufeffa b\n", "a b <eos>"),
        ("a\u00a0b c\u2028d e\u0085f\n", "a\u00a0b c\u2028d e\u0085f <eos>"),
        ("한국어 문장 이다\n", "한국어 문장 이다 <eos>"),
        ("a\x0bb\x0cc\n", "a b c <eos>"),
    ],
)
def test_text_is_cut_at_ascii_white_space_and_lines_end_with_eos(tmp_path, text, want):
    assert corpus_of(tmp_path, text) == want.split(" ")


def test_ids_are_numbered_by_appearance(tmp_path):
    path = tmp_path / "text.txt"
    path.write_text("b a b\nc a\n")
    ids, words = read_corpus(path)
    assert ids.dtype == np.int32
    assert ids.tolist() == [0, 1, 0, 2, 3, 1, 2]
    assert words.words == ["b", "a", "<eos>", "c"]


def test_max_tokens_brings_the_words_seen_only(tmp_path):
    path = tmp_path / "text.txt"
    path.write_text("b a b\nc a\n")
    ids, words = read_corpus(path, max_tokens=3)
    assert ids.tolist() == [0, 1, 0]
    assert words.words == ["b", "a"]


@pytest.mark.parametrize("wrong", [0, -1, 2.5])
def test_max_tokens_must_be_a_number_of_words(tmp_path, wrong):
    with pytest.raises(InputError, match=f"max_tokens must be a whole number of at least 1, got {wrong}"):
        corpus_of(tmp_path, "a b\n", max_tokens=wrong)


def test_words_of_another_vocabulary(tmp_path):
    known = Vocabulary(["<unk>", "a", "<eos>"])
    assert corpus_of(tmp_path, "a b\n", vocabulary=known) == ["a", "<unk>", "<eos>"]
    with pytest.raises(DataError, match=r"text.txt, line 2: 'b' is not among the 2 words"):
        corpus_of(tmp_path, "a\na b\n", vocabulary=Vocabulary(["a", "<eos>"]))
    with pytest.raises(DataError, match=r"line 1: '<eos>' is not among"):
        corpus_of(tmp_path, "a\n", vocabulary=Vocabulary(["a"]))


def test_bytes_that_are_not_utf8_are_placed(tmp_path):
    with pytest.raises(DataError, match=r"text.txt is not UTF-8: line 2, byte 5 of the file \(0xff\)"):
        corpus_of(tmp_path, b"abc\na\xffb\n")
    with pytest.raises(DataError, match="is not UTF-8: line 1, byte 0"):
        corpus_of(tmp_path, "text".encode("utf-16"))


def test_files_without_text_are_refused(tmp_path):
    with pytest.raises(DataError, match="is empty: a corpus needs at least one line"):
        corpus_of(tmp_path, "")
    with pytest.raises(DataError, match="does not exist"):
        read_corpus(tmp_path / "none")
    with pytest.raises(DataError, match="is not a file"):
        read_corpus(tmp_path)
