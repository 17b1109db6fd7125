import re
from datetime import date, timedelta

import numpy as np
import pytest

from rnnlm.data import Pairs, additions, dates, read_pairs
from rnnlm.data.corpora import made_pairs
from rnnlm.errors import DataError, InputError
from rnnlm.randomness import stream


def rows(pairs):
    return [
        (pairs.text(x).rstrip(), pairs.text(t).rstrip())
        for x, t in zip(pairs.questions.tolist(), pairs.answers.tolist())
    ]


def test_additions():
    pairs = additions(2_000, seed=3)
    made = rows(pairs)
    assert len({question for question, _ in made}) == 2_000
    for question, answer in made:
        a, b = map(int, question.split("+"))
        assert 0 <= min(a, b) <= max(a, b) <= 999
        assert answer == f"_{a + b}"
    assert set(pairs.characters) == set("0123456789+_ ")
    assert (pairs.lengths == [len(question) for question, _ in made]).all()
    assert rows(additions(50, seed=3)) == made[:50]  # of one seed: the shorter set is the beginning of the longer
    assert rows(additions(50, seed=4)) != made[:50]
    assert rows(additions(50)) == rows(additions(50, seed=0))
    assert rows(additions(3)) == [("828+213", "_1041"), ("40+616", "_656"), ("105+86", "_191")]
    small = np.mean([int(question.split("+")[0]) < 10 for question, _ in made])
    assert 0.25 < small < 0.45  # a third and what falls there of the larger ones, less what came twice


def test_days_spellings_and_cases_are_drawn_alike():
    """Days of 60 years, a dozen spellings, three cases: as the numbers of the stream come."""
    drawn = set()
    for seed in range(40):
        rng = stream(seed, "made pairs", part=1)
        day = date(1970, 1, 1) + timedelta(days=int(rng.integers(0, (date(2029, 12, 31) - date(1970, 1, 1)).days + 1)))
        spelling, case = int(rng.integers(0, 12)), int(rng.integers(0, 3))
        question = made_pairs.SPELLINGS[spelling](day)
        want = [question.lower(), question.title(), question.upper()][case]
        assert rows(dates(1, seed=seed)) == [(want, f"_{day.isoformat()}")]
        drawn |= {spelling, f"case {case}"}
    assert len(drawn) == 15


def test_spellings():
    spelled = [spelling(date(2005, 3, 9)) for spelling in made_pairs.SPELLINGS]
    assert spelled == [
        "march 9, 2005", "mar 9, 2005", "9 march 2005", "9 mar 2005", "wednesday, march 9, 2005", "wed 9 mar 2005",
        "3/9/05", "03/09/2005", "9.3.2005", "2005/03/09", "20050309", "mar 9 '05",
    ]  # fmt: skip


def test_dates():
    pairs = dates(3_000, seed=1)
    made = rows(pairs)
    assert len({question for question, _ in made}) == 3_000
    shapes = set()
    for question, answer in made:
        day = date.fromisoformat(answer[1:])
        assert 1970 <= day.year <= 2029
        figures = {int(f) for f in re.findall(r"\d+", question)}
        if not re.fullmatch(r"\d{8}", question):
            assert day.day in figures
            assert figures & {day.year, day.year % 100}
        shapes.add(re.sub(r"[a-z]+", "a", re.sub(r"\d+", "9", question.lower())))
    assert len(shapes) == 8  # spellings that differ in more than the length of words and figures
    assert pairs.answers.shape == (3_000, 11)
    assert rows(dates(2)) == [("8/10/77", "_1977-08-10"), ("5 may 1986", "_1986-05-05")]


def test_pairs_of_a_file(tmp_path):
    (tmp_path / "pairs.txt").write_bytes("7+5   _12 \r\n16+75 _91\n\nä+1_b\n".encode())
    pairs = read_pairs(tmp_path / "pairs.txt")
    assert rows(pairs) == [("7+5", "_12"), ("16+75", "_91"), ("ä+1", "_b")]
    assert pairs.questions.shape == (3, 6)
    assert pairs.characters[:4] == ("7", "+", "5", " ")  # in order of appearance
    assert pairs.lengths.tolist() == [3, 5, 3]
    assert Pairs.of(["a_b"]).lengths.tolist() == [1]
    for content, message in [
        (b"7+5 12\n", "line 1 of .* must be a question, _ and an answer, got '7[+]5 12'"),
        (b"7+5_12\n_3\n", "line 2 of"),
        (b"7+5_12\r1+1_2\n", "line 1 of"),  # a carriage return within a line ends none
        (b"7_5_12\n", "line 1 of"),
        (b"\n", "must have a question and an answer at least"),
        (b"\xff_1\n", "is not UTF-8 text"),
    ]:
        (tmp_path / "bad.txt").write_bytes(content)
        with pytest.raises(DataError, match=message):
            read_pairs(tmp_path / "bad.txt")
    with pytest.raises(DataError, match="does not exist"):
        read_pairs(tmp_path / "nowhere.txt")


def test_the_split_is_the_books():
    pairs = additions(100)
    train, test = pairs.split()
    order = np.arange(100)
    np.random.RandomState(1984).shuffle(order)
    np.testing.assert_array_equal(train.questions, pairs.questions[order[:90]])
    np.testing.assert_array_equal(test.answers, pairs.answers[order[90:]])
    order = np.arange(100)
    np.random.RandomState(0).shuffle(order)
    np.testing.assert_array_equal(pairs.split(0)[1].questions, pairs.questions[order[90:]])
    train, test = pairs.split(None, 0.255)
    assert (len(train.questions), len(test.questions)) == (75, 25)
    np.testing.assert_array_equal(np.concatenate([train.questions, test.questions]), pairs.questions)


@pytest.mark.parametrize("count", [0, 300_000, 1.5])
def test_counts_out_of_range_are_refused(count):
    for made in (additions, dates):
        with pytest.raises(InputError, match="count"):
            made(count)
