"""Evaluating a network on samples, and checking samples before a training."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnlm.backend import Array, ops, xp
from rnnlm.data.ids import expect_words
from rnnlm.data.samples import count_of, taken
from rnnlm.errors import InputError
from rnnlm.layers.heads.base import Head
from rnnlm.models.sequential import Sequential

__all__ = ["checked_targets", "evaluated", "expect_pairs"]

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


def checked_targets(model: Sequential, name: str, x: Any, t: Any, accuracy: bool) -> NDArray[np.integer] | None:
    """Check all targets, and run the first sample for its errors.

    Args:
        name: of the targets, for messages.
        x, t: as in `evaluated`.
        accuracy: whether the accuracy will be asked for.

    Returns:
        the number of targets of each sample that count, (samples,); None if all do, or for several outputs, whose means
        are over different targets.

    Raises:
        InputError: a class that there is not, or another value that the loss refuses; none that counts; or what running
            the network raises.
    """
    head, first = model.expect_head(), taken(x, slice(1))
    model.reset_state()  # of earlier calls, for any number of rows
    outputs = model.forward(first, train_flg=False)
    for number, (_, one, h, own) in enumerate(head.each(outputs, t)):
        _expect_values(f"{name}[{number}]" if isinstance(t, tuple) else name, one, h, own)
    evaluated(model, first, taken(t, slice(1)), accuracy)
    counted = None if isinstance(t, tuple) else head.which_count(outputs, t)
    if counted is None:
        return None
    counts: NDArray[np.integer] = ops.asnumpy(counted).reshape(len(t), -1).sum(axis=1)
    if not counts.any():
        raise InputError(f"{name} must have a target that counts, and all are {head.ignore_label}, the ignored label")
    return counts


def _expect_values(name: str, head: Head, h: Array, t: Array) -> None:
    """Check the targets t (samples, ...) of one output, of which h (1, ...) is that of a sample.

    Values other than classes are checked by the loss itself, which looks at them on the host only.
    """
    if head.takes_classes and t.ndim == h.ndim - 1:
        expect_words(name, ops.asnumpy(t), h.shape[-1], ignored=head.ignore_label if head.ignores else None)
    elif not head.params:  # then the loss costs little beside the layers
        for begin in range(0, len(t), TOGETHER):
            part = t[begin : begin + TOGETHER]
            try:
                head.loss(xp.repeat(h, len(part), axis=0), part, keep=False)
            except InputError as error:
                raise InputError(f"{name} from sample {begin} on: {error}") from error


def expect_pairs(name: str, x: Any, t: Any) -> None:
    """Check that there is a target for each sample.

    Raises:
        InputError: there is not.
    """
    if count_of(x) != count_of(t):
        raise InputError(f"{name} must have one entry for each sample, got {count_of(x)} and {count_of(t)}")
