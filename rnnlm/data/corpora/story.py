"""The built-in corpus: generated stories whose lowest possible perplexity is known exactly.

Someone is in a room, someone comes in, the two talk; in between, things happen outside. The genders of host and visitor
decide, sentences later, between he and she: a model must remember them. A verb outside agrees with a noun that another
one may separate from it ("the dogs near the tree wait"). Everything else is chance with known odds, so that `floor` is
the loss of a perfect model; no model can be expected to get below it on text that it has not seen.
"""

from functools import cache
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from rnnlm.data.corpora.grammar import Grammar, Stack
from rnnlm.data.corpora.parts import expect_part
from rnnlm.data.corpora.story_rules import MANY, MANY_DO, NAMES, ONE, ONE_DOES, PRONOUNS, story_rules
from rnnlm.data.vocabulary import EOS, Vocabulary

__all__ = [
    "CLASSES",
    "accepts",
    "entropy_rate",
    "floor",
    "floors",
    "load_data",
    "load_vocab",
    "token_classes",
    "vocabulary",
]

PARTS = {"train": (1, 1_000_000), "valid": (2, 100_000), "test": (3, 170_000)}  # seed, tokens

FLOORS = {"train": 0.8943862126946068, "valid": 0.8952289523524958, "test": 0.8986446114097304}  # `floors`, precomputed

CLASSES: dict[str, list[str]] = {
    "host's pronoun": [],
    "visitor's pronoun": [],
    "verb outside": [*ONE_DOES, *MANY_DO],
    "noun outside": [*ONE, *MANY],
    "name": [*NAMES["m"], *NAMES["f"]],
    "end": [EOS],
}  # classes of `floors`; a pronoun's class depends on its sentence; all other words are "other"
WHOSE = {
    "hello": ["host's pronoun"],
    "thanked": ["visitor's pronoun"],
    "put": ["visitor's pronoun", "host's pronoun"],
    "gave": ["host's pronoun", "visitor's pronoun"],
    "laughed": ["visitor's pronoun"],
    "smiled": ["host's pronoun"],
}  # classes of the pronouns that follow these words

GRAMMAR = Grammar(story_rules(), ("story",))


def load_data(data_type: str = "train") -> tuple[NDArray[np.int32], dict[str, int], dict[int, str]]:
    """Return one part of the corpus as word ids; generated in about a second, the same on every machine.

    Args:
        data_type: 'train' (1,000,000 tokens), 'valid' or 'val' (100,000) or 'test' (170,000), `<eos>` included.

    Returns:
        corpus: (tokens,) int32.
        word_to_id, id_to_word: the vocabulary, numbered by appearance in the training part.
    """
    words = vocabulary()
    ids = words.word_to_id
    part = expect_part(data_type)
    return np.array([ids[word] for word in _words(part)], np.int32), ids, words.id_to_word


def load_vocab() -> tuple[dict[str, int], dict[int, str]]:
    """Return word_to_id and id_to_word."""
    return vocabulary().word_to_id, vocabulary().id_to_word


@cache
def vocabulary() -> Vocabulary:
    """Return all words, numbered by appearance in the training part."""
    return Vocabulary(dict.fromkeys(_words("train")))


def entropy_rate() -> float:
    """Return the nats per word of a perfect model on an endless text, in closed form."""
    return GRAMMAR.entropy_rate()


def floor(data_type: str = "test") -> float:
    """Return a perfect model's mean nats per token of a part, without its first, by the exact forward algorithm."""
    return FLOORS[expect_part(data_type)]


def floors(data_type: str = "test") -> dict[str, float]:
    """Return `floor` for all tokens ("all"), for each class of `CLASSES` and for "other"."""
    return dict(_floors(expect_part(data_type)))


def token_classes(data_type: str = "test") -> list[str]:
    """Return the class of each token of a part: one of `CLASSES`, or "other"."""
    return _classes(_words(expect_part(data_type)))


def _classes(words: tuple[str, ...]) -> list[str]:
    home = {word: name for name, members in CLASSES.items() for word in members}
    pronouns = {word for forms in PRONOUNS.values() for word in forms}
    classes, whose = [], iter(("other",))
    for word in words:
        whose = iter(WHOSE[word]) if word in WHOSE else whose
        classes.append(next(whose) if word in pronouns else home.get(word, "other"))
    return classes


@cache
def _floors(part: str) -> dict[str, float]:
    words = _words(part)
    nats: dict[str, list[float]] = {"all": []}
    for log_prob, name in list(zip(GRAMMAR.log_probs(words), _classes(words)))[1:]:
        nats["all"].append(-log_prob)
        nats.setdefault(name, []).append(-log_prob)
    return {name: float(np.mean(values)) for name, values in nats.items()}


def accepts(sentence: str | list[str]) -> bool:
    """Whether the grammar can generate this sentence somewhere in a story. `<eos>` at its end is optional."""
    words = sentence.split() if isinstance(sentence, str) else list(sentence)
    return GRAMMAR.accepts([*words, *([] if words[-1:] == [EOS] else [EOS])], _beginnings())


@cache
def _beginnings() -> frozenset[Stack]:
    """Return every stack with which a sentence can begin."""
    return frozenset({(), *GRAMMAR.stacks_after(EOS)})


@cache
def _words(part: str) -> tuple[str, ...]:
    seed, tokens = PARTS[part]
    return tuple(islice(GRAMMAR.words(seed), tokens))
