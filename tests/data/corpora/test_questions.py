"""Questions about the built-in stories: the same on every machine, and as hard as they say."""

import hashlib
import inspect

import numpy as np
import pytest

from rnnlm import right_or_wrong, who_is_meant
from rnnlm.data import story
from rnnlm.data.corpora.story_questions import _spoiled
from rnnlm.data.corpora.story_rules import NAMES
from rnnlm.errors import InputError
from rnnlm.randomness import stream

GENDER = {name: gender for gender, names in NAMES.items() for name in names} | {"he": "m", "she": "f"}


@pytest.mark.parametrize("make", [right_or_wrong, who_is_meant])
def test_questions_are_those_of_a_seed(make):
    questions = make(100)
    assert len(questions.texts) == len(questions.answers) == 100
    assert make(100, seed=0).texts == questions.texts != make(100, seed=1).texts
    assert [inspect.signature(make).parameters[name].default for name in ("count", "seed")] == [10_000, 0]
    with pytest.raises(InputError, match="count must be a whole number of at least 1, got 0"):
        make(0)


def test_who_is_asked_about_is_the_same_everywhere():
    """Only whole numbers are drawn, as for the stories."""
    questions = who_is_meant(200, seed=0)
    told = "\n".join(f"{answer} {text}" for answer, text in zip(questions.answers, questions.texts))
    assert hashlib.sha256(told.encode()).hexdigest()[:16] == "dede2db42444b710"


def test_what_is_wrong_the_grammar_can_not_write():
    questions = right_or_wrong(400, seed=3)
    assert [story.accepts(text) for text in questions.texts] == (questions.answers == 1).tolist()
    np.testing.assert_array_equal(questions.answers, stream(3, "made pairs", part=2).integers(0, 2, 400))
    assert questions.best == 1
    assert "<eos>" not in " ".join(questions.texts)


def test_the_pronoun_tells_who_is_meant_in_half_of_the_stories():
    questions = who_is_meant(2000, seed=3)
    told = []
    for text, answer in zip(questions.texts, questions.answers):
        people = [GENDER[word] for word in text.split() if word in GENDER]
        assert len(people) == 3  # host, visitor, and the pronoun
        assert text.endswith((" <eos> he", " <eos> she"))
        assert people[2] == people[answer]
        told.append(people[0] != people[1])
    assert questions.answers.shape == (2000,)
    assert abs(np.mean(told) - 0.5) < 0.05
    assert abs(questions.answers.mean() - 0.5) < 0.05
    assert questions.best == 0.75


def test_a_mistake_is_one_of_four():
    """Two words change places, one is left out, replaced, or put in."""

    def spoiled(sentence, *draws):
        drawn = iter(draws)
        return " ".join(_spoiled(sentence.split(), ["x", "y"], lambda below: next(drawn)))

    assert spoiled("a b c d", 0, 1, 3) == "a d c b"
    assert spoiled("a b c d", 1, 1, 0) == "a c d"
    assert spoiled("a b c d", 2, 1, 0, 1) == "a y c d"
    assert spoiled("a b c d", 3, 1, 0, 0) == "a x b c d"
    assert spoiled("a", 1, 0, 0, 1) == "y a"  # a sentence keeps a word at least
