"""Two models on one text: what a text is cut into, what is compared with what, and the table."""

import math

import numpy as np
import pytest

from rnnlm import Sentences, SimpleRnnlm, Vocabulary, kneser_ney, token_nats
from rnnlm.data.reading import TextSize
from rnnlm.errors import InputError
from rnnlm.inference.comparison import Comparison, Line, compare, line_nats
from rnnlm.inference.evaluation import Evaluation
from rnnlm.inference.figures import figures, table

WORDS = Vocabulary(["<eos>", "<unk>", "a", "b", "c"])
IDS = np.array([2, 3, 0, 1, 4, 0, 0, 3])  # "a b", "<unk> c", an empty line and "b" without an end
INF = float("inf")


def line(units, nats, unknown=(), text=None, whole=True):
    """A line of units, all known but those numbered."""
    units = tuple(units.split())
    known = np.array([i not in unknown for i in range(len(units))])
    return Line(units, np.array(nats, float), known, " ".join(units) if text is None else text, whole)


def network():
    return SimpleRnnlm(5, 4, 5, seed=1)


# ---------------------------------------------------------------- a text by its lines


def test_a_stream_by_its_lines():
    lines = line_nats(network(), WORDS, IDS)
    assert [one.units for one in lines] == [("a", "b", "<eos>"), ("<unk>", "c", "<eos>"), ("<eos>",), ("b",)]
    assert [one.text for one in lines] == ["a b", "<unk> c", "", "b"]
    assert [one.known.tolist() for one in lines] == [[False, True, True], [False, True, True], [True], [True]]
    assert [one.whole for one in lines] == [False, True, True, True]
    np.testing.assert_array_equal(np.concatenate([one.nats for one in lines]), [0, *token_nats(network(), IDS)])


def test_a_stream_all_of_whose_tokens_are_scored():
    model = kneser_ney(IDS, 5, 0, 2)
    lines = line_nats(model, WORDS, IDS[:7])  # which ends with a line
    assert [one.text for one in lines] == ["a b", "<unk> c", ""]
    assert all(one.whole for one in lines)
    assert lines[0].known.all()
    np.testing.assert_array_equal(np.concatenate([one.nats for one in lines]), token_nats(model, IDS[:7]))


def test_sentences_by_their_lines():
    text = Sentences(IDS[:6], 0)
    lines = line_nats(network(), WORDS, text)
    assert [one.text for one in lines] == ["a b", "<unk> c"]
    assert all(one.whole for one in lines)
    np.testing.assert_array_equal(np.concatenate([one.nats for one in lines]), token_nats(network(), text))


def test_words_without_an_end_or_unknown_ones_are_one_line_of_known_words():
    (one,) = line_nats(network(), Vocabulary(["v", "w", "x", "y", "z"]), [0, 1, 4])
    assert one.units == ("v", "w", "z")
    assert one.known.tolist() == [False, True, True]


# ---------------------------------------------------------------- compared


def test_the_same_units_are_compared_one_by_one():
    first = [line("a b", [1, 2]), line("a c", [3, 4], unknown=[0])]
    second = [line("a b", [1.5, 5]), line("a c", [9, 3.5], unknown=[])]
    found = compare(first, second)
    assert (found.unit, found.labels, found.tokens) == ("token", ["a", "b", "c"], 3)
    assert found.differences.tolist() == [0.5, 3, -0.5]
    assert found.nats == 1
    assert found.stderr == pytest.approx(np.std([0.5, 3, -0.5], ddof=1) / math.sqrt(3))
    assert found.row() == {
        "difference": 1, "difference_stderr": found.stderr, "compared": 3, "unit": "token", "first_better": 2,
        "second_better": 1,
    }  # fmt: skip
    assert str(found).startswith(f"second less first: +1.0000 ± {found.stderr:.4f} nats a token, 3 tokens compared")
    assert str(found).endswith("first better at 2, second at 1")


@pytest.mark.parametrize(
    "others",
    [
        [line("a b c", [1, 1, 1], text="a bc"), line("d", [7])],  # another number of units
        [line("a x", [2, 1], text="a bc"), line("d", [7])],  # as many, not the same
    ],
)
def test_of_other_units_lines_are_compared(others):
    first = [line("a bc", [1, 1.5]), line("d", [2])]
    found = compare(first, others)
    assert (found.unit, found.labels, found.tokens) == ("line", ["a bc", "d"], 3 + 2)  # words and ends
    assert found.differences.tolist() == [0.5, 5]
    assert found.nats == 1.1
    assert found.stderr == pytest.approx(5.6 / 5)  # of 0.5 - 3 x 1.1 and 5 - 2 x 1.1
    assert "nats a word, 2 lines compared" in str(found)


def test_a_unit_that_one_does_not_know_may_be_another_one_there():
    found = compare([line("a <unk>", [1, 2], unknown=[1], text="a b")], [line("a b", [2, 3])])
    assert (found.unit, found.labels, found.differences.tolist()) == ("token", ["a"], [1])


def test_lines_that_are_not_whole_or_empty_are_left_out():
    first = [line("a b", [1, 1], whole=False), line("", []), line("<unk>", [1], unknown=[0], text="?"), line("c", [1])]
    second = [line("a b", [1, 1]), line("x y", [3, 0], text="xy"), line("c", [2], whole=False)]
    found = compare(first, second)
    assert (found.unit, found.labels, found.differences.tolist()) == ("line", ["xy"], [2])
    assert math.isnan(found.stderr)


def test_what_can_not_be_compared_is_refused():
    one = line("a", [1])
    for first, second, message in (
        ([one], [one, one], "the two models must read the same lines, got 1 and 2"),
        ([line("", [])], [line("", [])], "the two models must read the same lines, got 0 and 0"),
        ([one], [line("a", [1], unknown=[0])], "must know a word of the text in common, and know none"),
        ([one], [line("x y", [1, 2], whole=False)], "the text must have more than one line"),
    ):
        with pytest.raises(InputError, match=message):
            compare(first, second)


def test_blank_lines_count_where_both_have_read_them():
    first, second = ([line("a", [n]), Line(("<eos>",), np.array([3.0 * n]), np.ones(1, bool), "")] for n in (1, 2))
    assert compare(first, second).differences.tolist() == [1, 3]
    assert compare(first, second[:1]).differences.tolist() == [1]


def test_wins_are_the_largest_sums_of_a_word():
    found = Comparison("token", ["a", "b", "c", "d", "a", "e"], np.array([1.0, 3, -2, 0, 1, -5]), np.ones(6, int))
    assert found.wins(1) == ([("b", 3)], [("e", 5)])
    assert found.wins(9) == ([("b", 3), ("a", 2)], [("e", 5), ("c", 2)])


def test_neither_is_better_where_both_find_the_same():
    row = Comparison("token", "abcde", np.array([0.0, 1.0, 0.0, -2.0, 3.0]), np.ones(5, int)).row()
    assert (row["compared"], row["first_better"], row["second_better"]) == (5, 2, 1)


def test_two_that_are_compared_have_a_standard_error_and_infinite_losses_have_none():
    ones = np.ones(2, int)
    assert Comparison("token", "ab", np.array([1.0, 2.0]), ones).stderr == pytest.approx(0.5)
    assert math.isnan(Comparison("token", "ab", np.array([1.0, INF]), ones).stderr)


def test_the_standard_error_of_lines_is_that_of_the_bootstrap(rng):
    sizes = rng.integers(1, 60, 400)
    differences = rng.normal(-0.7 * sizes, np.sqrt(sizes))
    found = Comparison("line", [""] * 400, differences, sizes)
    drawn = rng.integers(0, 400, (4_000, 400))
    means = differences[drawn].sum(axis=1) / sizes[drawn].sum(axis=1)
    assert found.stderr == pytest.approx(means.std(), rel=0.05)  # 4,000 draws know it to 1.1 percent
    longer = Comparison("line", [""] * 400, -0.7 * sizes, sizes)  # lines differ in length alone
    assert longer.stderr == pytest.approx(0, abs=1e-12)


# ---------------------------------------------------------------- the table


def test_figures_by_word_character_and_byte():
    result = Evaluation.of(np.full(4, math.log(8)))
    found = figures(result, TextSize(words=2, characters=12, bytes=0))
    assert list(found)[:7] == [
        "perplexity",
        "perplexity_without_unk",
        "nats",
        "stderr",
        "tokens",
        "unk_tokens",
        "state",
    ]
    assert (found["perplexity_per_word"], found["bits_per_word"]) == pytest.approx((64, 6))
    assert (found["perplexity_per_character"], found["bits_per_character"]) == pytest.approx((2, 1))
    assert (found["perplexity_per_byte"], found["bits_per_byte"]) == (None, None)
    assert len(figures(result, None)) == 7


def test_a_perplexity_that_is_no_number_is_infinite():
    result = Evaluation.of(np.full(1, 709.5))
    found = figures(result, TextSize(words=1, characters=2, bytes=2))
    assert (found["perplexity_per_word"], found["bits_per_word"]) == (INF, pytest.approx(709.5 / math.log(2)))
    assert found["perplexity_per_byte"] == pytest.approx(math.exp(709.5 / 2))


def test_a_table_has_a_column_for_each():
    columns = [{"nats": 2.5, "unk_tokens": 1234}, {"nats": 1234.5, "state": "reset", "unk_tokens": None}]
    assert table(columns, ["one", "another"]).splitlines() == [
        "               one     another",
        "nats        2.5000  1,234.5000",
        "unk tokens   1,234           -",
        "state            -       reset",
    ]
    assert table([{"tokens": 7}]) == "tokens  7"
