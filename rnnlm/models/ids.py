"""Conversion of word ids and other inputs: checked once, on the host, and moved to the backend."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnlm.backend import Array, ops, xp
from rnnlm.data.ids import expect_words, ids_of
from rnnlm.data.samples import arrays
from rnnlm.errors import InputError

__all__ = ["as_taken", "checked_ids", "which_count"]


def checked_ids(name: str, ids: Any, vocab_size: int, ignored: int | None = None) -> Array:
    """Return ids (N, T) as an array of the backend. Host ids are checked; those on a device are not.

    Targets (name "ts") may be one-hot (N, T, V).

    Args:
        ignored: a label that is allowed beside the words' ids, for targets that do not count.

    Raises:
        InputError: another shape or dtype, or ids outside [0, vocab_size) that are not `ignored`.
    """
    if isinstance(ids, xp.ndarray) and not isinstance(ids, np.ndarray):
        return ids.argmax(axis=2) if ids.ndim == 3 and name == "ts" else ids
    if name == "ts" and _has_three_axes(ids):
        ids = _from_one_hot(np.asarray(ids), vocab_size)
    host = ids_of(name, ids, "integer ids of shape (N, T)", (2,))
    if not host.size:
        raise InputError(f"{name} must be integer ids of shape (N, T), got none: {host.shape}")
    expect_words(name, host, vocab_size, ignored=ignored)
    return ops.asarray(host)


def which_count(ts: Any, ignored: int) -> Array | None:
    """Return a mask (N, T) of the targets that are not `ignored`; None if all count, as is assumed of device arrays."""
    if isinstance(ts, xp.ndarray) and not isinstance(ts, np.ndarray):
        return None
    ids = np.asarray(ts)
    counted = (ids.argmax(axis=2) if ids.ndim == 3 else ids) != ignored
    return None if counted.ndim != 2 or counted.all() else ops.asarray(counted)


def _has_three_axes(ids: Any) -> bool:
    try:
        return np.ndim(ids) == 3
    except ValueError:  # rows of different lengths
        return False


def _from_one_hot(ts: NDArray[Any], V: int) -> NDArray[Any]:
    if ts.shape[2] != V or ts.dtype.kind not in "biuf" or ((ts != 0).sum(axis=2) != 1).any():
        raise InputError(f"one-hot ts must have shape (N, T, {V}) and one entry that is not 0 in each row")
    return ts.argmax(axis=2)


def as_taken(name: str, xs: Any, words: int | tuple[int, ...], dtype: Any) -> Any:
    """Convert the inputs of a network, or a tuple of them, to arrays of the backend: ids, or numbers of its dtype.

    Args:
        name: of the inputs in error messages.
        xs: arrays or lists.
        words: vocabulary size if the inputs are ids, else 0; a tuple for several inputs.
        dtype: of inputs that are numbers.

    Raises:
        InputError: not an array of numbers, or host ids out of range.
    """
    if isinstance(words, tuple):
        if isinstance(xs, tuple) and len(xs) == len(words):
            return tuple(as_taken(f"{name}[{i}]", x, count, dtype) for i, (x, count) in enumerate(zip(xs, words)))
        words = max(words)
    if words and (isinstance(xs, np.ndarray) or not isinstance(xs, xp.ndarray)):
        xs = ids_of(name, xs, "integer ids", (1, 2, 3))
        expect_words(name, xs, words)
    return arrays(name, xs, None if words else dtype)
