"""Perplexity of a model on a corpus."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from math import exp, isfinite, nan, sqrt
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rnnlm.backend import Array, ops, xp
from rnnlm.checks import whole_number
from rnnlm.data.lanes import lane_windows
from rnnlm.data.sources import tokens_of
from rnnlm.data.tokens import Tokens
from rnnlm.errors import DataError
from rnnlm.inference.predictor import Predictor, own_state

__all__ = ["Evaluation", "evaluate", "perplexity", "token_nats"]

ROWS = 512  # tokens scored at once, unless asked otherwise: enough to keep matrix products busy, little to remember
FETCHED = 1 << 14  # tokens whose figures are fetched at once, a window at least: each time a GPU is waited for
Ids = ArrayLike | Tokens


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


def evaluate(model: Predictor, corpus: Ids, lanes: int = 1, window: int | None = None) -> Evaluation:
    """Perplexity over one stream: every token but the first is scored once, after all that came before it.

    Memory does not grow with the corpus, which may lie in a file. Arguments and errors are those of `token_nats`.
    """
    sums = _Sums()
    for nats, counted in _blocks(model, corpus, lanes, window):
        sums.add(nats[counted])
    return sums.evaluation(lanes)


def token_nats(model: Predictor, corpus: Ids, lanes: int = 1, window: int | None = None) -> NDArray[np.float64]:
    """Cross-entropy in nats of each token but the first, (tokens - 1,), each after all that came before it.

    The model's own state is put back afterwards. The answer does not depend on `window`, but for rounding.

    Args:
        model: a model of this library, or another `Predictor`.
        corpus: ids (tokens,), at least two: an array, or what `open_corpus` gave.
        lanes: cut the corpus into so many parts and score them side by side. Faster; but each part begins with a zero
            state and so scores its first words worse: an approximation, for use during training.
        window: time steps scored at once in each lane; memory grows with lanes * window * vocabulary.

    Raises:
        DataError: fewer than two tokens; ids of a file that are not the model's words, when they are read.
        InputError: lanes not in [1, tokens - 1], window below 1, or ids that are not the model's words.
    """
    nats, counted = zip(*_blocks(model, corpus, lanes, window))
    return np.concatenate(nats, axis=1)[np.concatenate(counted, axis=1)]


def losses_by_window(model: Predictor, xs: NDArray[Any], ts: NDArray[Any], window: int) -> NDArray[np.float64]:
    """`model.losses` (N, T) on the host, `window` time steps at a time, so that memory does not grow with T."""
    starts = range(0, xs.shape[1], window)
    parts = [model.losses(xs[:, start : start + window], ts[:, start : start + window]) for start in starts]
    return _joined(parts)


def _joined(parts: Sequence[Array]) -> NDArray[np.float64]:
    """Windows (N, T) side by side on the host; a GPU is waited for once."""
    return ops.asnumpy(xp.concatenate([ops.asarray(part) for part in parts], axis=1))


class _Sums:
    """Mean and squared deviations of numbers that come in pieces, without the cancellation of a sum of squares.

    Source: Chan, Golub and LeVeque, Updating formulae and a pairwise algorithm for computing sample variances, 1979.
    """

    def __init__(self) -> None:
        self.count, self.mean, self.squares = 0, 0.0, 0.0

    def add(self, piece: NDArray[np.float64]) -> None:
        """Take a piece into account."""
        if not piece.size:
            return
        with np.errstate(over="ignore", invalid="ignore"):  # a hopeless model has infinite losses
            mean = float(piece.mean())
            squares = float(np.square(piece - mean).sum())
        count, apart = self.count + piece.size, mean - self.mean
        self.squares += squares + apart * apart * (self.count * piece.size / count)
        self.mean = self.mean + apart * (piece.size / count) if isfinite(apart) else self.mean + mean
        self.count = count

    def evaluation(self, lanes: int) -> Evaluation:
        """What they say of a model."""
        stderr = sqrt(self.squares / (self.count - 1) / self.count) if self.count > 1 else nan
        return Evaluation(self.mean, self.count, stderr, lanes)


def _blocks(
    model: Predictor, corpus: Ids, lanes: int, window: int | None
) -> Iterator[tuple[NDArray[np.float64], NDArray[np.bool_]]]:
    """Nats (lanes, steps) of some windows at a time, and which of them count; arguments as of `token_nats`."""
    ids = tokens_of("corpus", corpus).within(0, model.vocab_size)
    if len(ids) < 2:
        raise DataError(f"a corpus must have at least 2 tokens to be evaluated, got {len(ids)}")
    whole_number("lanes", lanes, 1, len(ids))
    window = max(1, ROWS // lanes) if window is None else whole_number("window", window, 1)
    windows = lane_windows(ids, lanes, window)
    with own_state(model):
        while block := list(islice(windows, max(1, FETCHED // (lanes * window)))):
            ids.release()
            nats = [model.losses(xs, ts) for xs, ts in block]
            yield (
                ops.asnumpy(xp.concatenate([ops.asarray(part) for part in nats], axis=1)),
                np.concatenate([ts for _, ts in block], axis=1) >= 0,
            )
