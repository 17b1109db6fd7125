"""The words of the built-in stories, and their grammar rules."""

from rnnlm.data.corpora.grammar import Rules, Symbol
from rnnlm.data.vocabulary import EOS

__all__ = ["MANY", "MANY_DO", "NAMES", "ONE", "ONE_DOES", "PRONOUNS", "story_rules"]

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


def _even(words: list[str]) -> list[tuple[int, list[Symbol]]]:
    """Return all words as equally likely alternatives."""
    return [(1, [word]) for word in words]


def story_rules() -> Rules:
    """Return the grammar. A symbol is a tuple: its name, and the genders of host and visitor where they matter."""
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
    """Return the openings of a story."""
    return [
        (4, [name, "was", "reading", "in", "the", "kitchen", EOS]),
        (3, [name, "sat", "at", "the", ("like",), "table", "with", "a", ("thing",), EOS]),
        (3, ["in", "the", ("place",), name, "had", "lost", "a", ("thing",), EOS]),
    ]


def _enter(name: Symbol) -> list[tuple[int, list[Symbol]]]:
    """Return the ways in which the visitor arrives."""
    return [
        (5, [name, "came", "into", "the", "room", EOS]),
        (3, ["a", "little", "later", name, "opened", "the", ("like",), "door", EOS]),
        (2, ["then", name, "arrived", "with", "a", ("thing",), EOS]),
    ]


def _turns(host: tuple[str, str, str], visitor: tuple[str, str, str]) -> list[tuple[int, list[Symbol]]]:
    """Return the turns of a conversation; `host` and `visitor` are pronouns (he, him, his)."""
    return [
        (4, ["the", "visitor", "said", "hello", "to", host[1], EOS]),
        (4, ["the", "host", "thanked", visitor[1], EOS]),
        (3, ["the", "visitor", "put", visitor[2], ("thing",), "beside", host[2], ("thing",), EOS]),
        (3, ["the", "host", "gave", host[2], ("thing",), "to", visitor[1], EOS]),
        (3, ["the", "visitor", "laughed", "and", visitor[0], "sat", "down", EOS]),
        (3, ["the", "host", "smiled", "and", host[0], "closed", "the", "door", EOS]),
    ]
