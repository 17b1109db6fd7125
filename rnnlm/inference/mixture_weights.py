"""Mixture weights that maximise the probability of a text, by EM, or by Newton's method for a log-linear one of two."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rnnlm.checks import listed, whole_number
from rnnlm.data.lanes import lane_windows
from rnnlm.data.sentences import Sentences, like_lengths, side_by_side
from rnnlm.data.sources import tokens_of
from rnnlm.data.tokens import Tokens
from rnnlm.errors import DataError, InputError
from rnnlm.inference.evaluation import token_nats
from rnnlm.inference.other_words import log_softmax
from rnnlm.inference.predictor import Predictor, expect_predictor, own_state

__all__ = ["linear_weights", "log_linear_weights"]

CLOSE = 1e-8  # EM stops when no weight changes by more
MOST = 10_000  # most steps of EM
PRECISE = 1e-4  # tolerance of a log-linear weight; usually four passes over the text reach it
WINDOW = 512  # tokens of a text processed together


def linear_weights(predictors: Sequence[Predictor], corpus: ArrayLike | Tokens | Sentences) -> NDArray[np.float64]:
    """Find the weights (K,) of a linear mixture of K predictors with the same words, by expectation maximisation.

    Each step sets a weight to its predictor's mean share of the tokens' mixture probabilities, which never lowers the
    probability of the text. Use another text than the one on which the mixture will be evaluated.

    Raises:
        InputError, DataError: as `token_nats`.
    """
    predictors = listed("predictors", predictors, "models")
    _expect_same_words(predictors)
    every = [token_nats(predictor, corpus) for predictor in predictors]
    shortest = min(map(len, every))  # some models score the first token too
    nats = np.stack([one[len(one) - shortest :] for one in every])
    nats = nats[:, np.isfinite(nats).any(axis=0)]  # no weights help a token that is impossible to all
    if not nats.size:
        raise InputError("weights can't be tuned on a text all of whose tokens are impossible to all models")
    probs = np.exp(nats.min(axis=0) - nats)
    weights = np.full(len(every), 1 / len(every))
    for _ in range(MOST):
        shares = weights[:, None] * probs
        shares /= shares.sum(axis=0)
        before, weights = weights, shares.mean(axis=1)
        if np.abs(weights - before).max() < CLOSE:
            break
    return weights / weights.sum()


def log_linear_weights(
    first: Predictor, second: Predictor, corpus: ArrayLike | Tokens | Sentences, lanes: int = 1
) -> NDArray[np.float64]:
    """Find the weights (2,), in [0, 1], of a log-linear mixture of two predictors with the same words.

    The mean loss is a convex function of the second weight. With d = log p_2 - log p_1, its first derivative is the
    mixture's expectation of d minus d at the token, and its second one the variance of d. The minimum is found by
    Newton's method, with bisection where its steps are too long.

    Args:
        corpus: ids (tokens,) or `Sentences`; not the text on which the mixture will be evaluated.
        lanes: parts of a stream read in parallel, each from a reset state; faster, but approximate.

    Raises:
        InputError: a predictor gives a word probability 0, where there are no such derivatives.
    """
    _expect_same_words([first, second])
    weight, low, high, step = 0.5, 0.0, 1.0, 1.0
    ends = [0.0, 1.0]  # endpoints of [0, 1] not evaluated yet; a step of Newton's method may go to each once
    while high - low > PRECISE:
        slope, curve = _derivatives(first, second, corpus, lanes, weight)
        low, high = (low, weight) if slope > 0 else (weight, high)  # the minimum is in between
        end = 0.0 if slope > 0 else 1.0
        wanted = weight - slope / curve if curve > 0 else end
        if abs(wanted - weight) < PRECISE:
            break
        before = weight
        if low < wanted < high and abs(wanted - weight) <= step / 2:
            weight = wanted
        elif not low < wanted < high and end in ends and end in (low, high):
            weight = end
            ends.remove(end)
        else:
            weight = (low + high) / 2
        step = abs(weight - before)
    return np.array([1 - weight, weight])


def _derivatives(
    first: Predictor, second: Predictor, corpus: ArrayLike | Tokens | Sentences, lanes: int, weight: float
) -> tuple[float, float]:
    """Return the first and second derivative, by the second weight, of the loss summed over the tokens."""
    slope = curve = 0.0
    with own_state(first), own_state(second):
        for xs, ts, fresh in _windows(corpus, lanes, first.vocab_size):
            if fresh:
                first.reset_state()
                second.reset_state()
            for t in range(xs.shape[1]):
                one, other = (log_softmax(predictor.next_scores(xs[:, t : t + 1])) for predictor in (first, second))
                if not (np.isfinite(one).all() and np.isfinite(other).all()):
                    raise InputError("a log-linear mixture can't be tuned where a model finds words impossible")
                apart = other - one
                probs = np.exp(log_softmax(one + weight * apart))
                mean = (probs * apart).sum(axis=1)
                rows = np.flatnonzero(ts[:, t] >= 0)
                slope += float((mean[rows] - apart[rows, ts[rows, t]]).sum())
                curve += float(((probs * apart * apart).sum(axis=1) - mean * mean)[rows].sum())
    return slope, curve


def _windows(
    corpus: ArrayLike | Tokens | Sentences, lanes: int, vocab_size: int
) -> Iterator[tuple[NDArray[Any], NDArray[Any], bool]]:
    """Yield inputs and targets (N, T), and whether states must be reset before them."""
    if isinstance(corpus, Sentences):
        corpus.within(vocab_size)
        for numbers in like_lengths(corpus.lengths.tolist(), WINDOW):
            yield *side_by_side([corpus[number] for number in numbers]), True
        return
    ids = tokens_of("corpus", corpus).within(0, vocab_size)
    if len(ids) < 2:
        raise DataError(f"a corpus must have at least 2 tokens to tune weights on, got {len(ids)}")
    lanes = whole_number("lanes", lanes, 1, len(ids))
    fresh = True
    for xs, ts in lane_windows(ids, lanes, max(1, WINDOW // lanes)):
        yield xs, ts, fresh
        fresh = False


def _expect_same_words(predictors: Sequence[Predictor]) -> None:
    """Check that there is a predictor, and that all have the same vocabulary size."""
    sizes = [expect_predictor("each model to be mixed, first and second or predictors,", one) for one in predictors]
    if not sizes or len(set(sizes)) > 1:
        raise InputError(f"models to be mixed must have the same words, got {sizes} of them: in_words_of translates")
