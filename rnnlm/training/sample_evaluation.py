"""Evaluating a network on samples, and checking samples before a training."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnlm.backend import Array, ops
from rnnlm.data.ids import expect_words
from rnnlm.data.samples import count_of, expect_finite, taken
from rnnlm.errors import InputError
from rnnlm.layers.base import Layer
from rnnlm.layers.heads.base import Head
from rnnlm.models.sequential import Sequential

__all__ = ["checked_samples", "evaluated", "expect_pairs"]

TOGETHER = 1024  # samples evaluated in one batch


def evaluated(model: Sequential, x: Any, t: Any, accuracy: bool) -> tuple[float, float | None]:
    """Return the mean loss of samples, without dropout, and their accuracy, None unless asked for.

    Each sample begins with a state of zeros; the state is reset at the end.

    Args:
        x, t: inputs and targets (samples, ...), arrays of the backend or tuples of them.
    """
    head = model.expect_head()
    parts: list[list[tuple[float, float, int]]] = []  # for each mean in the loss: its weight, a sum and a count
    right = judged = 0
    for begin in range(0, count_of(x), TOGETHER):
        part = slice(begin, begin + TOGETHER)
        xs, ts = taken(x, part), taken(t, part)
        model.reset_state()
        outputs = model.forward(xs, train_flg=False)
        parts.append([(weight, *one.total(h, own)) for weight, one, h, own in head.each(outputs, ts)])
        if accuracy:
            hits = head.hits(outputs, ts)
            right, judged = right + int(hits.sum()), judged + hits.size
    model.reset_state()
    loss = 0.0
    for mean in zip(*parts):
        weights, sums, counts = zip(*mean)
        loss += weights[0] * sum(sums) / max(sum(counts), 1)
    return loss, right / max(judged, 1) if accuracy else None


def checked_samples(model: Sequential, prefix: str, x: Any, t: Any, accuracy: bool) -> NDArray[np.integer] | None:
    """Check samples, and run the first one for its errors.

    Values are looked at where layers and losses of this library are given them: others may know what to do with NaN.

    Args:
        prefix: put before x and t in messages.
        x, t: as in `evaluated`.
        accuracy: whether the accuracy will be asked for.

    Returns:
        the number of targets of each sample that count, (samples,); None if all do, or for several outputs, whose means
        are over different targets.

    Raises:
        InputError: NaN or an infinity; a target that the loss refuses; none that counts; or what running the network
            raises.
    """
    head, first = model.expect_head(), taken(x, slice(1))
    if all(map(_is_ours, model.all_layers()[:-1])):
        expect_finite(f"{prefix}x", x)
    model.reset_state()  # of earlier calls, for any number of rows
    outputs = model.forward(first, train_flg=False)
    counts = None
    for number, (_, one, h, own) in enumerate(head.each(outputs, t)):
        if not isinstance(own, tuple) and not isinstance(h, tuple):
            counts = _count(f"{prefix}t[{number}]" if isinstance(t, tuple) else f"{prefix}t", one, h, own)
    evaluated(model, first, taken(t, slice(1)), accuracy)
    return None if isinstance(t, tuple) else counts


def _count(name: str, head: Head, h: Array, t: Array) -> NDArray[np.integer] | None:
    """Check the targets t (samples, ...) of one output, of which h (1, ...) is that of a sample. Returns how many of
    each sample are not ignored, or None for a head that ignores none."""
    if head.takes_classes and t.ndim == h.ndim - 1:
        expect_words(name, ops.asnumpy(t), h.shape[-1], ignored=head.ignore_label if head.ignores else None)
    elif _is_ours(head):
        expect_finite(name, t)
        head.expect_values(name, t, h)
    counted = head.which_count(h, t)
    if counted is None:
        return None
    counts: NDArray[np.integer] = ops.asnumpy(counted).reshape(len(t), -1).sum(axis=1)
    if not counts.any():
        raise InputError(f"{name} must have a target that counts, and all are {head.ignore_label}, the ignored label")
    return counts


def _is_ours(layer: Layer) -> bool:
    return type(layer).__module__.partition(".")[0] == "rnnlm"


def expect_pairs(name: str, x: Any, t: Any) -> None:
    """Check that there is a target for each sample.

    Raises:
        InputError: there is not.
    """
    if count_of(x) != count_of(t):
        raise InputError(f"{name} must have one entry for each sample, got {count_of(x)} and {count_of(t)}")
