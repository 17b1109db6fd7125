"""Comparison of two models on one text, token by token or line by line."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import nan, sqrt
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rnnlm.checks import instance_of, listed
from rnnlm.data.sentences import Sentences
from rnnlm.data.tokens import Tokens
from rnnlm.data.vocabulary import EOS, Vocabulary
from rnnlm.errors import InputError
from rnnlm.inference.evaluation import token_nats
from rnnlm.inference.predictor import Predictor, expect_predictor

__all__ = ["Comparison", "Line", "compare", "line_nats"]


@dataclass(frozen=True)
class Line:
    """A line of text with a model's loss for each token.

    Attributes:
        units: its tokens as the model reads them, `<unk>` for unknown ones.
        nats: loss of each token.
        known: whether each token is in the model's vocabulary.
        text: the line.
        whole: whether every token was scored; False for the first line of a stream whose first token is not scored.
    """

    units: tuple[str, ...]
    nats: NDArray[np.float64]
    known: NDArray[np.bool_]
    text: str
    whole: bool = True


@dataclass(frozen=True)
class Comparison:
    """How much worse the second model predicts a text than the first.

    Attributes:
        unit: what was compared one by one: token or line.
        labels: text of each unit.
        differences: for each unit, nats of the second model minus those of the first.
        sizes: tokens of each unit: 1 for a token; for a line its number of words, counting its end as one.
    """

    unit: str
    labels: Sequence[str]
    differences: NDArray[np.float64]
    sizes: NDArray[np.int64]

    @property
    def tokens(self) -> int:
        """Number of tokens compared, or of words."""
        return int(self.sizes.sum())

    @property
    def nats(self) -> float:
        """Mean difference in nats per token, or per word if lines are compared; positive if the first is better."""
        return float(self.differences.sum() / self.tokens)

    @property
    def stderr(self) -> float:
        """Standard error of `nats`, with units assumed independent; NaN for a single unit.

        `nats` is a ratio of sums, so that of lines is the error of a ratio estimator (Cochran, Sampling techniques, 3rd
        edition, 1977, section 2.11): s sqrt(n) / tokens, where s² is the variance of difference - nats * size.
        """
        n = len(self.differences)
        if n < 2:
            return nan
        with np.errstate(invalid="ignore"):  # an infinite loss gives NaN
            return float((self.differences - self.nats * self.sizes).std(ddof=1)) * sqrt(n) / self.tokens

    def wins(self, top: int) -> tuple[list[tuple[str, float]], list[tuple[str, float]]]:
        """Return the `top` labels at which the first model is better, and those at which the second is, each with its
        summed difference in nats; equal tokens, or lines, are added up."""
        sums: dict[str, float] = {}
        for label, difference in zip(self.labels, self.differences.tolist()):
            sums[label] = sums.get(label, 0.0) + difference
        order = sorted(sums.items(), key=lambda one: -one[1])
        better = [(label, nats) for label, nats in order[:top] if nats > 0]
        return better, [(label, -nats) for label, nats in order[::-1][:top] if nats < 0]

    def row(self) -> dict[str, Any]:
        """Return the figures by name."""
        first, second = int((self.differences > 0).sum()), int((self.differences < 0).sum())
        return {
            "difference": self.nats, "difference_stderr": self.stderr, "compared": len(self.differences),
            "unit": self.unit, "first_better": first, "second_better": second,
        }  # fmt: skip

    def __str__(self) -> str:
        row, per = self.row(), "token" if self.unit == "token" else "word"
        return (
            f"second less first: {self.nats:+.4f} ± {self.stderr:.4f} nats a {per}, {row['compared']:,} {self.unit}s "
            f"compared; first better at {row['first_better']:,}, second at {row['second_better']:,}"
        )


def line_nats(model: Predictor, words: Vocabulary, corpus: ArrayLike | Tokens | Sentences) -> list[Line]:
    """Return the lines of a text, with a model's loss for every token.

    If the first token of a stream is not scored, it is marked unknown and its line not whole.

    Raises:
        InputError: words are not those of the model; others as `token_nats`.
    """
    if len(instance_of("words", words, Vocabulary)) != expect_predictor("model", model):
        raise InputError(f"words must be those of model, {model.vocab_size} of them, got {len(words)}")
    nats = token_nats(model, corpus)
    ids = np.concatenate(list(corpus)) if isinstance(corpus, Sentences) else np.asarray(corpus)
    whole = len(nats) == len(ids)
    nats = nats if whole else np.concatenate([[0.0], nats])
    eos = -1 if words.eos_id is None else words.eos_id
    unknown = -1 if words.unk_id is None else words.unk_id
    ends = (np.flatnonzero(ids == eos) + 1).tolist()
    ends += [len(ids)] if not ends or ends[-1] < len(ids) else []
    found = []
    for begin, end in zip([0, *ends], ends):
        line = ids[begin:end]
        units = words.decode(line.tolist())
        text = words.reading.text(units, EOS).rstrip("\n")
        found.append(Line(tuple(units), nats[begin:end], line != unknown, text))
    if not whole:
        found[0].known[0] = False
        found[0] = replace(found[0], whole=False)
    return found


def compare(first: Sequence[Line], second: Sequence[Line]) -> Comparison:
    """Compare two models by what `line_nats` returned for one text.

    Tokens are compared if both models split all lines alike, and then only those that both know; else whole lines are.

    Raises:
        InputError: different numbers of lines, or nothing to compare.
    """
    for name, lines in (("first", first), ("second", second)):
        for line in listed(name, lines, "lines, as line_nats gives them"):
            instance_of(f"each of {name}", line, Line)
    if len(first) != len(second):  # one model may read sentences, without blank lines
        first, second = ([line for line in lines if line.text] for lines in (first, second))
    counts = [sum(bool(line.text) for line in lines) for lines in (first, second)]
    if len(first) != len(second) or not all(counts):
        raise InputError(f"the two models must read the same lines, got {counts[0]} and {counts[1]}")
    if all(map(_same_units, first, second)):
        labels: list[str] = []
        differences = []
        for a, b in zip(first, second):
            both = a.known & b.known
            labels += [unit for unit, known in zip(a.units, both) if known]
            differences.append((b.nats - a.nats)[both])
        every = np.concatenate(differences)
        if not len(every):
            raise InputError("the two models must know a word of the text in common, and know none")
        return Comparison("token", labels, every, np.ones(len(every), np.int64))
    pairs = [(a, b) for a, b in zip(first, second) if a.whole and b.whole]
    if not pairs:
        raise InputError("the text must have more than one line: the first token of a stream is not scored")
    sums = np.array([b.nats.sum() - a.nats.sum() for a, b in pairs])
    texts = [a.text if a.known.all() else b.text for a, b in pairs]
    return Comparison("line", texts, sums, np.array([len(text.encode().split()) + 1 for text in texts]))


def _same_units(a: Line, b: Line) -> bool:
    """Return whether both models split a line into the same units, ignoring units that either does not know."""
    if len(a.units) != len(b.units):
        return False
    both = a.known & b.known
    return all(u == v for u, v, known in zip(a.units, b.units, both) if known)
