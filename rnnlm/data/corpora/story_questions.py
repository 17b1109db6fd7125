"""Classification tasks on the built-in stories, whose best possible accuracy is known."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rnnlm.checks import whole_number
from rnnlm.data.corpora.grammar import Grammar, Rules
from rnnlm.data.corpora.story import GRAMMAR, accepts, vocabulary
from rnnlm.data.corpora.story_rules import PRONOUNS, story_rules
from rnnlm.data.vocabulary import EOS
from rnnlm.randomness import stream

__all__ = ["Questions", "right_or_wrong", "who_is_meant"]

ANSWERS = ("host", "visitor")


@dataclass(frozen=True)
class Questions:
    """Texts with binary labels.

    Attributes:
        texts: words separated by blanks.
        answers: (count,) label 0 or 1 of each text.
        best: the best accuracy that can be expected.
    """

    texts: list[str]
    answers: NDArray[np.int64]
    best: float


def right_or_wrong(count: int = 10_000, seed: int = 0) -> Questions:
    """Return sentences of the stories, half of them spoiled: label 1 if the grammar can generate them, else 0.

    To spoil a sentence, two words are swapped, or one is deleted, inserted or replaced by another of the vocabulary,
    until the grammar can't generate it. So the best accuracy is 1.
    """
    count, seed = whole_number("count", count, 1), whole_number("seed", seed, 0, 2**64)
    rng = stream(seed, "made pairs", part=2)
    words = [word for word in vocabulary().words if word != EOS]
    texts, answers = [], rng.integers(0, 2, count)
    for sentence, right in zip(_sentences(GRAMMAR, seed), answers):
        while not right and accepts(sentence):
            sentence = _spoiled(sentence, words, lambda high: int(rng.integers(high)))
        texts.append(" ".join(sentence))
    return Questions(texts, answers, 1.0)


def who_is_meant(count: int = 10_000, seed: int = 0) -> Questions:
    """Return beginnings of stories that end with "he" or "she": label 0 if the host is meant, 1 for the visitor.

    Both are equally frequent. In half of the stories host and visitor differ in gender, so that the pronoun decides; in
    the others nothing does. So the best accuracy is 0.75. Sentences end with "<eos>".
    """
    count, seed = whole_number("count", count, 1), whole_number("seed", seed, 0, 2**64)
    grammar = Grammar(_asking(), ("question",))
    texts: list[str] = []
    answers: list[int] = []
    text: list[str] = []
    for word in grammar.words(seed):
        if word in ANSWERS:
            texts.append(" ".join(text))
            answers.append(ANSWERS.index(word))
            text = []
            if len(texts) == count:
                break
        else:
            text.append(word)
    return Questions(texts, np.array(answers), 0.75)


def _asking() -> Rules:
    """Return the rules of the stories, cut off after the visitor's arrival, with the question added."""
    rules = dict(story_rules())
    pairs = [(host, visitor) for host in "mf" for visitor in "mf"]
    rules["question",] = [(1, [("asked", *pair)]) for pair in pairs]
    for host, visitor in pairs:
        opening = [("alone", host), ("meanwhile",), ("enter", visitor), ("meanwhile",)]
        meant = [(1, [*opening, PRONOUNS[who][0], answer]) for who, answer in zip((host, visitor), ANSWERS)]
        rules["asked", host, visitor] = meant
    return rules


def _sentences(grammar: Grammar, seed: int) -> Iterator[list[str]]:
    """Yield the sentences of an endless text, without `<eos>`."""
    sentence: list[str] = []
    for word in grammar.words(seed):
        if word == EOS:
            yield sentence
            sentence = []
        else:
            sentence.append(word)


def _spoiled(sentence: list[str], words: list[str], below: Callable[[int], int]) -> list[str]:
    """Return the sentence with one random change; `below(n)` draws a whole number below n."""
    made, way = list(sentence), below(4)
    place, other = below(len(made)), below(len(made))
    if way == 0:
        made[place], made[other] = made[other], made[place]
    elif way == 1 and len(made) > 1:
        del made[place]
    else:
        made[place : place + (way == 2)] = [words[below(len(words))]]
    return made
