"""What every head promises, and what heads share: which targets count, and the mean over them."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnlm.backend import Array, accelerated, ops, xp
from rnnlm.checks import Checked, finite, whole_number
from rnnlm.errors import InputError
from rnnlm.layers.base import Layer, batch_first, expect, expect_ids, time_major
from rnnlm.layers.expected import expect_one_hot

__all__ = ["Head", "expect_targets", "factor_of", "mean_loss", "weigh_targets"]


def label(name: str, value: Any) -> int:
    """An ignored label: any id of 32 bits."""
    return whole_number(name, value, -(2**31), 2**31)


def expect_targets(ts: Array, N: int, T: int, V: int, ignored: int) -> Array:
    """Check the targets of a window; their ids (T N,) in time-major order.

    Args:
        ts: (N, T) ids in [0, V) or the ignored label; one-hot (N, T, V), of any number type, too.
    """
    if getattr(ts, "ndim", 2) == 3:
        expect_one_hot("ts", ts, (N, T, V))
        ts = ts.argmax(axis=2)
    expect_ids("ts", ts, (N, T), V, ignored)
    return time_major(ts).reshape(-1)


def factor_of(dout: Any) -> Any:
    """What the gradient of a loss itself, a finite number or a 0-d array, multiplies all others by; None for 1.

    Raises:
        InputError: it is something else.
    """
    if type(dout) is int and dout == 1:
        return None
    if isinstance(dout, xp.ndarray) and dout.ndim == 0 and dout.dtype.kind in "fiu":
        return dout
    factor = finite("dout", dout)
    return None if factor == 1 else factor


@accelerated
def weigh_targets(ts: Array, ignore_label: int, targets: Array, shares: Array, weights: Array) -> None:
    """How much each of the targets ts (M,) counts in the mean.

    Args:
        targets: (M,) int32, to be overwritten with the ids, 0 where ignored.
        shares: (M,) float64, to be overwritten with 1 / n for n targets that count, 0 where ignored.
        weights: (M,) of another dtype, to be overwritten with the same.
    """
    counted = ts != ignore_label
    targets[...] = xp.where(counted, ts, 0)
    xp.divide(counted, xp.maximum(counted.sum(), 1), out=shares)
    weights[...] = shares


@accelerated
def mean_loss(nats: Array, shares: Array) -> Array:
    """The mean of nats (M,) over the targets that count: a 0-d array of its own. Nats of the others become 0."""
    nats[...] = xp.where(shares > 0, nats, 0)
    return (nats * shares).sum()


class Head(Layer):
    """From the last hidden states of a model to a loss and its gradient, or to scores of words.

    A model has one. Its loss is the mean cross-entropy of the targets that are not `ignore_label`. As for every layer
    there is one backward for one `loss`; scores in between are for no backward, and give up what `loss` has kept,
    since the layers below have overwritten theirs too.

    Attributes:
        called: its name among a model's layers, and so in the names of its parameters.
        ignore_label: targets that do not count.
        nats: (N, T) float64 cross-entropy of each target at the last `loss`, 0 where ignored; until the next one.
    """

    called = "loss"
    stepped = ("scores", "next_scores")
    ignore_label = Checked(label)
    takes_classes = False  # True where targets are ids of the outputs' columns
    nats: Array

    def __init__(self) -> None:
        super().__init__()
        self.ignore_label = -1

    def _weighed(self, ts: Array, N: int, T: int, V: int, dtype: Any) -> tuple[Array, ...]:
        """Targets, shares and weights (T N,) of `weigh_targets`, and memory for totals and nats (T N,)."""
        ids = expect_targets(ts, N, T, V, self.ignore_label)
        kinds = {"targets": xp.int32, "shares": xp.float64, "weights": dtype, "totals": dtype, "nats": xp.float64}
        targets, shares, weights, totals, nats = (self._buffer(name, ids.shape, kinds[name]) for name in kinds)
        weigh_targets(ids, self.ignore_label, targets, shares, weights)
        return targets, shares, weights, totals, nats

    def _mean(self, nats: Array, shares: Array, N: int, T: int) -> Array:
        """The loss; the nats are left for who asks."""
        self.nats = batch_first(nats.reshape(T, N))
        return ops.beside(partial(mean_loss, nats, shares))

    def set_frequencies(self, counts: Any) -> None:
        """Say how often each word occurs, (V,), before training; most heads treat all words alike."""

    def unigram_biases(self, logs: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
        """Biases, by the names of the parameters, with which words that have no weights have probabilities of these
        logarithms (V,).

        Raises:
            InputError: it has no biases.
        """
        raise InputError(f"{type(self).__name__} has no biases that could be the words' frequencies")

    def loss(self, h: Array, ts: Array, keep: bool = True) -> Array:
        """Mean loss in nats, a 0-d float64 array or scalar of the backend (on a GPU, `float` of it waits).

        Args:
            h: (N, T, H) hidden states.
            ts: (N, T) ids of the targets in [0, V) or `ignore_label`; one-hot (N, T, V), of any number type, too.
            keep: False if no backward is to follow.
        """
        raise NotImplementedError

    def scores(self, h: Array) -> Array:
        """Scores (N, T, V) of the words after hidden states (N, T, H): softmax gives their probabilities."""
        raise NotImplementedError

    def next_scores(self, h: Array) -> Array:
        """Scores (N, V) after hidden states (N, H), the caller's to write to until the next call."""
        expect("xs", h, ("N", "H"))
        return self.scores(h[:, None])[:, 0]

    def stepper(self, _N: int) -> Callable[[Array], Array]:
        """A function that gives the scores (N, V) after hidden states (N, H) of N rows, as `next_scores`."""
        return self.next_scores

    def counted_in(self, ts: Any) -> int:
        """How many targets the loss of `ts` is a mean of; of numbers and of several outputs, how many samples."""
        if isinstance(ts, tuple):
            return len(ts[0])
        return int((ts != self.ignore_label).sum()) if self.takes_classes and ts.ndim < 3 else len(ts)

    def hits(self, h: Array, ts: Array) -> Array:
        """Whether each target that counts is what the outputs say most likely, (rows,); their mean is the accuracy.

        Raises:
            InputError: a loss of numbers, of which none is right or wrong.
        """
        raise InputError(f"{type(self).__name__} has no accuracy: it is a loss of numbers, none of them right or wrong")

    def forward(self, xs: Array, ts: Array, keep: bool = True) -> Array:
        """`loss` by the name that it has as a layer."""
        return self.loss(xs, ts, keep)
