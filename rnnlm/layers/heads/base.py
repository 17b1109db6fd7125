"""The contract of heads, and what they share: which targets count, and the mean over them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
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
    """Check an ignored label, any signed 32-bit integer, and return it."""
    return whole_number(name, value, -(2**31), 2**31)


class IgnoreLabel(Checked[int]):
    """The label of targets that do not count, which only heads that ignore targets may have changed."""

    def __set__(self, instance: Any, value: Any) -> None:
        super().__set__(instance, value)
        if instance.ignore_label != -1 and not instance.ignores:
            instance.__dict__[self.name] = -1
            kind = type(instance).__name__
            raise InputError(
                f"{kind} has no ignore_label of its own: all of its targets count, or a head within it has one (a head "
                "of your own that leaves targets out says so: ignores = True)"
            )


def expect_targets(ts: Array, N: int, T: int, V: int, ignored: int) -> Array:
    """Check the targets of a window and return their ids (T N,) in time-major order.

    Args:
        ts: (N, T) ids in [0, V) or the ignored label, or one-hot (N, T, V) of any numeric dtype.
    """
    if getattr(ts, "ndim", 2) == 3:
        expect_one_hot("ts", ts, (N, T, V))
        ts = ts.argmax(axis=2)
    expect_ids("ts", ts, (N, T), V, ignored)
    return time_major(ts).reshape(-1)


def factor_of(dout: Any) -> Any:
    """Check dout, the gradient of a loss, and return it as a factor for all other gradients; None for 1.

    Raises:
        InputError: dout is not a finite number or a 0-d array.
    """
    if type(dout) is int and dout == 1:
        return None
    if isinstance(dout, xp.ndarray) and dout.ndim == 0 and dout.dtype.kind in "fiu":
        return dout
    factor = finite("dout", dout)
    return None if factor == 1 else factor


@accelerated
def weigh_targets(ts: Array, ignore_label: int, targets: Array, shares: Array, weights: Array) -> None:
    """Compute the weight of each of the targets ts (M,) in the mean over targets that are not ignored.

    Args:
        targets: (M,) int32, overwritten with the ids, 0 where ignored.
        shares: (M,) float64, overwritten with 1 / n for n targets that count, 0 where ignored.
        weights: (M,) of the model's dtype, overwritten with the same.
    """
    counted = ts != ignore_label
    targets[...] = xp.where(counted, ts, 0)
    xp.divide(counted, xp.maximum(counted.sum(), 1), out=shares)
    weights[...] = shares


@accelerated
def mean_loss(nats: Array, shares: Array) -> Array:
    """Return the mean of nats (M,) over the targets that count, a new 0-d array. Sets the nats of the others to 0."""
    nats[...] = xp.where(shares > 0, nats, 0)
    return (nats * shares).sum()


class Head(Layer):
    """From the last hidden states of a model to a loss and its gradient, or to scores of words.

    A model has one. Its loss is the mean cross-entropy of the targets that are not `ignore_label`. As for every layer,
    each `loss` allows one backward. `scores` and `next_scores` discard what `loss` saved, because computing them
    overwrites what the layers below saved too.

    Attributes:
        called: name among a model's layers, and so in the names of its parameters.
        ignore_label: id of targets that do not count.
        nats: (N, T) float64 cross-entropy of each target at the last `loss`, 0 where ignored; valid until the next one.
    """

    called = "loss"
    stepped = ("scores", "next_scores")
    ignore_label = IgnoreLabel(label)
    scores_words = True  # False if its scores are not those of the next word
    takes_classes = False  # True if targets are class ids, columns of the outputs
    ignores = False  # True if targets that are `ignore_label` do not count
    nats: Array

    def __init__(self) -> None:
        super().__init__()
        self.ignore_label = -1

    def _weighed(self, ts: Array, N: int, T: int, V: int, dtype: Any) -> tuple[Array, ...]:
        """Return targets, shares and weights (T N,) of `weigh_targets`, and memory for totals and nats (T N,)."""
        ids = expect_targets(ts, N, T, V, self.ignore_label)
        kinds = {"targets": xp.int32, "shares": xp.float64, "weights": dtype, "totals": dtype, "nats": xp.float64}
        targets, shares, weights, totals, nats = (self._buffer(name, ids.shape, kinds[name]) for name in kinds)
        weigh_targets(ids, self.ignore_label, targets, shares, weights)
        return targets, shares, weights, totals, nats

    def _mean(self, nats: Array, shares: Array, N: int, T: int) -> Array:
        """Return the mean loss and set `nats`."""
        self.nats = batch_first(nats.reshape(T, N))
        return ops.beside(partial(mean_loss, nats, shares))

    def set_frequencies(self, counts: Any) -> None:
        """Set the count of each word, (V,), before training; most heads ignore it."""

    def unigram_biases(self, logs: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
        """Return the biases, by parameter name, that with zero weights give words the log-probabilities `logs` (V,).

        Raises:
            InputError: the head has no biases.
        """
        raise InputError(f"{type(self).__name__} has no biases that could be the words' frequencies")

    def loss(self, h: Array, ts: Array, keep: bool = True) -> Array:
        """Return the mean loss in nats, a 0-d float64 array or scalar of the backend (on a GPU, `float` of it waits).

        Args:
            h: (N, T, H) hidden states.
            ts: (N, T) target ids in [0, V) or `ignore_label`, or one-hot (N, T, V) of any numeric dtype.
            keep: False if no backward will follow.
        """
        raise NotImplementedError

    def scores(self, h: Array) -> Array:
        """Return scores (N, T, V) of the words after hidden states (N, T, H), whose softmax is the probabilities."""
        raise NotImplementedError

    def next_scores(self, h: Array) -> Array:
        """Return scores (N, V) after hidden states (N, H). The caller may overwrite them; valid until the next call."""
        expect("xs", h, ("N", "H"))
        return self.scores(h[:, None])[:, 0]

    def stepper(self, _N: int) -> Callable[[Array], Array]:
        """Return a function from hidden states (N, H) to scores (N, V), as `next_scores`."""
        return self.next_scores

    @contextmanager
    def scoring_all(self) -> Iterator[None]:
        """Within this context only -1 is ignored, so that a word that is ignored in training is scored as well."""
        label, self.ignore_label = self.ignore_label, -1
        try:
            yield
        finally:
            self.ignore_label = label

    def each(self, h: Any, ts: Any) -> list[tuple[float, "Head", Any, Any]]:
        """Return the terms of the loss, which is their weighted sum: (weight, head, outputs, targets) of each."""
        return [(1.0, self, h, ts)]

    def which_count(self, h: Array, ts: Array) -> Array | None:
        """Return a mask of the target ids that the loss averages over; None for all.

        Args:
            h: outputs, of which only the number of axes matters: targets with as many are one-hot.
            ts: targets of these outputs, or of more samples.
        """
        if not self.ignores:
            return None
        ids = ts.argmax(axis=-1) if ts.ndim == h.ndim else ts
        counted: Array = ids != self.ignore_label
        return counted

    def counted_in(self, h: Array, ts: Array) -> int:
        """Return the number of targets that the loss averages over; that of samples if all count."""
        counted = self.which_count(h, ts)
        return len(ts) if counted is None else int(counted.sum())

    def total(self, h: Array, ts: Array) -> tuple[float, int]:
        """Return the sum of the losses of the targets that count, and their number; no backward may follow."""
        count = self.counted_in(h, ts)
        return count * float(self.loss(h, ts, keep=False)), count

    def expect_values(self, name: str, ts: Array, h: Array) -> None:
        """Check targets `ts` (samples, ...) that are not classes before a training, on the host; most heads do nothing.

        Args:
            name: of the targets, for messages.
            h: (1, ...) outputs for one sample.

        Raises:
            InputError: one is not a target of this loss.
        """

    def hits(self, h: Array, ts: Array) -> Array:
        """Return whether each target that counts is the most likely output, (rows,); the mean is the accuracy.

        Raises:
            InputError: the loss is one of regression, which has no accuracy.
        """
        raise InputError(f"{type(self).__name__} has no accuracy: it is a loss of numbers, none of them right or wrong")

    def forward(self, xs: Array, ts: Array, keep: bool = True) -> Array:
        """The same as `loss`, which layers call `forward`."""
        return self.loss(xs, ts, keep)
