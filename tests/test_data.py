import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnlm.data import Batches, Vocabulary, ptb, read_corpus
from rnnlm.errors import DataError, InputError
from tests.gradcheck import host

# ---------------------------------------------------------------- vocabulary


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


# ---------------------------------------------------------------- text


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


# ---------------------------------------------------------------- batches


@settings(max_examples=200, deadline=None)
@given(st.integers(1, 60), st.integers(1, 7), st.integers(1, 9), st.integers(0, 40))
def test_windows_are_the_books_index_by_index(size, N, T, number):
    if size < N * T:
        return
    xs, ts = np.arange(size), 100 + np.arange(size)
    batches = Batches(xs, ts, N, T)
    assert len(batches) == size // (N * T)
    got = batches.window(number)
    jump = size // N
    want = [[(i * jump + number * T + t) % size for t in range(T)] for i in range(N)]
    np.testing.assert_array_equal(host(got[0]), want)
    np.testing.assert_array_equal(host(got[1]), 100 + np.array(want))
    assert got[0].T.flags.c_contiguous


@pytest.mark.parametrize(
    ("error", "arguments", "message"),
    [
        (DataError, ([1, 2, 3], [2, 3, 4], 2, 2), r"batch_size 2 x time_size 2 needs 4 pairs of words, it has 3"),
        (DataError, ([], np.zeros(0, int), 2, 2), "needs 4 pairs of words, it has 0"),
        (InputError, ([1, 2**32], [1, 2], 1, 1), r"xs must hold ids in \[-1, 2\*\*31\), got 1 to 4294967296"),
        (InputError, ([1, 2], [1], 1, 1), "xs and ts must be of one length, got 2 and 1"),
        (InputError, ([1, 2], [1, 2], 0, 1), "batch_size must be a whole number of at least 1, got 0"),
        (InputError, ([1, 2], [1, 2], 1, 1.5), "time_size must be a whole number of at least 1, got 1.5"),
        (InputError, ([1.0, 2], [1, 2], 1, 1), "xs must be a list of integer ids, got float64"),
        (InputError, ([[1], [2]], [1, 2], 1, 1), "xs must be a list of integer ids, got int64 of shape"),
    ],
)
def test_windows_that_can_not_be_are_refused(error, arguments, message):
    if arguments[0] == []:
        arguments = (np.zeros(0, int), *arguments[1:])
    with pytest.raises(error, match=message):
        Batches(*arguments)


# ---------------------------------------------------------------- Penn Treebank


@pytest.mark.parametrize(("part", "tokens"), [("train", 929_589), ("valid", 73_760), ("val", 73_760), ("test", 82_430)])
def test_penn_treebank(ptb_dir, part, tokens):
    corpus, word_to_id, id_to_word = ptb.load_data(part, ptb_dir)
    assert (len(corpus), len(word_to_id), len(id_to_word)) == (tokens, 10_000, 10_000)
    assert corpus.max() < 10_000
    if part == "train":
        assert int(corpus[:1000].max()) + 1 == 418
        assert id_to_word[int(corpus[24])] == "<eos>"  # the first line has 24 words
        assert {"<unk>", "N"} < set(word_to_id)
        assert ptb.load_vocab(ptb_dir) == (word_to_id, id_to_word)


def test_penn_treebank_is_found_by_the_environment(ptb_dir, monkeypatch):
    monkeypatch.setenv("RNNLM_DATA", ptb_dir)
    assert len(ptb.load_data("test")[0]) == 82_430


def test_penn_treebank_that_is_not_there(tmp_path, monkeypatch):
    monkeypatch.delenv("RNNLM_DATA", raising=False)
    monkeypatch.setattr(ptb, "cache_folder", lambda: tmp_path / "none")
    with pytest.raises(
        DataError,
        match="put ptb.train.txt, ptb.valid.txt, ptb.test.txt in DIR/ptb and name the folder DIR by --data-dir",
    ):
        ptb.load_data()
    with pytest.raises(DataError, match=r"ptb.train.txt does not exist \(looked in .*ptb\); put ptb.train.txt"):
        ptb.load_data("train", tmp_path)
    with pytest.raises(InputError, match="data_type must be 'train', 'valid'"):
        ptb.load_data("dev", tmp_path)


def test_penn_treebank_that_is_another_file(tmp_path):
    (tmp_path / "ptb").mkdir()
    (tmp_path / "ptb" / "ptb.train.txt").write_text("aer banknote\n")
    with pytest.raises(DataError, match="is not the published file: SHA-256 must be fcea919f"):
        ptb.load_data("train", tmp_path)
