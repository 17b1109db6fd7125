"""Checks of plain arguments, each with the one sentence that says what is wrong; and of who uses a model."""

import os
from math import inf
from numbers import Integral, Real
from threading import Lock, get_ident
from typing import Any

from rnnlm.errors import BusyError, InputError

__all__ = ["OneThread", "finite", "not_negative", "positive", "share", "whole_number"]


def whole_number(name: str, value: Any, low: int, high: float = inf) -> int:
    """`value` as an int, if it is a whole number in [low, high).

    Raises:
        InputError: naming the argument, the rule and the value.
    """
    if isinstance(value, bool) or not isinstance(value, Integral) or not low <= int(value) < high:
        rule = f"of at least {low}" if high == inf else f"in [{low}, {'2**64' if high == 2**64 else high})"
        raise InputError(f"{name} must be a whole number {rule}, got {value!r}")
    return int(value)


def positive(name: str, value: Any, finite: bool = True) -> float:
    """`value` as a float, if it is a positive number, and finite unless that is not asked for; errors as above."""
    if (
        isinstance(value, bool)
        or not isinstance(value, Real)
        or not 0 < float(value) <= inf
        or (finite and value == inf)
    ):
        raise InputError(f"{name} must be positive{' and finite' if finite else ''}, got {value!r}")
    return float(value)


def finite(name: str, value: Any) -> float:
    """`value` as a float, if it is a finite number; errors as above."""
    if isinstance(value, bool) or not isinstance(value, Real) or not -inf < float(value) < inf:
        raise InputError(f"{name} must be a finite number, got {value!r}")
    return float(value)


def not_negative(name: str, value: Any) -> float:
    """`value` as a float, if it is a finite number of at least 0; errors as above."""
    if isinstance(value, bool) or not isinstance(value, Real) or not 0 <= float(value) < inf:
        raise InputError(f"{name} must be at least 0 and finite, got {value!r}")
    return float(value)


def share(name: str, value: Any) -> float:
    """`value` as a float, if it is a number in [0, 1); errors as above."""
    if isinstance(value, bool) or not isinstance(value, Real) or not 0 <= float(value) < 1:
        raise InputError(f"{name} must be in [0, 1), got {value!r}")
    return float(value)


class OneThread:
    """A context that one thread at a time may be in, and may enter again: a model's state is that of one reader.

    To wait for the other thread would be no remedy: what it reads is not what this one has read.
    """

    def __init__(self) -> None:
        self._lock, self._process = Lock(), os.getpid()
        self._user, self._times = 0, 0

    def __enter__(self) -> None:
        if self._user != get_ident() or not self._times:
            self._claim()
        self._times += 1

    def __exit__(self, *exception: object) -> None:
        self._times -= 1
        if not self._times:
            self._lock.release()

    def __reduce__(self) -> Any:
        """A copy is another one's."""
        return OneThread, ()

    def _claim(self) -> None:
        """Make it this thread's.

        Raises:
            BusyError: it is another one's.
        """
        if self._process != os.getpid():  # whoever had it is a thread of the process that this one was forked from
            self.__init__()  # type: ignore[misc]
        if not self._lock.acquire(blocking=False):
            raise BusyError(
                "a model serves one thread at a time, and another thread uses this one: give each thread its own by "
                "model.shared_copy(), which takes no memory for weights"
            )
        self._user = get_ident()
