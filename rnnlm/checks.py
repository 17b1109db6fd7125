"""Checks of arguments, each with a one-sentence error message.

Numbers may be Python's, NumPy's scalars or fractions. Booleans and zero-dimensional arrays are not accepted as numbers,
and NaN never is.
"""

import os
from collections.abc import Callable, Iterable, Sequence
from difflib import get_close_matches
from math import inf, nan
from numbers import Integral, Real
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import numpy as np

from rnnlm.errors import InputError

__all__ = [
    "Checked", "array_of", "did_you_mean", "dtype_of", "encodable", "finite", "flag", "function", "instance_of",
    "listed", "measured", "not_negative", "number", "one_of", "path_of", "positive", "refused", "sequence",
    "share", "shown", "size", "text", "whole_number",
]  # fmt: skip

T = TypeVar("T")
LONGEST = 80  # characters of a value that a message shows
SIZES = 2**31  # exclusive bound of sizes, ids and lengths, which are used as int32


def shown(value: Any) -> str:
    """Return a value's repr for an error message: in one line, truncated if long."""
    try:
        line = " ".join(repr(value).split())
    except Exception:  # a broken repr, or an int with too many digits
        line = f"a value of type {type(value).__name__}"
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 3]}..."


def refused(name: str, rule: str, value: Any, remedy: str = "") -> InputError:
    """Return the error for an argument that breaks a rule."""
    return InputError(f"{name} must be {rule}, got {shown(value)}{f': {remedy}' if remedy else ''}")


def did_you_mean(given: str, known: Iterable[str], most: int = 1, cutoff: float = 0.6) -> str:
    """Return the end of an error message that suggests the nearest of the known names; empty if none is near.

    Args:
        most: how many to suggest.
        cutoff: likeness from which on a name is near, in [0, 1].
    """
    near = get_close_matches(given, list(known), most, cutoff)
    return f"; did you mean {' or '.join(near)}?" if near else ""


# ---------------------------------------------------------------- numbers


def number(value: Any) -> float:
    """Return `value` as a float: infinite if it is too large for one, NaN if it is not a number."""
    if isinstance(value, (bool, np.timedelta64)) or not isinstance(value, Real):
        return nan
    try:
        return float(value)
    except OverflowError:  # an int or fraction of hundreds of digits
        return inf if abs(value) == value else -inf


def whole_number(name: str, value: Any, low: int, high: float = inf) -> int:
    """Return `value` as an int if it is a whole number in [low, high).

    Raises:
        InputError: it is not; the message names argument, rule and value.
    """
    if type(value) is int and low <= value < high:  # fast path, for calls at every word
        return value
    whole = isinstance(value, Integral) and not isinstance(value, (bool, np.timedelta64))
    if not whole or not low <= int(value) < high:
        rule = f"of at least {low}" if high == inf else f"in [{low}, {'2**64' if high == 2**64 else high})"
        raise refused(name, f"a whole number {rule}", value)
    return int(value)


def size(name: str, value: Any, low: int = 1) -> int:
    """Return `value` as an int if it can be the length of an array's axis; errors as above."""
    if number(value) >= SIZES:
        raise refused(name, "a whole number below 2^31", value)
    return whole_number(name, value, low)


def positive(name: str, value: Any, finite: bool = True, most: float = inf) -> float:
    """Return `value` as a float if it is positive, at most `most` and, by default, finite; errors as above."""
    given = number(value)
    if not 0 < given <= most or (finite and given == inf):
        rule = "" if most == inf else f" and at most {most:g}"
        raise refused(name, f"positive{rule or ' and finite' * finite}", value)
    return given


def finite(name: str, value: Any, most: float = inf) -> float:
    """Return `value` as a float if it is a finite number in [-most, most]; errors as above."""
    given = number(value)
    if not -inf < given < inf or abs(given) > most:
        raise refused(name, "a finite number" if most == inf else f"in [-{most:g}, {most:g}]", value)
    return given


def not_negative(name: str, value: Any, most: float = inf) -> float:
    """Return `value` as a float if it is a finite number in [0, most]; errors as above."""
    given = number(value)
    if not 0 <= given < inf or given > most:
        raise refused(name, "at least 0 and finite" if most == inf else f"in [0, {most:g}]", value)
    return given


def measured(name: str, value: Any) -> float:
    """Return a measured loss as a float; NaN, which compares with nothing, becomes infinity."""
    if isinstance(value, (float, np.floating)):
        return inf if value != value else float(value)
    return finite(name, value)


def share(name: str, value: Any) -> float:
    """Return `value` as a float if it is a number in [0, 1); errors as above."""
    given = number(value)
    if not 0 <= given < 1:
        raise refused(name, "in [0, 1)", value)
    return given


# ---------------------------------------------------------------- other types


def flag(name: str, value: Any) -> bool:
    """Return `value` as a bool if it is True or False, Python's or NumPy's; errors as above."""
    if value is True or value is False:  # fast path, for calls at every step
        return value
    if not isinstance(value, np.bool_):
        raise refused(name, "True or False", value)
    return bool(value)


def encodable(name: str, value: str) -> str:
    """Check that a text, such as the path of a file, can be written to a file as UTF-8, and return it.

    Raises:
        InputError: it has bytes that are not UTF-8, which Python keeps as lone surrogates.
    """
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise InputError(f"{name} must be Unicode characters, to be saved in the settings, got {value!r}") from error
    return value


def text(name: str, value: Any) -> str:
    """Return `value` if it is a string; errors as above."""
    if not isinstance(value, str):
        raise refused(name, "a string", value)
    return str(value)


def one_of(name: str, value: Any, choices: Iterable[str]) -> str:
    """Return `value` if it is one of these strings; errors as above."""
    allowed = list(choices)
    if not isinstance(value, str) or value not in allowed:
        raise refused(name, f"one of {', '.join(allowed)}", value)
    return str(value)


def path_of(name: str, value: Any) -> Path:
    """Return `value` as a Path if it is a string or path that a file can have; errors as above."""
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
    """Return `value` if it is callable; errors as above."""
    if not callable(value):
        raise refused(name, "a function", value)
    called: Callable[..., Any] = value
    return called


def instance_of(name: str, value: Any, cls: type) -> Any:
    """Return `value` if it is an instance of a class; errors as above."""
    if not isinstance(value, cls):
        raise refused(name, f"{'an' if cls.__name__[0] in 'AEIOU' else 'a'} {cls.__name__}", value)
    return value


def sequence(name: str, value: Any, what: str = "values") -> list[Any]:
    """Return `value` as a list if it is a list, tuple, 1-d array or the like; not for strings and iterators."""
    listed = isinstance(value, Sequence) or (isinstance(value, np.ndarray) and value.ndim == 1)
    if not listed or isinstance(value, (str, bytes, bytearray, memoryview)):
        raise refused(name, f"a list of {what}", value)
    return list(value)


def listed(name: str, value: Any, what: str = "values") -> list[Any]:
    """Return `value` as a list if it is any iterable except a string; errors as above."""
    if isinstance(value, (str, bytes, bytearray, memoryview)):
        raise refused(name, f"a list of {what}", value)
    try:
        return list(value)
    except TypeError as error:
        raise refused(name, f"a list of {what}", value) from error


def dtype_of(name: str, value: Any) -> np.dtype[Any]:
    """Return `value` as a NumPy dtype of numbers, if it is one, its name or its type; errors as above."""
    try:
        dtype = np.dtype(value) if isinstance(value, (str, type, np.dtype)) else None
    except (TypeError, ValueError, SyntaxError):
        dtype = None
    if dtype is None or dtype.kind not in "biuf":
        raise refused(name, "a dtype of numbers, 'float32' say", value)
    return dtype


def array_of(name: str, value: Any) -> np.ndarray[Any, Any]:
    """Return `value` as a NumPy array if it is one of numbers or booleans, or a list that becomes one.

    Masked arrays are refused: their masked entries would count.

    Raises:
        InputError: it is not; the message names argument, rule and value.
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
    """An attribute that is checked whenever it is set, in a constructor or later.

        class Dropout:
            dropout_ratio = Checked(share)

    The value is stored in the instance's `__dict__`. There is no `__get__`, so reading costs no more than usual; a
    constructor must set the attribute.

    Args:
        check: takes the attribute's name and the value, and returns the value to store.
    """

    def __init__(self, check: Callable[[str, Any], T]) -> None:
        self.check = check

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    if TYPE_CHECKING:  # reading gives the type that the check returns

        def __get__(self, instance: Any, owner: type) -> T: ...

    def __set__(self, instance: Any, value: Any) -> None:
        instance.__dict__[self.name] = self.check(self.name, value)
