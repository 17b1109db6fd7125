"""n-gram models as predictors: probabilities of n-grams and back-off weights."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnlm.concurrency import OneThread
from rnnlm.data.ids import expect_words, ids_of
from rnnlm.errors import InputError

__all__ = ["NGram", "Table"]


@dataclass(frozen=True)
class Table:
    """The n-grams of one order, by ascending keys.

    A key is (index of the context in the table of the order below) * (V + 1) + last word. For order 1 the key is the
    word, and the table has all V words and `<s>`, with id V.

    Attributes:
        keys: (entries,) int64.
        logprobs: (entries,) float64, natural logarithms of p(last word | words before it).
        backoffs: (entries,) float64, natural logarithms of back-off weights: factors of the shorter context's
            probabilities for words that do not follow this n-gram; (0,) for the highest order.
    """

    keys: NDArray[np.int64]
    logprobs: NDArray[np.float64]
    backoffs: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.keys)

    def find(self, keys: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the indices of keys in the table, -1 for those not in it."""
        found = np.full(len(keys), -1)
        if len(self.keys):
            order = np.argsort(keys)  # ascending keys are found faster
            rising = keys[order]
            places = np.minimum(np.searchsorted(self.keys, rising), len(self.keys) - 1)
            there = self.keys[places] == rising
            found[order[there]] = places[there]
        return found


class NGram:
    """A predictor whose context is the last n - 1 words of a line.

    After `<eos>` the context is only `<s>`, the beginning of a line.

    Args:
        tables: tables of the orders 1 to n.
        vocab_size: V.
        eos_id: id of `<eos>`.
        discounts: Kneser-Ney's three discounts of each order, for `summary`.

    Attributes:
        order: n.
        rows: recommended number of tokens per call; each needs little memory.
        start_id: id to read before a text, so that its first word is predicted, too.
        context: n - 1, the number of words of the context.
        one_thread: context manager for work of several calls; excludes other threads.
    """

    rows = 1 << 14

    def __init__(
        self,
        tables: Sequence[Table],
        vocab_size: int,
        eos_id: int,
        discounts: Sequence[tuple[float, float, float]] = (),
    ) -> None:
        self.tables, self.vocab_size, self.start_id = list(tables), vocab_size, eos_id
        self.order, self.context = len(self.tables), len(self.tables) - 1
        self.discounts = list(discounts)
        self.one_thread = OneThread()
        self._read: NDArray[np.int64] | None = None  # (N, n - 1) last words; V for `<s>`, -1 for none

    def __repr__(self) -> str:
        return f"<NGram of order {self.order}: {', '.join(f'{len(table):,}' for table in self.tables)} n-grams>"

    def summary(self) -> None:
        """Print the number of n-grams of each order, and the discounts of Kneser-Ney."""
        for n, table in enumerate(self.tables, 1):
            taken = ", ".join(f"{d:.4f}" for d in self.discounts[n - 1]) if self.discounts else ""
            print(f"  {n}-grams {len(table):>12,}{'   counts of 1, 2, 3 and more lowered by ' if taken else ''}{taken}")

    def shared_copy(self) -> "NGram":
        """Return a model with the same tables and a state of its own, for another thread."""
        return NGram(self.tables, self.vocab_size, self.start_id, self.discounts)

    def losses(self, xs: Any, ts: Any) -> NDArray[np.float64]:
        """Return the natural-log loss of each target, (N, T) float64: 0 for targets -1, infinite for probability 0."""
        ids, targets = _checked("xs", xs, self.vocab_size, 0), _checked("ts", ts, self.vocab_size, -1)
        if ids.shape != targets.shape:
            raise InputError(f"xs and ts must have one shape (N, T), got {ids.shape} and {targets.shape}")
        with self.one_thread:
            words = self._after_read(ids)
        nodes = self._nodes(words)
        logprobs = self.tables[0].logprobs[targets]
        for n, (table, longer) in enumerate(zip(self.tables, self.tables[1:])):
            contexts, places = nodes[n][:, self.context :], self._places(n, nodes, words, targets)
            known, there = contexts >= 0, places >= 0
            logprobs[known] += table.backoffs[contexts[known]]
            logprobs[there] = longer.logprobs[places[there]]
        return np.where(targets < 0, 0.0, -logprobs)

    def next_scores(self, xs: Any) -> NDArray[np.float64]:
        """Return the natural-log probabilities (N, V) of the word after the ids xs (N, T)."""
        with self.one_thread:
            words = self._after_read(_checked("xs", xs, self.vocab_size, 0))
        words = words[:, words.shape[1] - max(1, self.context) :]
        scores = np.repeat(self.tables[0].logprobs[None, : self.vocab_size], len(words), axis=0)
        for table, longer, nodes in zip(self.tables, self.tables[1:], self._nodes(words)):
            rows = np.flatnonzero(nodes[:, -1] >= 0)
            contexts = nodes[rows, -1]
            scores[rows] += table.backoffs[contexts][:, None]
            begins, ends = (np.searchsorted(longer.keys, (contexts + i) * (self.vocab_size + 1)) for i in (0, 1))
            for row, begin, end in zip(rows.tolist(), begins.tolist(), ends.tolist()):
                scores[row, longer.keys[begin:end] % (self.vocab_size + 1)] = longer.logprobs[begin:end]
        return scores

    def reset_state(self) -> None:
        """Forget what was read; the context is then empty, not even the beginning of a line."""
        with self.one_thread:
            self._read = None

    def get_state(self) -> NDArray[np.int64] | None:
        """Return the last words, (N, n - 1); None if nothing was read."""
        with self.one_thread:
            return None if self._read is None else self._read.copy()

    def set_state(self, state: NDArray[np.int64] | None) -> None:
        """Set the state to one that `get_state` returned."""
        with self.one_thread:
            self._read = None if state is None else self._checked_state(state)

    def _checked_state(self, state: Any) -> NDArray[np.int64]:
        """Return a copy of a state after checking it: word ids, V for `<s>`, -1 for none."""
        words = ids_of("state", state, f"the last words, integers (N, {self.context})", (2,))
        if not len(words) or words.shape[1] != self.context:
            raise InputError(f"state must be the last words, (N, {self.context}), got shape {words.shape}")
        expect_words("state", words, self.vocab_size + 1, -1)
        return words.astype(np.int64)

    def _after_read(self, ids: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the remembered words followed by ids, (N, n - 1 + T), with `<eos>` as `<s>`; updates the state."""
        if self._read is None:
            self._read = np.full((len(ids), self.context), -1)
        elif len(self._read) != len(ids):
            raise InputError(f"xs must have the {len(self._read)} rows of the state, got {len(ids)}; reset_state first")
        words = np.concatenate([self._read, np.where(ids == self.start_id, self.vocab_size, ids)], axis=1)
        self._read = words[:, words.shape[1] - self.context :]
        return words

    def _nodes(self, words: NDArray[np.int64]) -> list[NDArray[np.int64]]:
        """Return for each order from 1 to n - 1 the table indices (N, width) of the n-grams that end at each word, or
        -1."""
        nodes = [words]
        for table in self.tables[1:-1]:
            follows = np.full(words.shape, -1)
            rows, columns = np.nonzero((nodes[-1][:, :-1] >= 0) & (words[:, 1:] >= 0))
            keys = nodes[-1][rows, columns] * (self.vocab_size + 1) + words[rows, columns + 1]
            follows[rows, columns + 1] = table.find(keys)
            nodes.append(follows)
        return nodes

    def _places(
        self, n: int, nodes: list[NDArray[np.int64]], words: NDArray[np.int64], targets: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        """Return the table indices (N, T) of the n-grams of order n + 2 that end with the targets (N, T), or -1.

        If a target is the next word read, as usual, its index is already among the nodes.
        """
        places, contexts = np.full(targets.shape, -1), nodes[n][:, self.context :]
        wanted = (contexts >= 0) & (targets >= 0)
        if n + 1 < len(nodes):
            read_next = targets[:, :-1] == words[:, self.context + 1 :]
            places[:, :-1] = np.where(read_next, nodes[n + 1][:, self.context + 1 :], -1)
            wanted[:, :-1] &= ~read_next
        keys = contexts[wanted] * (self.vocab_size + 1) + targets[wanted]
        places[wanted] = self.tables[n + 1].find(keys)
        return places


def _checked(name: str, ids: Any, vocab_size: int, lowest: int) -> NDArray[np.int64]:
    """Return ids (N, T) on the host, checked."""
    given = ids_of(name, ids, "integer ids of shape (N, T)", (2,))
    if not given.size:
        raise InputError(f"{name} must be integer ids of shape (N, T), got none: {given.shape}")
    expect_words(name, given, vocab_size, lowest)
    return given.astype(np.int64, copy=False)
