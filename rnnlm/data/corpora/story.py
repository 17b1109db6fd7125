"""The built-in corpus: little stories whose best possible perplexity is known exactly.

Someone is in a room, someone comes in, the two talk; in between, things happen outside. Who the visitor is and who the
host decides, sentences later, between he and she: a model must remember it. And a verb outside agrees with a noun that
may stand behind another one ("the dogs near the tree wait"). Everything else is chance, with known odds, so that
`floor` is what a perfect model reaches, and no honest model gets below it on text that it has not seen.
"""

from functools import cache
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from rnnlm.data.corpora.grammar import Grammar, Rules, Stack, Symbol
from rnnlm.data.corpora.parts import expect_part
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

NAMES = {
    "m": ["arthur", "felix", "hugo", "oscar", "ralph", "victor"],
    "f": ["alice", "clara", "edith", "flora", "nora", "ruth"],
}
PRONOUNS = {"m": ("he", "him", "his"), "f": ("she", "her", "her")}
ONE = ["dog", "tree", "lamp", "bird", "clock", "bell", "horse", "cloud"]
MANY = [f"{noun}s" for noun in ONE]
ONE_DOES = ["waits", "shines", "sings", "moves", "falls", "stands"]
MANY_DO = [verb.removesuffix("s") for verb in ONE_DOES]
BESIDE = ["near", "behind", "above", "under"]
LIKE = ["old", "small", "quiet", "dark", "warm"]
PLACES = ["garden", "street", "river", "house", "school", "station"]
THINGS = ["book", "letter", "ring", "coat", "key", "map"]

CLASSES: dict[str, list[str]] = {
    "host's pronoun": [],
    "visitor's pronoun": [],
    "verb outside": [*ONE_DOES, *MANY_DO],
    "noun outside": [*ONE, *MANY],
    "name": [*NAMES["m"], *NAMES["f"]],
    "end": [EOS],
}  # by which `floors` tells perplexities apart; whose a pronoun is its sentence says; all other words are "other"
WHOSE = {
    "hello": ["host's pronoun"],
    "thanked": ["visitor's pronoun"],
    "put": ["visitor's pronoun", "host's pronoun"],
    "gave": ["host's pronoun", "visitor's pronoun"],
    "laughed": ["visitor's pronoun"],
    "smiled": ["host's pronoun"],
}  # the pronouns that follow a word of `_turns`


def _even(words: list[str]) -> list[tuple[int, list[Symbol]]]:
    """All words, equally likely."""
    return [(1, [word]) for word in words]


def _rules() -> Rules:
    """The grammar. A symbol is a tuple: what it is, and the genders of host and visitor where they matter."""
    rules: dict[Symbol, list[tuple[int, list[Symbol]]]] = {
        ("story",): [(1, [("pair", host, visitor)]) for host in "mf" for visitor in "mf"],
        ("meanwhile",): [(3, []), (2, [("outside",), ("meanwhile",)])],
        ("outside",): [(1, ["the", ("number", "one")]), (1, ["the", ("number", "many")])],
        ("behind",): [
            (2, []),
            (1, [("beside",), "the", ("noun", "one")]),
            (1, [("beside",), "the", ("noun", "many")]),
        ],
        ("where",): [(1, []), (1, [("beside",), "the", ("like",), ("place",)])],
        ("noun", "one"): _even(ONE),
        ("noun", "many"): _even(MANY),
        ("verb", "one"): _even(ONE_DOES),
        ("verb", "many"): _even(MANY_DO),
        ("beside",): _even(BESIDE),
        ("like",): _even(LIKE),
        ("place",): _even(PLACES),
        ("thing",): _even(THINGS),
    }
    for number in ("one", "many"):
        rules["number", number] = [(1, [("noun", number), ("behind",), ("verb", number), ("where",), EOS])]
    for host in "mf":
        rules["name", host] = _even(NAMES[host])
        rules["alone", host] = _alone(("name", host))
        rules["enter", host] = _enter(("name", host))
        for visitor in "mf":
            rules["pair", host, visitor] = [
                (1, [("alone", host), ("meanwhile",), ("enter", visitor), ("meanwhile",), ("talk", host, visitor)])
            ]
            turn: Symbol = ("turn", host, visitor)
            rules["talk", host, visitor] = [(7, [turn]), (13, [turn, ("meanwhile",), ("talk", host, visitor)])]
            rules[turn] = _turns(PRONOUNS[host], PRONOUNS[visitor])
    return rules


def _alone(name: Symbol) -> list[tuple[int, list[Symbol]]]:
    """How a story begins."""
    return [
        (4, [name, "was", "reading", "in", "the", "kitchen", EOS]),
        (3, [name, "sat", "at", "the", ("like",), "table", "with", "a", ("thing",), EOS]),
        (3, ["in", "the", ("place",), name, "had", "lost", "a", ("thing",), EOS]),
    ]


def _enter(name: Symbol) -> list[tuple[int, list[Symbol]]]:
    """How the visitor comes in."""
    return [
        (5, [name, "came", "into", "the", "room", EOS]),
        (3, ["a", "little", "later", name, "opened", "the", ("like",), "door", EOS]),
        (2, ["then", name, "arrived", "with", "a", ("thing",), EOS]),
    ]


def _turns(host: tuple[str, str, str], visitor: tuple[str, str, str]) -> list[tuple[int, list[Symbol]]]:
    """What the two do, in pronouns: (he, him, his) of each."""
    return [
        (4, ["the", "visitor", "said", "hello", "to", host[1], EOS]),
        (4, ["the", "host", "thanked", visitor[1], EOS]),
        (3, ["the", "visitor", "put", visitor[2], ("thing",), "beside", host[2], ("thing",), EOS]),
        (3, ["the", "host", "gave", host[2], ("thing",), "to", visitor[1], EOS]),
        (3, ["the", "visitor", "laughed", "and", visitor[0], "sat", "down", EOS]),
        (3, ["the", "host", "smiled", "and", host[0], "closed", "the", "door", EOS]),
    ]


GRAMMAR = Grammar(_rules(), ("story",))


def load_data(data_type: str = "train") -> tuple[NDArray[np.int32], dict[str, int], dict[int, str]]:
    """One part of the corpus as word ids, made anew in a second; the same on every machine.

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
    """word_to_id and id_to_word."""
    return vocabulary().word_to_id, vocabulary().id_to_word


@cache
def vocabulary() -> Vocabulary:
    """All words, numbered by appearance in the training part."""
    return Vocabulary(dict.fromkeys(_words("train")))


def entropy_rate() -> float:
    """Nats a word that a perfect model needs on an endless text, in closed form."""
    return GRAMMAR.entropy_rate()


def floor(data_type: str = "test") -> float:
    """Mean nats that a perfect model needs for each token of a part but the first, by the exact forward algorithm."""
    return floors(data_type)["all"]


def floors(data_type: str = "test") -> dict[str, float]:
    """`floor` for all tokens, and for those of each class of `CLASSES` and the "other" ones."""
    return dict(_floors(expect_part(data_type)))


def token_classes(data_type: str = "test") -> list[str]:
    """The class of each token of a part: one of `CLASSES`, or "other"."""
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
    """Whether the grammar can write this sentence, somewhere in some story. `<eos>` may end it or be left out."""
    words = sentence.split() if isinstance(sentence, str) else list(sentence)
    return GRAMMAR.accepts([*words, *([] if words[-1:] == [EOS] else [EOS])], _beginnings())


@cache
def _beginnings() -> frozenset[Stack]:
    """All that can be left to write where a sentence begins."""
    return frozenset({(), *GRAMMAR.stacks_after(EOS)})


@cache
def _words(part: str) -> tuple[str, ...]:
    seed, tokens = PARTS[part]
    return tuple(islice(GRAMMAR.words(seed), tokens))
