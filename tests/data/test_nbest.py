import numpy as np
import pytest

from rnnlm import read_nbest, read_references
from rnnlm.errors import DataError

LISTS = 'utterance,acoustic,text\nu1,-1.5,a  b\nu2,-2,\nu1,-3e1,"a, c\nd"\n'


def test_hypotheses_by_utterance(tmp_path):
    path = tmp_path / "lists.csv"
    path.write_text(LISTS)
    found = read_nbest(path)
    assert {name: [(one.text, one.acoustic) for one in some] for name, some in found.items()} == {
        "u1": [("a  b", -1.5), ("a, c d", -30.0)],
        "u2": [("", -2.0)],
    }
    assert found["u1"][0].words == ["a", "b"]
    assert np.isnan(found["u1"][0].language)


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
        ("utterance,acoustic,text\n ,1,a\n", "line 2: utterance must be the utterance's name, got ' '"),
        ("utterance,acoustic,text\nu,1\n", "line 2: a row must have 3 fields, got 2"),
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
