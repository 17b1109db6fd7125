"""Checks of word ids. Each is made once, where ids enter or are read."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnlm.checks import shown
from rnnlm.errors import DataError, InputError

__all__ = ["HIGH", "expect_read", "expect_words", "ids_of", "on_host"]

HIGH = 2**31  # exclusive bound of ids: windows are int32


def ids_of(
    name: str, ids: Any, rule: str = "a list of integer ids", ndims: tuple[int, ...] = (1,)
) -> NDArray[np.integer]:
    """Return ids as a NumPy array, without a copy if they are one.

    Args:
        name: name of the argument, for errors.
        ids: an array of NumPy or the backend, or a list, which may be empty.
        rule: description of what the argument must be, for errors.
        ndims: allowed numbers of axes.

    Raises:
        InputError: not whole numbers, another number of axes, rows of different lengths, or a masked array, whose
            mask would be lost.
    """
    try:
        array = on_host(ids)
    except (ValueError, TypeError, OverflowError) as error:
        raise InputError(f"{name} must be {rule}, got rows of different lengths: {shown(ids)}") from error
    if isinstance(ids, Sequence) and not array.size and array.dtype.kind == "f":
        array = array.astype(np.int64)  # an empty list
    if array.ndim not in ndims or array.dtype.kind not in "iu" or np.ma.isMaskedArray(ids):
        what = f"{array.dtype} of shape {array.shape}: " if isinstance(ids, (np.ndarray, list, tuple)) else ""
        raise InputError(f"{name} must be {rule}, got {what}{shown(ids)}")
    return array


def on_host(ids: Any) -> NDArray[Any]:
    """Return ids as a NumPy array, from wherever they are."""
    if isinstance(ids, (np.ndarray, Sequence)):
        return np.asarray(ids)
    from rnnlm.backend import ops  # an array of the backend's, which only it can convert

    return ops.asnumpy(ids)


def expect_words(name: str, ids: NDArray[Any], vocab_size: int, lowest: int = 0, ignored: int | None = None) -> None:
    """Check that all ids on the host are in [lowest, vocab_size), or are the one that is `ignored`.

    Raises:
        InputError: they are not; the message names the argument.
    """
    if not ids.size:
        return
    if ignored is not None and ignored < -1:
        ids = ids[ids != ignored]
        expect_words(f"{name}, {ignored} apart,", ids, vocab_size)
        return
    lowest = lowest if ignored is None else min(0, ignored)
    least, most = (ids.item(),) * 2 if ids.size == 1 else (ids.min(), ids.max())
    if least < lowest or most >= vocab_size:
        wrong = least if least < lowest else most
        raise InputError(f"{name} must hold ids in [{lowest}, {vocab_size}), got {wrong}")


def expect_read(name: str, window: NDArray[Any], low: int, high: int) -> None:
    """Check that ids just read from the file `name` are in [low, high).

    Raises:
        DataError: they are not; the message names the file.
    """
    if window.size and not low <= window.min() <= window.max() < high:
        wrong = window.min() if window.min() < low else window.max()
        raise DataError(
            f"{name} must hold ids in [{low}, {high}), got {wrong}: it is damaged, or of another vocabulary; look by: "
            f"rnnlm data check {name}"
        )
