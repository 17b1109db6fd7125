"""Probabilistic grammars whose best possible perplexity is known exactly.

A grammar's rules rewrite a symbol into one of several sequences, with whole-number weights:

    {"S": [(3, ["the", N, "<eos>"]), (1, [])], N: [(1, ["cat"]), (1, ["dog"])]}

A symbol is any hashable that is a key of the rules; everything else must be a word, a str. Rewriting is leftmost, so
the symbols still to be rewritten form a stack. A text is an endless sequence of rewritings of the start symbol.
"""

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from math import inf, log

import numpy as np

from rnnlm.checks import whole_number

__all__ = ["Grammar"]

Symbol = Hashable
Rules = Mapping[Symbol, Sequence[tuple[int, Sequence[Symbol]]]]
Stack = tuple[Symbol, ...]  # symbols still to be rewritten, the next one first
Belief = tuple[tuple[Stack, float], ...]  # possible stacks after a text, with their probabilities


class Grammar:
    """A probabilistic grammar that can be sampled, and whose entropy and word probabilities can be computed.

    Args:
        rules: for each symbol its alternatives, (weight, sequence).
        start: the symbol that is rewritten again and again. It must produce at least one word, and no symbol may derive
            a sequence that begins with itself.
    """

    def __init__(self, rules: Rules, start: Symbol) -> None:
        self.rules, self.start = dict(rules), start
        self._totals = {symbol: sum(weight for weight, _ in choices) for symbol, choices in self.rules.items()}
        self._next: dict[Stack, tuple[tuple[str, Stack, float], ...]] = {}
        self._after: dict[tuple[Belief, str], tuple[float, Belief]] = {}

    # ------------------------------------------------------------------ sampling

    def words(self, seed: int) -> Iterator[str]:
        """Yield an endless text. The same seed gives the same words on every machine: only whole numbers are drawn."""
        draws = _draws(seed)
        stack: list[Symbol] = []
        while True:
            symbol = stack.pop() if stack else self.start
            choices = self.rules.get(symbol)
            if choices is None:
                yield symbol  # type: ignore[misc]
            else:
                stack.extend(reversed(_choose(choices, next(draws) % self._totals[symbol])))

    # ------------------------------------------------------------------ how predictable it is

    def entropy_rate(self) -> float:
        """Return the entropy rate in nats per word: the lowest mean cross-entropy that a model can have on an endless
        text.

        The expected number of uses of each symbol in one rewriting of the start symbol solves a linear system. Each use
        contributes the entropy of its choice; the sum is divided by the expected number of words. This holds if a
        rewriting has finite expected length and different choices always give different texts; otherwise the result is
        wrong, which the mean of `-log_probs` over a long text shows.
        """
        symbols = list(self.rules)
        place = {symbol: i for i, symbol in enumerate(symbols)}
        passed = np.zeros((len(symbols), len(symbols)))
        entropy, words = np.zeros(len(symbols)), np.zeros(len(symbols))
        for symbol, i in place.items():
            for weight, sequence in self.rules[symbol]:
                p = weight / self._totals[symbol]
                entropy[i] -= p * log(p)
                for part in sequence:
                    if part in place:
                        passed[i, place[part]] += p
                    else:
                        words[i] += p
        begin = np.eye(len(symbols))[place[self.start]]
        uses = np.linalg.solve(np.eye(len(symbols)) - passed.T, begin)
        return float(uses @ entropy / (uses @ words))

    def log_probs(self, text: Iterable[str]) -> list[float]:
        """Return the natural-log probability of each word, given all words before it from the beginning of a text.

        The forward algorithm: it tracks the probability of every stack that the words so far may have led to, so no
        model can be expected to do better. An impossible word has -inf, and so have all words after it.
        """
        belief: Belief = (((), 1.0),)
        found = []
        for word in text:
            p, belief = self._read(belief, word)
            found.append(log(p) if p else -inf)
        return found

    def accepts(self, text: Sequence[str], stacks: Iterable[Stack] = ((),)) -> bool:
        """Whether the words can follow one another, from one of `stacks` on (default: from the start)."""
        current = set(stacks)
        for word in text:
            current = {after for stack in current for w, after, _ in self._steps(stack) if w == word}
        return bool(current)

    def stacks_after(self, word: str) -> set[Stack]:
        """Return every stack that can remain right after `word`; for grammars with finitely many stacks."""
        fresh: list[Stack] = [()]
        seen: set[Stack] = {()}
        found: set[Stack] = set()
        while fresh:
            for w, after, _ in self._steps(fresh.pop()):
                if w == word:
                    found.add(after)
                if after not in seen:
                    seen.add(after)
                    fresh.append(after)
        return found

    def _read(self, belief: Belief, word: str) -> tuple[float, Belief]:
        """Return the probability of `word` given `belief`, and the belief after it."""
        key = (belief, word)
        if key not in self._after:
            weights: dict[Stack, float] = {}
            for stack, p in belief:
                for w, after, q in self._steps(stack):
                    if w == word:
                        weights[after] = weights.get(after, 0.0) + p * q
            total = sum(weights.values())
            self._after[key] = total, tuple((stack, p / total) for stack, p in weights.items())
        return self._after[key]

    def _steps(self, stack: Stack) -> tuple[tuple[str, Stack, float], ...]:
        """Return every possible next step as (word, stack after it, probability)."""
        if stack not in self._next:
            self._next[stack] = tuple(self._expand(stack, 1.0))
        return self._next[stack]

    def _expand(self, stack: Stack, p: float) -> Iterator[tuple[str, Stack, float]]:
        first, rest = (stack[0], stack[1:]) if stack else (self.start, ())
        if first not in self.rules:
            yield first, rest, p  # type: ignore[misc]
            return
        for weight, sequence in self.rules[first]:
            yield from self._expand((*sequence, *rest), p * weight / self._totals[first])


def _draws(seed: int) -> Iterator[int]:
    """Yield raw 64-bit words of Philox4x64-10: the same on every machine, and independent of NumPy's distributions."""
    generator = np.random.Philox(key=whole_number("seed", seed, 0, 2**64))
    while True:
        yield from generator.random_raw(65_536).tolist()


def _choose(choices: Sequence[tuple[int, Sequence[Symbol]]], draw: int) -> Sequence[Symbol]:
    """Return the alternative that `draw`, a whole number below the sum of weights, selects."""
    for weight, sequence in choices:
        if draw < weight:
            return sequence
        draw -= weight
    raise AssertionError("a draw must be below the sum of weights")
