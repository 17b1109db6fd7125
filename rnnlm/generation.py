"""Writing text with a language model, one sampled word after another."""

from collections.abc import Collection, Sequence
from contextlib import nullcontext
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnlm.backend import ops
from rnnlm.checks import positive, whole_number
from rnnlm.errors import InputError
from rnnlm.evaluation import own_state
from rnnlm.models.base import Model
from rnnlm.models.better import BetterRnnlm
from rnnlm.models.ids import expect_words
from rnnlm.models.rnnlm import Rnnlm

__all__ = ["BetterRnnlmGen", "RnnlmGen", "generate"]

PURPOSE = 1 << 63  # second half of the key of generation's random stream; initial weights use the numbers of layers


def generate(
    model: Model,
    start_id: int | Sequence[int],
    skip_ids: Collection[int] | None = None,
    sample_size: int = 100,
    *,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    greedy: bool = False,
    seed: int | None = None,
    stop_id: int | None = None,
    go_on: bool = False,
) -> list[int]:
    """Sample words from softmax(scores / temperature), each given all that stand before it.

    A word that is not wanted is given no probability before sampling, so the model is run once for each word, and its
    state never takes in a word that does not stand in the result.

    Args:
        model: a model of this library.
        start_id: the first word, or all words of a prompt.
        skip_ids: words that are never sampled.
        sample_size: length of the result, the prompt included.
        temperature: below 1 keeps closer to the likely words, above 1 strays further.
        top_k: sample from the k most likely words only.
        top_p: sample from the fewest most likely words whose probabilities add up to p or more.
        greedy: take the most likely word, the first of equals.
        seed: the same seed gives the same words; fresh randomness unless given.
        stop_id: end with this word, as soon as it is sampled (`<eos>`, say).
        go_on: begin with the model's own state and leave it where the words lead, the last one not yet read, so that
            the next call may begin with it; otherwise begin with zeros and put the model's own state back.

    Returns:
        ids: the prompt and the sampled words.

    Raises:
        InputError: an id that is no word, an argument out of range, or no word left to sample.
    """
    if stop_id is not None:
        whole_number("stop_id", stop_id, 0, model.config.vocab_size)
    prompt = _prompt(start_id, model.config.vocab_size, sample_size)
    choose = _Chooser(model.config.vocab_size, skip_ids, temperature, top_k, top_p, greedy, seed)
    ids = prompt.copy()
    with nullcontext() if go_on else own_state(model):
        unread = prompt
        while len(ids) < sample_size:
            scores = model.predict([unread])[0, -1]
            ids.append(choose(ops.asnumpy(scores), step=len(ids) - len(prompt)))
            if ids[-1] == stop_id:
                break
            unread = ids[-1:]
    return ids


class _Writer(Model):
    """A model that writes, with the book's method."""

    def generate(
        self,
        start_id: int | Sequence[int],
        skip_ids: Collection[int] | None = None,
        sample_size: int = 100,
        **options: Any,
    ) -> list[int]:
        """As the function `generate`, going on from the model's own state, as the book has it."""
        return generate(self, start_id, skip_ids, sample_size, **{"go_on": True, **options})


class RnnlmGen(Rnnlm, _Writer):
    """The book's LSTM language model, which writes: `generate(start_id, skip_ids, sample_size)`."""


class BetterRnnlmGen(BetterRnnlm, _Writer):
    """The book's better language model, which writes: `generate(start_id, skip_ids, sample_size)`."""


def _prompt(start_id: int | Sequence[int], vocab_size: int, sample_size: int) -> list[int]:
    """The words to begin with, as a checked list."""
    ids = np.atleast_1d(ops.asnumpy(start_id))
    if ids.ndim != 1 or not ids.size or ids.dtype.kind not in "iu":
        raise InputError(f"start_id must be an id or a list of at least one, got {start_id!r}")
    expect_words("start_id", ids, vocab_size)
    whole_number("sample_size (which counts the prompt)", sample_size, ids.size)
    return [int(i) for i in ids]


class _Chooser:
    """Picks the next word from scores, by the arguments of `generate`."""

    def __init__(
        self,
        vocab_size: int,
        skip_ids: Collection[int] | None,
        temperature: float,
        top_k: int | None,
        top_p: float | None,
        greedy: bool,
        seed: int | None,
    ) -> None:
        unwanted = [] if skip_ids is None else skip_ids
        self.skip = np.array(sorted({whole_number("an id of skip_ids", i, 0, vocab_size) for i in unwanted}), np.int64)
        if self.skip.size == vocab_size:
            raise InputError(f"skip_ids must leave a word to sample, got all {vocab_size}")
        positive("temperature (for the limit 0 use greedy)", temperature)
        if top_k is not None:
            whole_number("top_k", top_k, 1)
        if top_p is not None and not 0 < top_p <= 1:
            raise InputError(f"top_p must be in (0, 1], got {top_p}")
        if seed is not None:
            whole_number("seed", seed, 0, 2**64)
        self.temperature, self.top_k, self.top_p, self.greedy = temperature, top_k, top_p, greedy
        fresh = np.random.SeedSequence().generate_state(1, np.uint64)[0]
        self.key = np.array([fresh if seed is None else seed, PURPOSE], np.uint64)

    def __call__(self, scores: NDArray[np.floating], step: int) -> int:
        """The word for the given step, from its scores (V,)."""
        weights = self.weights(scores)
        if self.greedy:
            return int(weights.argmax())
        counter = np.array([0, 0, step, 0], np.uint64)
        uniform = np.random.Generator(np.random.Philox(key=self.key, counter=counter)).random()
        total = weights.cumsum()
        return int(total.searchsorted(uniform * total[-1], side="right"))

    def weights(self, scores: NDArray[np.floating]) -> NDArray[np.float64]:
        """Probabilities of the words up to a common factor, 0 for those not wanted."""
        logits = scores.astype(np.float64)
        logits[self.skip] = -np.inf
        best = logits.max()
        if not np.isfinite(best):
            raise InputError(f"the model's best score is {best}: its weights are not finite")
        with np.errstate(over="ignore"):
            weights = np.exp((logits - best) / self.temperature)
        if self.top_k is None and self.top_p is None:
            return weights
        order = (-weights).argsort(kind="stable")[: self.top_k]
        if self.top_p is not None:
            share = weights[order].cumsum()
            order = order[: share.searchsorted(self.top_p * share[-1]) + 1]
        kept = np.zeros_like(weights)
        kept[order] = weights[order]
        return kept
