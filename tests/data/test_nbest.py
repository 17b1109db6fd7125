import numpy as np
import pytest

from rnnlm import Hypothesis, read_nbest, read_references
from rnnlm.errors import DataError, InputError

LISTS = 'utterance,acoustic,text\nu1,-1.5,a  b\nu2,-2,\nu1,-3e1,"a, c\nd"\n'


def test_hypotheses_by_utterance(tmp_path):
    path = tmp_path / "lists.csv"
    path.write_text(LISTS)
    found = read_nbest(path)
    assert {name: [(one.text, one.acoustic) for one in some] for name, some in found.items()} == {
        "u1": [("a b", -1.5), ("a, c d", -30.0)],
        "u2": [("", -2.0)],
    }
    assert found["u1"][0].words == ["a", "b"]
    assert np.isnan(found["u1"][0].language)


def test_files_of_other_systems(tmp_path):
    path = tmp_path / "lists.csv"
    path.write_bytes(b"\xef\xbb\xbf" + LISTS.replace("\n", "\r\n").encode())
    assert [one.text for one in read_nbest(path)["u1"]] == ["a b", "a, c d"]
    assert read_nbest(path)["u2"][0].text == ""


def test_no_break_spaces_are_parts_of_words():
    assert Hypothesis("a\u00a0b c", 0.0).words == ["a\u00a0b", "c"]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"text": 3}, "text must be a string, got 3"),
        ({"acoustic": float("nan")}, "acoustic must be a finite number, got nan"),
        ({"acoustic": "x"}, "acoustic must be a finite number, got 'x'"),
        ({"language": float("inf")}, "language must be a log-probability, got inf"),
        ({"language": "x"}, "language must be a log-probability, got 'x'"),
        ({"unknown": -1}, "unknown must be a whole number of at least 0, got -1"),
    ],
)
def test_what_no_hypothesis_is(given, said):
    with pytest.raises(InputError, match=said):
        Hypothesis(**{"text": "a", "acoustic": 0.0} | given)


def test_no_file(tmp_path):
    for path, said in ((tmp_path / "nowhere", "nowhere does not exist"), (tmp_path, "is not a file")):
        with pytest.raises(DataError, match=said):
            read_nbest(path)


def test_other_names_of_columns(tmp_path):
    path = tmp_path / "lists.csv"
    path.write_text("score,more,said,id\n-1,x,a b,u1\n")
    (one,) = read_nbest(path, "id", "score", "said")["u1"]
    assert (one.text, one.acoustic) == ("a b", -1.0)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("utterance,acoustic,text\n", "has no hypotheses: each is a row after"),
        ("utterance,acoustc,text\nu,1,a\n", "and no 'acoustic'; did you mean acoustc"),
        ("utterance,acoustic,text\nu,1,a\nu,no,a\n", "line 3: acoustic must be a finite number, got 'no'"),
        ("utterance,acoustic,text\nu,inf,a\n", "line 2: acoustic must be a finite number, got 'inf'"),
        ("utterance,acoustic,text\n ,1,a\n", "line 2: utterance must be a name without blanks, got ' '"),
        ("utterance,acoustic,text\nu 1,1,a\n", "line 2: utterance must be a name without blanks, got 'u 1'"),
        ("utterance,acoustic,text\nu,1\n", "line 2: a row must have 3 fields, got 2"),
        (
            "utterance,acoustic,text\nu,1,a, b\n",
            "line 2: a row must have 3 fields, got 4: put a text with commas between",
        ),
        ("utterance\tacoustic\ttext\nu\t1\ta\n", "no 'utterance': its fields must be separated by commas"),
    ],
)
def test_damaged_lists(tmp_path, content, said):
    path = tmp_path / "lists.csv"
    path.write_text(content)
    with pytest.raises(DataError, match=said):
        read_nbest(path)


def test_references(tmp_path):
    path = tmp_path / "text"
    path.write_text("u1 a  b\nu2\nu3\tc\n")
    assert read_references(path) == {"u1": "a b", "u2": "", "u3": "c"}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "is empty"),
        ("u1 a\n\nu2 b\n", "line 2: a line must begin with an utterance's name, and this one is blank"),
        ("u1 a\nu2 b\nu1 c\n", "line 3: each utterance must have one line, and 'u1' comes twice"),
    ],
)
def test_damaged_references(tmp_path, content, said):
    path = tmp_path / "text"
    path.write_text(content)
    with pytest.raises(DataError, match=said):
        read_references(path)
