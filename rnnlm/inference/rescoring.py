"""Rescoring N-best lists: of the texts that a recogniser offers for an utterance, which is the best?

    total = acoustic + weight * language + reward * number of words - penalty * number of unknown units

The weight balances recogniser and language model, whose scores are of different scales. The reward counters the
preference of language models for short texts. The penalty is for `<unk>`, which stands for all unknown words together,
so that its probability is too high for any one of them. `Scales.tuned` finds the three that make the fewest errors on
lists whose right texts are known.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnlm.checks import finite, function, instance_of, text
from rnnlm.data.nbest import Hypothesis
from rnnlm.data.vocabulary import EOS, Vocabulary
from rnnlm.errors import DataError, InputError, MissingExtra
from rnnlm.inference.error_rate_training import fewest_errors
from rnnlm.inference.predictor import Predictor, expect_predictor
from rnnlm.inference.scoring import score

__all__ = ["Scales", "rescore", "word_error_rate", "word_errors"]

BLOCK = 2_000  # hypotheses scored at a time
ROUNDS = 20  # most searches along each of the scales
LOWEST = (0.0, -inf, 0.0)  # of weight, reward and penalty
Lists = Mapping[str, Sequence[Hypothesis]]


@dataclass(frozen=True)
class Scales:
    """How the scores of a hypothesis are added up.

    Attributes:
        weight: of the language model.
        reward: for each word.
        penalty: for each unit that the language model does not know.
    """

    weight: float = 1.0
    reward: float = 0.0
    penalty: float = 0.0

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            object.__setattr__(self, name, finite(name, value))

    def total(self, one: Hypothesis) -> float:
        """Return the sum of a hypothesis's scores."""
        language = self.weight * one.language if self.weight else 0.0  # it may be minus infinity
        return one.acoustic + language + self.reward * len(one.words) - self.penalty * one.unknown

    def best(self, lists: Lists) -> dict[str, Hypothesis]:
        """Return the hypothesis with the highest total of each utterance, the first of equals."""
        return {name: max(hypotheses, key=self.total) for name, hypotheses in _expect_lists(lists).items()}

    @classmethod
    def tuned(cls, lists: Lists, references: Mapping[str, str]) -> "Scales":
        """Find the scales with the fewest word errors, by exact searches along one scale after another.

        Along one scale the totals are straight lines, and the errors change only where two of them cross. All crossings
        are looked at, and the middle of the widest range with the fewest errors is taken. Source: Och, Minimum error
        rate training in statistical machine translation, ACL 2003.

        Args:
            lists: hypotheses with language scores, as `rescore` returns them.
            references: the right text of each utterance. Take other utterances than those to be recognised.

        Raises:
            InputError, DataError, MissingExtra: as `word_error_rate`.
        """
        errors = _errors_of(lists, references)
        acoustic = {name: np.array([one.acoustic for one in some]) for name, some in lists.items()}
        features = {name: np.array([_features(one) for one in some], float) for name, some in lists.items()}
        scales, fewest = np.zeros(3), inf
        for _ in range(ROUNDS):
            before = fewest
            for k, lowest in enumerate(LOWEST):
                others = np.where(np.arange(3) == k, 0, scales)
                lines = [
                    (acoustic[name] + features[name] @ others, features[name][:, k], errors[name]) for name in lists
                ]
                value, found = fewest_errors(lines, lowest)
                if found < fewest:
                    scales[k], fewest = value, found
            if fewest == before:
                break
        return cls(*scales.tolist())


def rescore(
    model: Predictor, words: Vocabulary, lists: Lists, advance: Callable[[int], object] | None = None
) -> dict[str, list[Hypothesis]]:
    """Return the lists with the language score of each hypothesis, by itself from a reset state, as `score` computes.

    Args:
        model: a language model.
        words: its vocabulary, by whose `reading` texts are split.
        lists: the hypotheses of each utterance.
        advance: called with the number of hypotheses scored, again and again.

    Raises:
        InputError: a vocabulary without `<eos>`.
        DataError: a text with an unknown word, and the vocabulary has no `<unk>`; or with `<eos>` within it.
    """
    expect_predictor("model", model)
    if instance_of("words", words, Vocabulary).eos_id is None:
        raise InputError("words must have an <eos>, by which a text begins and ends")
    advance = (lambda count: None) if advance is None else function("advance", advance)
    every = [one for some in _expect_lists(lists).values() for one in some]
    scored: list[Hypothesis] = []
    for start in range(0, len(every), BLOCK):
        block = every[start : start + BLOCK]
        units = [words.reading.cut(one.text) for one in block]
        for one, some in zip(block, units):
            if EOS in some:
                raise DataError(f"{EOS} is the end of a text and must not be a word of one, got {one.text!r:.80}")
        logprobs = [one.logprob for one in score(model, [words.encode(some) for some in units], words.eos_id)]
        unknown = [sum(unit not in words for unit in some) for some in units]
        scored += [replace(one, language=p, unknown=n) for one, p, n in zip(block, logprobs, unknown)]
        advance(len(block))
    rest = iter(scored)
    return {name: [next(rest) for _ in some] for name, some in lists.items()}


def word_errors(reference: str, said: str) -> int:
    """Return the fewest words to be inserted, deleted or replaced that make one text the other.

    Raises:
        MissingExtra: rapidfuzz is not installed.
    """
    try:
        from rapidfuzz.distance import Levenshtein
    except ImportError as error:
        raise MissingExtra("a word error rate", "rescore") from error
    return int(Levenshtein.distance(text("reference", reference).split(), text("said", said).split()))


def word_error_rate(texts: Mapping[str, str], references: Mapping[str, str]) -> float:
    """Return the word errors per word of the right texts: 0.1 if one word in ten is wrong.

    Args:
        texts: what was recognised in each utterance.
        references: the right text of each, with at least one word in all.

    Raises:
        DataError: not the same utterances in both, or no words.
        MissingExtra: rapidfuzz is not installed.
    """
    _expect_same(instance_of("texts", texts, Mapping), references)
    words = sum(len(reference.split()) for reference in references.values())
    if not words:
        raise DataError("references must have at least one word to count errors by")
    return sum(word_errors(reference, texts[name]) for name, reference in references.items()) / words


def _features(one: Hypothesis) -> tuple[float, float, float]:
    """Return what the weight, the reward and minus the penalty of a hypothesis are multiplied by."""
    return one.language, float(len(one.words)), -float(one.unknown)


def _expect_lists(lists: Lists) -> Lists:
    for name, some in instance_of("lists", lists, Mapping).items():
        if not isinstance(some, Sequence) or not some or not all(isinstance(one, Hypothesis) for one in some):
            raise InputError(f"lists must have a Hypothesis or more for each utterance, got {some!r:.80} for {name!r}")
    return lists


def _expect_same(found: Mapping[str, Any], references: Mapping[str, str]) -> None:
    """Check that there is a reference for each utterance, and the other way round."""
    for name in instance_of("references", references, Mapping):
        if name not in found:
            raise DataError(f"utterance {name!r} has a reference, but no text was recognised: give it an empty one")
    for name in found:
        if name not in references:
            raise DataError(f"utterance {name!r} has no reference, the right text by which errors are counted")


def _errors_of(lists: Lists, references: Mapping[str, str]) -> dict[str, NDArray[np.int64]]:
    """Return the number of word errors of each hypothesis."""
    _expect_same(_expect_lists(lists), references)
    for name, some in lists.items():
        if not all(np.isfinite(one.language) for one in some):
            raise InputError(
                f"hypotheses must have finite language scores, which rescore gives, to tune scales by; {name!r} has "
                f"{[one.language for one in some]!r:.80}"
            )
    return {name: np.array([word_errors(references[name], one.text) for one in some]) for name, some in lists.items()}
