"""Rescoring N-best lists: of the texts that a recogniser offers for an utterance, which is the best?

    total = acoustic + weight * language + reward * number of words - penalty * number of unknown units

The weight balances recogniser and language model, whose scores are of different scales. The reward counters the
preference of language models for short texts. The penalty is for `<unk>`, which stands for all unknown words together,
so that its probability is too high for any one of them. `Scales.tuned` finds the three that make the fewest errors on
lists whose right texts are known.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf, isnan
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnlm.checks import finite, function, instance_of, not_negative, text
from rnnlm.data.nbest import Hypothesis, words_of
from rnnlm.data.vocabulary import EOS, UNK, Vocabulary
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
        for name, check in (("weight", not_negative), ("reward", finite), ("penalty", finite)):
            object.__setattr__(self, name, check(name, getattr(self, name)))

    def total(self, one: Hypothesis) -> float:
        """Return the sum of a hypothesis's scores."""
        language = self.weight * one.language if self.weight else 0.0  # it may be minus infinity
        return self._without_language(one) + language

    def _without_language(self, one: Hypothesis) -> float:
        return one.acoustic + self.reward * len(one.words) - self.penalty * one.unknown

    def best(self, lists: Lists) -> dict[str, Hypothesis]:
        """Return the hypothesis with the highest total of each utterance, the first of equals.

        Raises:
            InputError: one has no language score, which the weight needs.
        """
        for name, some in _expect_lists(lists).items():
            if self.weight and any(isnan(one.language) for one in some):
                raise _unscored(name)
        # where the language model finds all of them impossible, the other scores decide
        return {
            name: max(some, key=lambda one: (self.total(one), self._without_language(one)))
            for name, some in lists.items()
        }

    @classmethod
    def tuned(cls, lists: Lists, references: Mapping[str, str]) -> "Scales":
        """Find scales with few word errors, by searches along one scale after another, each of which finds the fewest
        (see `error_rate_training.py`); other scales, far away, may have fewer still.

        They begin with the acoustic scores alone, and end when none finds fewer errors.

        Args:
            lists: hypotheses with language scores, as `rescore` returns them.
            references: the right text of each utterance. Take other utterances than those to be recognised.

        Raises:
            InputError, DataError, MissingExtra: as `word_error_rate`.
        """
        utterances = [_numbers(some, references[name]) for name, some in _expect_scored(lists, references).items()]
        scales, fewest = np.zeros(3), sum(int(errors[acoustic.argmax()]) for acoustic, _, errors in utterances)
        for _ in range(ROUNDS):
            before = fewest
            for k, lowest in enumerate(LOWEST):
                others = np.where(np.arange(3) == k, 0, scales)
                lines = [(acoustic + scaled @ others, scaled[:, k], errors) for acoustic, scaled, errors in utterances]
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
    texts = [_read(one, name, words) for name, some in _expect_lists(lists).items() for one in some]
    scores: list[float] = []
    for start in range(0, len(texts), BLOCK):
        block = texts[start : start + BLOCK]
        scores += [one.logprob for one in score(model, [ids for ids, _ in block], words.eos_id)]
        advance(len(block))
    found = iter(zip(scores, texts))
    rescored = {}
    for name, some in lists.items():
        every = [(one, *next(found)) for one in some]
        rescored[name] = [replace(one, language=p, unknown=unknown) for one, p, (_, unknown) in every]
    return rescored


def _read(one: Hypothesis, utterance: str, words: Vocabulary) -> tuple[NDArray[np.int32], int]:
    """Return the ids of a text, and how many of its units are unknown, a literal `<unk>` among them.

    Raises:
        DataError: `<eos>` within it, or an unknown unit, and the vocabulary has no `<unk>`.
    """
    units = words.reading.cut(one.text)
    if EOS in units:
        raise DataError(f"{EOS} ends a text and must not be a word of one, got {one.text!r:.80} of {utterance!r}")
    try:
        ids = words.encode(units)
    except DataError as error:
        raise DataError(f"a text of utterance {utterance!r}: {error}") from error
    return ids, sum(unit not in words or unit == UNK for unit in units)


def word_errors(reference: str, said: str) -> int:
    """Return the fewest words to be inserted, deleted or replaced that make one text the other.

    Raises:
        MissingExtra: rapidfuzz is not installed.
    """
    try:
        from rapidfuzz.distance import Levenshtein
    except ImportError as error:
        raise MissingExtra("a word error rate", "rescore") from error
    return int(Levenshtein.distance(words_of(text("reference", reference)), words_of(text("said", said))))


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
    words = sum(len(words_of(text("a reference", reference))) for reference in references.values())
    if not words:
        raise DataError("references must have at least one word to count errors by")
    return sum(word_errors(reference, texts[name]) for name, reference in references.items()) / words


def _expect_lists(lists: Lists) -> Lists:
    for name, some in instance_of("lists", lists, Mapping).items():
        if not isinstance(some, Sequence) or not some or not all(isinstance(one, Hypothesis) for one in some):
            raise InputError(f"lists must have a Hypothesis or more for each utterance, got {some!r:.80} for {name!r}")
    return lists


def _expect_same(found: Mapping[str, Any], references: Mapping[str, str]) -> None:
    """Check that there is a reference for each utterance, and the other way round."""
    for name in instance_of("references", references, Mapping):
        if name not in found:
            raise DataError(
                f"utterance {name!r} has a reference, and no text was recognised: add an empty one, if nothing was"
            )
    for name in found:
        if name not in references:
            raise DataError(f"utterance {name!r} has no reference, the right text by which errors are counted")


def _expect_scored(lists: Lists, references: Mapping[str, str]) -> Lists:
    _expect_same(_expect_lists(lists), references)
    for name, some in lists.items():
        if any(isnan(one.language) for one in some):
            raise _unscored(name)
    return lists


def _unscored(name: str) -> InputError:
    return InputError(f"lists must have language scores, and those of {name!r} have none: rescore them first")


def _numbers(
    some: Sequence[Hypothesis], reference: str
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    """Return the acoustic scores (n,) of an utterance's hypotheses, what the scales multiply (n, 3), and their errors.

    Hypotheses that the language model finds impossible are left out; if it finds all so, it does not choose.
    """
    possible = [one for one in some if one.language > -inf]
    rows = [(one.language if possible else 0.0, len(one.words), -one.unknown) for one in possible or some]
    errors = [word_errors(reference, one.text) for one in possible or some]
    return np.array([one.acoustic for one in possible or some]), np.array(rows, float), np.array(errors)
