"""Perplexity of a model on a corpus."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import exp, sqrt
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rnnlm.backend import ops, xp
from rnnlm.checks import whole_number
from rnnlm.data.batches import Batches
from rnnlm.errors import DataError, InputError
from rnnlm.models.base import Model
from rnnlm.models.ids import expect_words

__all__ = ["Evaluation", "eval_perplexity", "evaluate", "perplexity", "token_nats"]

ROWS = 512  # tokens scored at once, unless asked otherwise: enough to keep matrix products busy, little to remember


@dataclass(frozen=True)
class Evaluation:
    """How well a model predicts a corpus.

    Attributes:
        nats: mean cross-entropy of a token.
        tokens: how many tokens were scored.
        stderr: standard error of `nats`, as if tokens were independent; NaN for a single token.
        lanes: parts scored side by side; with more than one the figure is an approximation.
    """

    nats: float
    tokens: int
    stderr: float
    lanes: int = 1

    @property
    def perplexity(self) -> float:
        """exp(nats); infinite where that is too large for a float."""
        return perplexity(self.nats)

    @property
    def exact(self) -> bool:
        """Whether the corpus was scored as one stream."""
        return self.lanes == 1

    @classmethod
    def of(cls, nats: NDArray[np.float64], lanes: int = 1) -> "Evaluation":
        """From the nats of each token."""
        stderr = float(nats.std(ddof=1)) / sqrt(nats.size) if nats.size > 1 else float("nan")
        return cls(float(nats.mean()), nats.size, stderr, lanes)

    def __str__(self) -> str:
        how = "exact" if self.exact else f"approximate: {self.lanes} lanes, each from a cold start"
        return (
            f"perplexity {self.perplexity:.2f} ({self.nats:.4f} ± {self.stderr:.4f} nats a token, "
            f"{self.tokens:,} tokens, {how})"
        )


def perplexity(nats: float) -> float:
    """exp(nats), infinite rather than an OverflowError."""
    return float("inf") if nats > 709 else exp(nats)


def evaluate(model: Model, corpus: ArrayLike, lanes: int = 1, window: int | None = None) -> Evaluation:
    """Perplexity over one stream: every token but the first is scored once, after all that came before it.

    Arguments and errors are those of `token_nats`.
    """
    return Evaluation.of(token_nats(model, corpus, lanes, window), lanes)


def token_nats(model: Model, corpus: ArrayLike, lanes: int = 1, window: int | None = None) -> NDArray[np.float64]:
    """Cross-entropy in nats of each token but the first, (tokens - 1,), each after all that came before it.

    The model's own state is put back afterwards. The answer does not depend on `window`, but for rounding.

    Args:
        model: a model of this library.
        corpus: ids (tokens,), at least two.
        lanes: cut the corpus into so many parts and score them side by side. Faster; but each part begins with a zero
            state and so scores its first words worse: an approximation, for use during training.
        window: time steps scored at once in each lane; memory grows with lanes * window * vocabulary.

    Raises:
        DataError: fewer than two tokens.
        InputError: lanes not in [1, tokens - 1], window below 1, or ids that are not the model's words.
    """
    ids = ops.asnumpy(corpus)
    if ids.ndim != 1 or ids.dtype.kind not in "iu":
        raise InputError(f"corpus must be a list of integer ids, got {ids.dtype} of shape {ids.shape}")
    expect_words("corpus", ids, model.config.vocab_size)
    pairs = len(ids) - 1
    if pairs < 1:
        raise DataError(f"a corpus must have at least 2 tokens to be evaluated, got {len(ids)}")
    whole_number("lanes", lanes, 1, pairs + 1)
    window = max(1, ROWS // lanes) if window is None else whole_number("window", window, 1)
    xs, ts = _lanes(ids, lanes)
    with own_state(model):
        return losses_by_window(model, xs, ts, window)[ts >= 0]


def losses_by_window(model: Model, xs: NDArray[Any], ts: NDArray[Any], window: int) -> NDArray[np.float64]:
    """`model.losses` (N, T) on the host, `window` time steps at a time, so that memory does not grow with T."""
    starts = range(0, xs.shape[1], window)
    parts = [model.losses(xs[:, start : start + window], ts[:, start : start + window]) for start in starts]
    return ops.asnumpy(xp.concatenate(parts, axis=1))


def eval_perplexity(model: Model, corpus: ArrayLike, batch_size: int = 10, time_size: int = 35) -> float:
    """The book's figure: mean loss over windows of ten cold starts, what does not fill a window left out.

    It depends on the sizes and scores 82,250 of the 82,429 pairs of Penn Treebank's test part; `evaluate` is exact. The
    model's own state is put back afterwards.
    """
    ids = ops.asnumpy(corpus)
    expect_words("corpus", ids, model.config.vocab_size)
    batches = Batches(ids[:-1], ids[1:], batch_size, time_size)
    with own_state(model):
        losses = [model.forward(*batches.window(number), train_flg=False) for number in range(len(batches))]
        model.loss_layer.forget()  # a backward now would be that of the last window
    return perplexity(float(sum(losses)) / len(losses))


@contextmanager
def own_state(model: Any) -> Iterator[None]:
    """Begin with a zero state inside, and put the model's own one back in the end."""
    state = model.get_state()
    model.reset_state()
    try:
        yield
    finally:
        model.set_state(state)


def _lanes(ids: NDArray[np.integer], lanes: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Inputs and targets (lanes, steps); lanes that would be shorter are filled with targets -1, which don't count."""
    pairs = len(ids) - 1
    parts = np.array_split(np.arange(pairs), lanes)
    xs = np.zeros((lanes, len(parts[0])), np.int64)
    ts = np.full((lanes, len(parts[0])), -1, np.int64)
    for lane, part in enumerate(parts):
        xs[lane, : len(part)] = ids[part]
        ts[lane, : len(part)] = ids[part + 1]
    return xs, ts
