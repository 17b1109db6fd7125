"""Rescoring: the language scores, the choice, the errors, and scales that no grid can beat."""

import builtins
import itertools
from math import inf, nan

import numpy as np
import pytest

from rnnlm import (
    Hypothesis,
    ModelConfig,
    Scales,
    Vocabulary,
    build_model,
    kneser_ney,
    rescore,
    score,
    word_error_rate,
    word_errors,
)
from rnnlm.errors import DataError, InputError, MissingExtra
from rnnlm.inference.error_rate_training import fewest_errors
from rnnlm.inference.rescoring import BLOCK, LOWEST

WORDS = Vocabulary(["<eos>", "<unk>", "a", "b", "c"])


def model():
    return build_model(ModelConfig(vocab_size=5, wordvec_size=3, hidden_size=4, dtype="float64", seed=1))


def a_list(rng, n=6):
    texts = [" ".join(rng.choice(list("abcx"), rng.integers(0, 5))) for _ in range(n)]
    return [Hypothesis(one, float(rng.normal())) for one in texts]


@pytest.fixture
def lists(rng):
    return {f"utt-{k}": a_list(rng) for k in range(12)}


@pytest.fixture
def references(rng, lists):
    return {name: some[rng.integers(0, 3)].text + " a" * int(rng.integers(0, 2)) for name, some in lists.items()}


def test_each_text_is_scored_by_itself(lists):
    told = []
    found = rescore(model(), WORDS, lists, told.append)
    assert list(found) == list(lists)
    assert sum(told) == 72
    for name, some in lists.items():
        for one, scored in zip(some, found[name]):
            (want,) = score(model(), [[*WORDS.encode(one.text.split()), 0]])
            assert scored.language == pytest.approx(want.logprob, rel=1e-12)
            assert (scored.text, scored.acoustic) == (one.text, one.acoustic)
            assert scored.unknown == one.text.count("x")


def test_more_hypotheses_than_a_block_and_other_models(rng):
    lists = {"one": a_list(rng, BLOCK + 5), "two": a_list(rng, 1)}
    told = []
    found = rescore(kneser_ney(rng.integers(0, 5, 200), 5, 0, 2), WORDS, lists, told.append)
    assert told == [BLOCK, 6]
    assert all(np.isfinite(one.language) for some in found.values() for one in some)


def test_the_highest_total_is_chosen_and_the_first_of_equals():
    some = [Hypothesis("a b", -1.0, -3.0), Hypothesis("a", -2.0, -1.0), Hypothesis("x", -2.0, -1.0, 1)]
    for scales, want in (
        (Scales(0.0), "a b"), (Scales(1.0), "a"), (Scales(1.0, reward=1.5), "a b"), (Scales(1.0, penalty=-1.0), "x"),
    ):  # fmt: skip
        assert scales.best({"utt": some})["utt"].text == want
    assert Scales(0.5, 0.25, 2.0).total(some[2]) == -2 - 0.5 + 0.25 - 2
    assert Scales(0.0).total(Hypothesis("a", 1.0, -inf)) == 1.0


def errors_with(lists, references, *scales):
    best = Scales(*scales).best(lists)
    return sum(word_errors(references[name], one.text) for name, one in best.items())


@pytest.mark.parametrize("seed", range(5))
def test_no_grid_along_a_scale_beats_those_that_are_found(seed):
    rng = np.random.default_rng(seed)
    lists = rescore(model(), WORDS, {f"utt-{k}": a_list(rng) for k in range(12)})
    references = {name: some[rng.integers(0, 6)].text for name, some in lists.items()}
    found = Scales.tuned(lists, references)
    fewest = errors_with(lists, references, found.weight, found.reward, found.penalty)
    grid = np.linspace(0.001, 8, 400)
    along = [
        *((weight, found.reward, found.penalty) for weight in grid),
        *((found.weight, reward, found.penalty) for reward in [*-grid, *grid]),
        *((found.weight, found.reward, penalty) for penalty in grid),
    ]
    assert fewest <= min(errors_with(lists, references, *scales) for scales in along)
    assert fewest < errors_with(lists, references, 0.0, 0.0, 0.0)


def test_a_range_that_is_known():
    """The right text is chosen for weights between 1 and 3, in the middle of which the weight found is."""
    lists = {
        "one": [Hypothesis("a", 0.0, -2.0), Hypothesis("b", -1.0, -1.0)],
        "two": [Hypothesis("b", 0.0, -1.0), Hypothesis("c", -3.0, 0.0)],
    }
    found = Scales.tuned(lists, {"one": "b", "two": "b"})
    assert found == Scales(2.0, 0.0, 0.0)
    assert Scales.tuned(lists, {"one": "b", "two": "c"}) == Scales(4.0, 0.0, 0.0)
    right = {"one": "a", "two": "b"}
    assert Scales.tuned(lists, right) == Scales(0.0)  # as they are
    lists["three"] = [Hypothesis("c", 0.0, -1.0), Hypothesis("a", -0.5, 0.0)]
    assert Scales.tuned(lists, right | {"three": "a"}) == Scales(0.75)
    words = {"one": [Hypothesis("a", 0.0, -1.0), Hypothesis("a b", -4.0, -1.0)]}
    assert Scales.tuned(words, {"one": "a b"}).reward == pytest.approx(5.0)
    unknown = {"one": [Hypothesis("x", 0.0, -1.0, 1), Hypothesis("a", -2.0, -1.0)]}
    assert Scales.tuned(unknown, {"one": "a"}).penalty == pytest.approx(3.0)


@pytest.mark.parametrize("seed", range(30))
def test_whole_numbers_with_many_ties(seed):
    """The errors that are counted are made, and are no more than by the acoustic scores alone."""
    rng = np.random.default_rng(seed)
    lists, references = {}, {}
    for k in range(rng.integers(1, 8)):
        texts = [" ".join(rng.choice(list("abc"), rng.integers(1, 4))) for _ in range(rng.integers(1, 7))]
        numbers = [(float(rng.integers(-3, 1)), float(rng.integers(-4, 1)), int(rng.integers(0, 2))) for _ in texts]
        lists[f"utt-{k}"] = [Hypothesis(one, *of_one) for one, of_one in zip(texts, numbers)]
        references[f"utt-{k}"] = texts[rng.integers(0, len(texts))]
    found = Scales.tuned(lists, references)
    made = errors_with(lists, references, found.weight, found.reward, found.penalty)
    assert made <= errors_with(lists, references, 0.0)
    for k, lowest in enumerate(LOWEST):
        scales, lines = np.array([found.weight, found.reward, found.penalty]), []
        for name, some in lists.items():
            columns = np.array([[one.language, len(one.words), -one.unknown] for one in some], float)
            rest = np.array([one.acoustic for one in some]) + columns @ np.where(np.arange(3) == k, 0, scales)
            lines.append((rest, columns[:, k], np.array([word_errors(references[name], one.text) for one in some])))
        scales[k], claimed = fewest_errors(lines, lowest)
        assert errors_with(lists, references, *scales) == claimed


def test_lines_that_cross_in_one_point_and_several_ranges():
    def fewest(*lines):
        return fewest_errors([tuple(np.array(column, float) for column in zip(*lines))], 0.0)

    # all of them are 2 at 1: the steepest is the best after it
    assert fewest((2.0, 0.0, 1), (1.0, 1.0, 5), (0.0, 2.0, 0)) == (2.0, 0)
    # right from 1 to 3, and from 36 to 100
    two = [(0.0, 0.0, 1), (-1.0, 1.0, 0), (-4.0, 2.0, 1), (-40.0, 3.0, 0), (-140.0, 4.0, 1)]
    assert fewest(*two) == (68.0, 0)
    # from 1 to 8, across a crossing at 3; from 1 to 5, whose middle is one
    assert fewest((0.0, 0.0, 1), (-1.0, 1.0, 0), (-4.0, 2.0, 0), (-12.0, 3.0, 1)) == (4.5, 0)
    assert fewest((0.0, 0.0, 1), (-1.0, 1.0, 0), (-4.0, 2.0, 0), (-9.0, 3.0, 1)) == (4.0, 0)
    one = tuple(np.array([x]) for x in (1.0, 2.0, 3))
    assert fewest_errors([one], -inf) == (0.0, 3)


def test_texts_that_a_model_finds_impossible():
    lists = {
        "one": [Hypothesis("a", 0.0, -inf), Hypothesis("b", -1.0, -1.0), Hypothesis("c", -1.5, 0.0)],
        "two": [Hypothesis("a", -1.0, -inf), Hypothesis("b", 0.0, -inf)],
    }
    assert {name: one.text for name, one in Scales(0.1).best(lists).items()} == {"one": "b", "two": "b"}
    found = Scales.tuned(lists, {"one": "c", "two": "b"})
    assert found.weight > 0.5
    assert {name: one.text for name, one in found.best(lists).items()} == {"one": "c", "two": "b"}


def test_a_literal_unk_is_unknown():
    (one,) = rescore(model(), WORDS, {"utt": [Hypothesis("a <unk> x", 0.0)]})["utt"]
    assert one.unknown == 2


def test_errors_are_those_of_all_alignments(rng):
    def by_hand(a, b):
        if not a or not b:
            return len(a) + len(b)
        return min(by_hand(a[1:], b[1:]) + (a[0] != b[0]), by_hand(a[1:], b) + 1, by_hand(a, b[1:]) + 1)

    texts = [list(rng.choice(list("ab"), rng.integers(0, 5))) for _ in range(6)]
    for a, b in itertools.product(texts, repeat=2):
        assert word_errors(" ".join(a), " ".join(b)) == by_hand(a, b)
    assert word_error_rate({"one": "a c", "two": ""}, {"one": "a b", "two": "a a"}) == 0.75


def test_bad_input_is_refused(lists, references):
    scored = rescore(model(), WORDS, lists)
    with pytest.raises(
        InputError, match="lists must have a Hypothesis or more for each utterance, got \\[\\] for 'one'"
    ):
        Scales().best({"one": []})
    for needs in (Scales(1.0).best, lambda lists: Scales.tuned(lists, references)):
        with pytest.raises(
            InputError, match="lists must have language scores, and those of 'utt-0' have none: rescore"
        ):
            needs(lists)
    assert len(Scales(0.0).best(lists)) == 12
    with pytest.raises(DataError, match="utterance 'utt-3' has no reference"):
        Scales.tuned(scored, {name: one for name, one in references.items() if name != "utt-3"})
    with pytest.raises(DataError, match="utterance 'more' has a reference, and no text was recognised"):
        Scales.tuned(scored, references | {"more": "a"})
    with pytest.raises(DataError, match="references must have at least one word"):
        word_error_rate({"one": "a"}, {"one": ""})
    with pytest.raises(DataError, match="<eos> ends a text and must not be a word of one, got 'a <eos> b' of 'one'"):
        rescore(model(), WORDS, {"one": [Hypothesis("a <eos> b", 0.0)]})
    with pytest.raises(InputError, match="words must have an <eos>"):
        rescore(model(), Vocabulary(list("abcde")), lists)
    with pytest.raises(DataError, match="a text of utterance 'one': 'x' is not among the 5 words"):
        rescore(model(), Vocabulary(["<eos>", *"abcd"]), {"one": [Hypothesis("x", 0.0)]})
    for name, wrong in (("weight", nan), ("weight", -1.0), ("reward", inf), ("penalty", "1")):
        with pytest.raises(InputError, match=f"{name} must be"):
            Scales(**{name: wrong})


def test_without_the_library(monkeypatch):
    known = builtins.__import__

    def lacking(name, *rest):
        if name.startswith("rapidfuzz"):
            raise ImportError(name)
        return known(name, *rest)

    monkeypatch.setattr(builtins, "__import__", lacking)
    with pytest.raises(
        MissingExtra, match=r"a word error rate needs the extra 'rescore': pip install 'rnnlm\[rescore\]'"
    ):
        word_errors("a", "b")
