"""Checks of plain arguments, each with the one sentence that says what is wrong.

Numbers may be Python's, NumPy's scalars or fractions. True and False are no numbers, neither are arrays without a
dimension, and NaN is never one that is taken.
"""

import os
from collections.abc import Callable, Iterable, Sequence
from math import inf, nan
from numbers import Integral, Real
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import numpy as np

from rnnlm.errors import InputError

__all__ = [
    "Checked", "array_of", "dtype_of", "finite", "flag", "function", "instance_of", "listed", "measured",
    "not_negative", "number", "one_of", "path_of", "positive", "refused", "sequence", "share", "shown", "size", "text",
    "whole_number",
]  # fmt: skip

T = TypeVar("T")
LONGEST = 80  # characters of a value that a message shows
SIZES = 2**31  # are below it, as ids and lengths are, which are int32 where they are used


def shown(value: Any) -> str:
    """A value as a message shows it: its repr in one line, cut where it is long."""
    try:
        line = " ".join(repr(value).split())
    except Exception:  # a repr that is broken, or a whole number of too many digits
        line = f"a value of type {type(value).__name__}"
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 3]}..."


def refused(name: str, rule: str, value: Any, remedy: str = "") -> InputError:
    """The error to be raised for an argument that breaks a rule."""
    return InputError(f"{name} must be {rule}, got {shown(value)}{f': {remedy}' if remedy else ''}")


# ---------------------------------------------------------------- numbers


def number(value: Any) -> float:
    """`value` as a float, infinite where it is too large for one, NaN where it is no number."""
    if isinstance(value, (bool, np.timedelta64)) or not isinstance(value, Real):
        return nan
    try:
        return float(value)
    except OverflowError:  # a whole number of hundreds of digits, or a fraction of them
        return inf if abs(value) == value else -inf


def whole_number(name: str, value: Any, low: int, high: float = inf) -> int:
    """`value` as an int, if it is a whole number in [low, high).

    Raises:
        InputError: naming the argument, the rule and the value.
    """
    if type(value) is int and low <= value < high:  # the short way, for what is asked at every word
        return value
    whole = isinstance(value, Integral) and not isinstance(value, (bool, np.timedelta64))
    if not whole or not low <= int(value) < high:
        rule = f"of at least {low}" if high == inf else f"in [{low}, {'2**64' if high == 2**64 else high})"
        raise refused(name, f"a whole number {rule}", value)
    return int(value)


def size(name: str, value: Any, low: int = 1) -> int:
    """`value` as an int, if it can be the length of an array's axis; errors as above."""
    if number(value) >= SIZES:
        raise refused(name, "a whole number below 2^31", value)
    return whole_number(name, value, low)


def positive(name: str, value: Any, finite: bool = True, most: float = inf) -> float:
    """`value` as a float, if it is a positive number, and finite unless that is not asked for; errors as above."""
    given = number(value)
    if not 0 < given <= most or (finite and given == inf):
        rule = "" if most == inf else f" and at most {most:g}"
        raise refused(name, f"positive{rule or ' and finite' * finite}", value)
    return given


def finite(name: str, value: Any, most: float = inf) -> float:
    """`value` as a float, if it is a finite number, of at most so much either way; errors as above."""
    given = number(value)
    if not -inf < given < inf or abs(given) > most:
        raise refused(name, "a finite number" if most == inf else f"in [-{most:g}, {most:g}]", value)
    return given


def not_negative(name: str, value: Any, most: float = inf) -> float:
    """`value` as a float, if it is a finite number of at least 0 and at most so much; errors as above."""
    given = number(value)
    if not 0 <= given < inf or given > most:
        raise refused(name, "at least 0 and finite" if most == inf else f"in [0, {most:g}]", value)
    return given


def measured(name: str, value: Any) -> float:
    """A loss that was measured, as a float: NaN, which is neither better nor worse than another, becomes infinity."""
    if isinstance(value, (float, np.floating)):
        return inf if value != value else float(value)
    return finite(name, value)


def share(name: str, value: Any) -> float:
    """`value` as a float, if it is a number in [0, 1); errors as above."""
    given = number(value)
    if not 0 <= given < 1:
        raise refused(name, "in [0, 1)", value)
    return given


# ---------------------------------------------------------------- what is no number


def flag(name: str, value: Any) -> bool:
    """`value` as a bool, if it is True or False, Python's or NumPy's; errors as above."""
    if value is True or value is False:  # the short way, for what is asked at every step
        return value
    if not isinstance(value, np.bool_):
        raise refused(name, "True or False", value)
    return bool(value)


def text(name: str, value: Any) -> str:
    """`value`, if it is a string; errors as above."""
    if not isinstance(value, str):
        raise refused(name, "a string", value)
    return str(value)


def one_of(name: str, value: Any, choices: Iterable[str]) -> str:
    """`value`, if it is one of these strings; errors as above."""
    allowed = list(choices)
    if not isinstance(value, str) or value not in allowed:
        raise refused(name, f"one of {', '.join(allowed)}", value)
    return str(value)


def path_of(name: str, value: Any) -> Path:
    """`value` as a path, if it is a string or a path, and one that a file can have; errors as above."""
    given = os.fspath(value) if isinstance(value, os.PathLike) else value
    if not isinstance(given, str) or not given:
        raise refused(name, "a path, as a string or a pathlib.Path", value)
    try:
        if b"\0" in os.fsencode(given):
            raise refused(name, "a path without a NUL character", value)
    except UnicodeEncodeError as error:
        raise refused(name, "a path of characters that file names can have", value) from error
    return Path(given)


def function(name: str, value: Any) -> Callable[..., Any]:
    """`value`, if it can be called; errors as above."""
    if not callable(value):
        raise refused(name, "a function", value)
    called: Callable[..., Any] = value
    return called


def instance_of(name: str, value: Any, cls: type) -> Any:
    """`value`, if it is an object of a class; errors as above."""
    if not isinstance(value, cls):
        raise refused(name, f"{'an' if cls.__name__[0] in 'AEIOU' else 'a'} {cls.__name__}", value)
    return value


def sequence(name: str, value: Any, what: str = "values") -> list[Any]:
    """`value` as a list, if it is one, a tuple, an array or the like; a string is none, nor what can be read once."""
    listed = isinstance(value, Sequence) or (isinstance(value, np.ndarray) and value.ndim == 1)
    if not listed or isinstance(value, (str, bytes, bytearray, memoryview)):
        raise refused(name, f"a list of {what}", value)
    return list(value)


def listed(name: str, value: Any, what: str = "values") -> list[Any]:
    """`value` as a list, if it is anything that can be gone over but a string; errors as above."""
    if isinstance(value, (str, bytes, bytearray, memoryview)):
        raise refused(name, f"a list of {what}", value)
    try:
        return list(value)
    except TypeError as error:
        raise refused(name, f"a list of {what}", value) from error


def dtype_of(name: str, value: Any) -> np.dtype[Any]:
    """`value` as a dtype of numbers, if it is one, its name or its type; errors as above."""
    try:
        dtype = np.dtype(value) if isinstance(value, (str, type, np.dtype)) else None
    except (TypeError, ValueError, SyntaxError):
        dtype = None
    if dtype is None or dtype.kind not in "biuf":
        raise refused(name, "a dtype of numbers, 'float32' say", value)
    return dtype


def array_of(name: str, value: Any) -> np.ndarray[Any, Any]:
    """`value` as an array of NumPy, if it is one of numbers, bools included, or a list that becomes one.

    An array whose entries may be masked is refused: what is behind a mask would count.

    Raises:
        InputError: naming the argument, the rule and what was given.
    """
    if isinstance(value, (str, bytes, bytearray)):
        raise refused(name, "an array of numbers", value)
    try:
        array = np.asarray(value)
    except (ValueError, TypeError, OverflowError) as error:
        raise refused(name, "an array of numbers, its rows of one length", value) from error
    if np.ma.isMaskedArray(value):
        raise refused(name, "an array without a mask", value, "use filled()")
    if array.dtype.kind not in "biuf":
        raise InputError(f"{name} must be an array of numbers, got dtype {array.dtype} of {shown(value)}")
    return array


# ---------------------------------------------------------------- attributes


class Checked(Generic[T]):
    """An attribute that is checked whenever it is set, by a constructor or by anyone later.

        class Dropout:
            dropout_ratio = Checked(share)

    The value is kept where attributes are. There is no `__get__`, so that reading one costs what it costs anyway: a
    constructor has to set it.

    Args:
        check: takes the attribute's name and the value, and gives the value to be kept.
    """

    def __init__(self, check: Callable[[str, Any], T]) -> None:
        self.check = check

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    if TYPE_CHECKING:  # what is read is of the type that the check gives

        def __get__(self, instance: Any, owner: type) -> T: ...

    def __set__(self, instance: Any, value: Any) -> None:
        instance.__dict__[self.name] = self.check(self.name, value)
