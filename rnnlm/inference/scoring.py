"""Log-probabilities of sentences, for example to rescore the hypotheses of a recogniser."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rnnlm.checks import listed, refused, whole_number
from rnnlm.data.ids import expect_words, ids_of
from rnnlm.errors import InputError
from rnnlm.inference.lines import losses_by_line
from rnnlm.inference.predictor import Predictor, expect_predictor, own_state

__all__ = ["Score", "score"]


@dataclass(frozen=True)
class Score:
    """The log-probability of a sentence.

    Attributes:
        tokens: (length,) float64 log-probability in nats of each token given those before it, `<eos>` included.
    """

    tokens: NDArray[np.float64]

    @property
    def logprob(self) -> float:
        """Log-probability of the sentence in nats: the sum over its tokens."""
        return float(self.tokens.sum())


def score(
    model: Predictor, sentences: Sequence[ArrayLike], eos_id: int | None = None, tokens: int | None = None
) -> list[Score]:
    """Compute the log-probability of each sentence and of each of its tokens.

    Sentences are scored independently, each from a reset state after an `<eos>`. Sentences of similar length are
    batched, which affects only rounding. The model's own state is restored.

    Args:
        model: a model of this library, or another `Predictor`.
        sentences: lists of ids, each with `<eos>` as its last id and nowhere else.
        eos_id: id of `<eos>`, if it is to be appended to sentences that do not end with it.
        tokens: number to score at once, padding included; by default the model's `rows`, or 2,048.

    Returns:
        scores: one for each sentence, in the order given.

    Raises:
        InputError: a sentence is not a list of the model's ids, or does not have `<eos>` at its end only.
    """
    V = expect_predictor("model", model)
    tokens = None if tokens is None else whole_number("tokens", tokens, 1)
    eos_id = None if eos_id is None else whole_number("eos_id", eos_id, 0, V)
    given = listed("sentences", sentences, "lists of ids")
    rows = [_checked(number, sentence, V, eos_id) for number, sentence in enumerate(given)]
    for number, row in enumerate(rows):
        if row[-1] != rows[0][-1] or (row[:-1] == row[-1]).any():
            raise InputError(
                f"sentences must end with the id of <eos>, and have it nowhere else: sentence 0 ends with "
                f"{rows[0][-1]}, sentence {number} is {row.tolist()!r:.80}; or name eos_id"
            )
    with own_state(model):
        return [Score(-nats) for nats in losses_by_line(model, rows, tokens)]


def _checked(number: int, sentence: ArrayLike, vocab_size: int, eos_id: int | None) -> NDArray[np.int64]:
    """Return a sentence as checked ids, with `<eos>` appended if `eos_id` is given and it does not end with it."""
    name, rule = f"sentence {number}", "a list of integer ids, at least one"
    ids = ids_of(name, sentence, rule)
    expect_words(name, ids, vocab_size)
    if eos_id is not None and (not ids.size or ids[-1] != eos_id):
        ids = np.append(ids.astype(np.int64), eos_id)
    if not ids.size:
        raise refused(name, rule, sentence)
    return ids.astype(np.int64)
