"""Counting n-grams by sorting integers: no dictionaries, in memory for a few arrays as long as the text."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rnnlm.checks import function, size as size_of, whole_number
from rnnlm.data.sources import tokens_of
from rnnlm.data.tokens import Tokens
from rnnlm.errors import DataError

__all__ = ["ORDERS", "Level", "continuations", "count"]

ORDERS = 256  # above all orders: each takes a table, though n-grams of a few dozen words hardly ever occur twice

Advance = Callable[[int], object]


@dataclass(frozen=True)
class Level:
    """The distinct n-grams of one order n.

    Word ids are 0 to V - 1; `<s>`, which begins every line and is never predicted, is V. A key is
    (index of the first n - 1 words among the n-grams of order n - 1) * (V + 1) + last word; for order 1 it is the word.
    Keys are ascending, so the continuations of a context are adjacent, in the order of their words.

    Attributes:
        keys: (entries,) int64.
        counts: (entries,) int64, number of occurrences.
        suffixes: (entries,) int32, index of the last n - 1 words among the n-grams of order n - 1; 0 for order 1.
        after_start: (entries,) whether the n-gram begins with `<s>`.
    """

    keys: NDArray[np.int64]
    counts: NDArray[np.int64]
    suffixes: NDArray[np.int32]
    after_start: NDArray[np.bool_]

    def contexts(self, vocab_size: int) -> NDArray[np.int64]:
        """Return for each entry the index of its context (all words but the last) in the order below, (entries,)."""
        return self.keys // (vocab_size + 1)


def count(
    ids: ArrayLike | Tokens, vocab_size: int, eos_id: int, order: int, advance: Advance | None = None
) -> list[Level]:
    """Count all n-grams of a text up to an order, line by line: each line follows `<s>` and ends with `<eos>`.

    The index of the (n - 1)-gram that ends at a position, and the next word, identify the n-gram that ends there by one
    integer. Sorting these integers counts order n, and gives every position the index of its n-gram.

    Args:
        ids: (tokens,).
        vocab_size: V.
        eos_id: id of `<eos>`.
        order: length of the longest n-grams, 1 to 255.
        advance: called with the number of tokens after each order.

    Raises:
        DataError: an empty text.
        InputError: ids outside the vocabulary, or another order.
    """
    order, vocab_size = whole_number("order", order, 1, ORDERS), size_of("vocab_size", vocab_size)
    eos_id = whole_number("eos_id", eos_id, 0, vocab_size)
    if advance is not None:
        function("advance", advance)
    words = _after_starts(ids, vocab_size, eos_id)
    size, start = vocab_size + 1, vocab_size
    nodes = words  # index of the n-gram that ends at each position, or -1
    levels = [
        Level(np.arange(size), np.bincount(words, minlength=size), np.zeros(size, np.int32), np.arange(size) == start)
    ]
    advance = (lambda tokens: None) if advance is None else advance
    tokens = len(words) - int(levels[0].counts[start])
    advance(tokens)
    for _ in range(2, order + 1):
        ends = np.flatnonzero((nodes[:-1] >= 0) & (words[1:] != start)) + 1
        keys = nodes[ends - 1].astype(np.int64)
        keys *= size
        keys += words[ends]
        keys, numbers, counts = np.unique(keys, return_inverse=True, return_counts=True)
        suffixes = np.empty(len(keys), np.int32)
        suffixes[numbers] = nodes[ends]  # the same at every place where an n-gram ends
        levels.append(Level(keys, counts, suffixes, levels[-1].after_start[keys // size]))
        nodes = np.full(len(words), -1, np.int32)
        nodes[ends] = numbers
        advance(tokens)
    return levels


def _after_starts(ids: ArrayLike | Tokens, start: int, eos_id: int) -> NDArray[np.int32]:
    """Return the text with `<s>` before each line, (tokens + lines,)."""
    tokens = tokens_of("corpus", ids).within(0, start)
    if not len(tokens):
        raise DataError("a corpus must have at least 1 token to be counted, got 0")
    given = np.asarray(tokens).astype(np.int32, copy=False)
    begins = np.flatnonzero(given[:-1] == eos_id) + 1
    return np.insert(given, np.concatenate([[0], begins]), start)


def continuations(level: Level, longer: Level) -> NDArray[np.int64]:
    """Count the different words before each n-gram of an order, (entries,), from the n-grams of the next order.

    For n-grams that begin with `<s>`, which nothing precedes, the result is their own count.
    """
    before = np.bincount(longer.suffixes, minlength=len(level.keys))
    return np.where(level.after_start, level.counts, before)
