"""Perplexity of a model on a corpus."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from math import exp, inf, isfinite, isnan, nan, sqrt

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rnnlm.backend import ops, xp
from rnnlm.checks import function, number, refused, whole_number
from rnnlm.data.lanes import lane_windows
from rnnlm.data.sentences import Sentences
from rnnlm.data.sources import tokens_of
from rnnlm.data.tokens import Tokens
from rnnlm.errors import DataError, InputError
from rnnlm.inference.lines import losses_by_line
from rnnlm.inference.predictor import (
    Predictor,
    expect_losses,
    expect_predictor,
    losses_of,
    own_state,
    rows_of,
    start_of,
)

__all__ = ["Evaluation", "evaluate", "perplexity", "token_nats"]

LINES = 4096  # sentences evaluated at a time
FETCHED = 1 << 14  # tokens (at least a window) whose losses are fetched at once: each fetch waits for a GPU
Ids = ArrayLike | Tokens


@dataclass(frozen=True)
class Evaluation:
    """How well a model predicts a corpus.

    Attributes:
        nats: mean cross-entropy per token.
        tokens: number of tokens scored.
        stderr: standard error of `nats`, with tokens assumed independent; NaN for a single token.
        lanes: parts of the corpus scored in parallel; with more than one the result is an approximation.
        lines: number of lines, if each was scored by itself from a reset state; None for a stream.
        unks: number of tokens that are `<unk>`; 0 if its id was not given.
        known_nats: mean cross-entropy of the other tokens, NaN if there are none; None if the id was not given.
        from_start: whether the first token of a stream was scored too, by a model that restarts at every line.
    """

    nats: float
    tokens: int
    stderr: float
    lanes: int = 1
    lines: int | None = None
    unks: int = 0
    known_nats: float | None = None
    from_start: bool = False

    @property
    def perplexity(self) -> float:
        """exp(nats), infinite if that overflows."""
        return perplexity(self.nats)

    @property
    def known_perplexity(self) -> float:
        """Perplexity of the tokens that are not `<unk>`."""
        return perplexity(self.nats if self.known_nats is None else self.known_nats)

    @property
    def resets(self) -> str:
        """Where the model's state was reset, in words."""
        if self.lines is not None:
            return f"reset before each of {self.lines:,} lines"
        if self.exact and self.from_start:
            return "begins anew after each <eos>"
        return "goes on from line to line" if self.exact else f"reset at the beginning of each of {self.lanes} lanes"

    @property
    def exact(self) -> bool:
        """Whether each token was scored given its whole context: all tokens before it in the stream or line."""
        return self.lanes == 1

    @classmethod
    def of(cls, nats: NDArray[np.float64], lanes: int = 1) -> "Evaluation":
        """Return the evaluation for the nats of each token."""
        stderr = float(nats.std(ddof=1)) / sqrt(nats.size) if nats.size > 1 else float("nan")
        return cls(float(nats.mean()), nats.size, stderr, lanes)

    def __str__(self) -> str:
        lines = "" if self.lines is None else f", {self.lines:,} lines, each from a reset state"
        how = f"exact{lines}" if self.exact else f"approximate: {self.lanes} lanes, each from a cold start"
        error = "" if isnan(self.stderr) else f" ± {self.stderr:.4f}"
        return f"perplexity {self.perplexity:.2f} ({self.nats:.4f}{error} nats a token, {self.tokens:,} tokens, {how})"


def perplexity(nats: float) -> float:
    """Return exp(nats), infinite if that overflows."""
    given = number(nats)
    if isnan(given) and not isinstance(nats, float):
        raise refused("nats", "a number", nats)
    return inf if given > 709 else exp(given)


def evaluate(
    model: Predictor,
    corpus: Ids | Sentences,
    lanes: int = 1,
    window: int | None = None,
    unk_id: int | None = None,
    advance: Callable[[int], object] | None = None,
) -> Evaluation:
    """Compute the perplexity of a model on a corpus.

    In a stream every token but the first is scored once, given all tokens before it; models that restart at every line,
    as n-grams do, score the first too. In sentences every token is scored, given those before it in its line.

    Memory does not grow with the corpus, which may lie in a file. Other arguments and errors are those of `token_nats`.

    Args:
        unk_id: id of `<unk>`: its tokens are counted, and the loss is also computed without them.
        advance: called after each block with the number of tokens scored in it.
    """
    V = expect_predictor("model", model)
    unk_id = None if unk_id is None else whole_number("unk_id", unk_id, 0, V)
    if advance is not None:
        function("advance", advance)
    every, known = _Sums(), _Sums()
    for nats, targets in _blocks(model, corpus, lanes, window):
        counted = targets >= 0
        every.add(nats[counted])
        if unk_id is not None:
            known.add(nats[counted & (targets != unk_id)])
        if advance is not None:
            advance(int(counted.sum()))
    lines = len(corpus) if isinstance(corpus, Sentences) else None
    unks, known_nats = (
        (every.count - known.count, known.mean if known.count else nan) if unk_id is not None else (0, None)
    )
    starts = start_of(model) is not None
    return Evaluation(every.mean, every.count, every.stderr, lanes, lines, unks, known_nats, starts)


def token_nats(
    model: Predictor, corpus: Ids | Sentences, lanes: int = 1, window: int | None = None
) -> NDArray[np.float64]:
    """Return the cross-entropy in nats of each token but the first, (tokens - 1,), each given all tokens before it; for
    sentences, or a model that restarts at every line, of each token, (tokens,).

    The model's own state is restored afterwards. The result does not depend on `window`, except for rounding.

    Args:
        model: a model of this library, or another `Predictor`.
        corpus: ids (tokens,), at least two: an array, or what `open_corpus` returned; or `Sentences`.
        lanes: number of parts into which the corpus is split, to score them in parallel. Faster, but approximate: each
            part starts from a zero state, so its first words are scored worse. For use during training.
        window: time steps scored at once in each lane; memory grows with lanes * window * vocabulary.

    Raises:
        DataError: fewer than two tokens; ids of a file that are out of range, when they are read.
        InputError: lanes not in [1, tokens - 1], window below 1, or ids out of range.
    """
    nats, targets = zip(*_blocks(model, corpus, lanes, window))
    return np.concatenate(nats, axis=1)[np.concatenate(targets, axis=1) >= 0]


class _Sums:
    """Running mean and squared deviations of numbers that come in pieces, without cancellation.

    Source: Chan, Golub and LeVeque, Updating formulae and a pairwise algorithm for computing sample variances, 1979.
    """

    def __init__(self) -> None:
        self.count, self.mean, self.squares = 0, 0.0, 0.0

    def add(self, piece: NDArray[np.float64]) -> None:
        """Add a piece."""
        if not piece.size:
            return
        with np.errstate(over="ignore", invalid="ignore"):  # losses may be infinite
            mean = float(piece.mean())
            squares = float(np.square(piece - mean).sum())
        count, apart = self.count + piece.size, mean - self.mean
        self.squares += squares + apart * apart * (self.count * piece.size / count)
        self.mean = self.mean + apart * (piece.size / count) if isfinite(apart) else self.mean + mean
        self.count = count

    @property
    def stderr(self) -> float:
        """Standard error of the mean; NaN for a single number."""
        return sqrt(self.squares / (self.count - 1) / self.count) if self.count > 1 else nan


def _blocks(
    model: Predictor, corpus: Ids | Sentences, lanes: int, window: int | None
) -> Iterator[tuple[NDArray[np.float64], NDArray[np.integer]]]:
    """Yield the nats (lanes, steps) of a few windows at a time, and their targets, -1 where they do not count;
    arguments as in `token_nats`."""
    V = expect_predictor("model", model)
    if isinstance(corpus, Sentences):
        if lanes != 1 or window is not None:
            given = f"lanes {lanes}" if lanes != 1 else f"window {window}"
            raise InputError(f"lanes and window are for a stream: leave them out for sentences, got {given}")
        yield from _line_blocks(model, corpus)
        return
    ids = tokens_of("corpus", corpus).within(0, V)
    start_id = start_of(model)
    least = 2 if start_id is None else 1
    if len(ids) < least:
        raise DataError(f"a corpus must have at least {least} tokens to be evaluated, got {len(ids)}")
    lanes = whole_number("lanes", lanes, 1, len(ids) + 2 - least)
    window = max(1, rows_of(model) // lanes) if window is None else whole_number("window", window, 1)
    windows = lane_windows(ids, lanes, window, start_id)
    with own_state(model):
        while block := list(islice(windows, max(1, FETCHED // (lanes * window)))):
            ids.release()
            nats = [losses_of(model, xs, ts) for xs, ts in block]
            yield (
                expect_losses(model, ops.asnumpy(xp.concatenate(nats, axis=1))),
                np.concatenate([ts for _, ts in block], axis=1),
            )


def _line_blocks(model: Predictor, sentences: Sentences) -> Iterator[tuple[NDArray[np.float64], NDArray[np.integer]]]:
    """Yield the nats (1, tokens) of a block of lines at a time, and the tokens."""
    sentences.within(model.vocab_size)
    with own_state(model):
        for begin in range(0, len(sentences), LINES):
            rows = [sentences[number] for number in range(begin, min(begin + LINES, len(sentences)))]
            sentences.ids.release()
            yield np.concatenate(losses_by_line(model, rows))[None], np.concatenate(rows)[None]
