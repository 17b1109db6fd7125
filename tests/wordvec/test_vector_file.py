"""Word vectors as text: what is written is read back, and by gensim; what is damaged is said."""

import numpy as np
import pytest

from rnnlm.data import Vocabulary
from rnnlm.errors import DataError, InputError
from rnnlm.wordvec import load_vectors, save_vectors

WORDS = Vocabulary(["<eos>", "the", "naïve", "no\u00a0break", "日本"])


def test_every_float_comes_back_as_it_was(tmp_path, rng):
    vectors = (rng.standard_normal((5, 7)) * 10.0 ** rng.integers(-30, 30, (5, 7))).astype(np.float32)
    save_vectors(tmp_path / "v.txt", WORDS, vectors)
    words, got = load_vectors(tmp_path / "v.txt")
    assert words.words == WORDS.words
    np.testing.assert_array_equal(got, vectors)
    assert (tmp_path / "v.txt").read_text(encoding="utf-8").splitlines()[0] == "5 7"


def test_files_of_other_programs_are_read(tmp_path):
    """With a blank at the end of each line, as word2vec's own program has it, line ends of Windows, an empty last line."""
    (tmp_path / "v.txt").write_bytes(b"2 3\r\na 1 -2.5e-3 0 \r\nb 4 5 6 \r\n\n")
    words, vectors = load_vectors(tmp_path / "v.txt")
    assert (words.words, vectors.tolist()) == (["a", "b"], [[1, np.float32(-2.5e-3), 0], [4, 5, 6]])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "must begin with two numbers, of words and of a vector's, got ''"),
        (b"a 1 2\n", "must begin with two numbers"),
        (b"0 3\n", "must begin with two numbers"),
        (b"2 2\na 1 2\n", "must have the 2 words that its first line says, got 1: it is cut short"),
        (b"1 2\na 1 2\nb 3 4\n", "line 3: more than the 1 words that the first line says"),
        (b"2 2\na 1 2\nb 3\n", "line 3: 'b' must have 2 numbers, got 1"),
        (b"2 2\na 1 2\na 3 4\n", "line 3: 'a' is there a second time, as in line 2"),
        (b"2 2\na 1 2\nb 3 x\n", "line 3: 'b' must have numbers"),
        (b"2 2\na 1 2\nb 3 nan\n", "line 3: the vector of 'b' must be finite"),
        (b"2 2\na 1 2\nb 3 1e99\n", "line 3: the vector of 'b' must be finite"),
        (b"900000 900000\na 1 2\n", "says 900,000 vectors of 900,000 numbers, and has 20 bytes: it is cut short"),
        (b"2 2\na\xff 1 2\nb 1 2\n", "must be UTF-8, got byte 0xff"),
    ],
)
def test_damaged_files(tmp_path, content, message):
    (tmp_path / "v.txt").write_bytes(content)
    with pytest.raises(DataError, match=message):
        load_vectors(tmp_path / "v.txt")


def test_no_such_file(tmp_path):
    with pytest.raises(DataError, match="can't be read: No such file"):
        load_vectors(tmp_path / "v.txt")


@pytest.mark.parametrize(
    ("vectors", "message"), [(np.zeros((4, 3)), "for 5 words, got shape"), (np.full((5, 3), np.nan), "finite, got NaN")]
)
def test_what_can_not_be_written(tmp_path, vectors, message):
    with pytest.raises(InputError, match=message):
        save_vectors(tmp_path / "v.txt", WORDS, vectors)
    assert not list(tmp_path.iterdir())
