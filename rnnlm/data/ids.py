"""Checks of word ids, each made once, where ids come in or are read."""

from typing import Any

from numpy.typing import NDArray

from rnnlm.errors import DataError, InputError

__all__ = ["HIGH", "expect_read", "expect_words"]

HIGH = 2**31  # ids are below it: windows are int32


def expect_words(name: str, ids: NDArray[Any], vocab_size: int, lowest: int = 0) -> None:
    """Check that all ids on the host are in [lowest, vocab_size).

    Raises:
        InputError: naming the argument.
    """
    if ids.size and (ids.min() < lowest or ids.max() >= vocab_size):
        wrong = ids.min() if ids.min() < lowest else ids.max()
        raise InputError(f"{name} must hold ids in [{lowest}, {vocab_size}), got {wrong}")


def expect_read(name: str, window: NDArray[Any], low: int, high: int) -> None:
    """Check that what was just read from the file `name` is in [low, high): nobody has looked at all of it before.

    Raises:
        DataError: naming the file.
    """
    if window.size and not low <= window.min() <= window.max() < high:
        wrong = window.min() if window.min() < low else window.max()
        raise DataError(
            f"{name} must hold ids in [{low}, {high}), got {wrong}: it is damaged, or of another vocabulary; look by: "
            f"rnnlm data check {name}"
        )
