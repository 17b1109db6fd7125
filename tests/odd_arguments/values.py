"""Values that nobody should pass, and those that are right but unusual."""

import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from fractions import Fraction
from numbers import Integral, Real
from pathlib import Path
from typing import Any

import numpy as np

from rnnlm.backend import NAME, xp

LARGE, SMALL = 1e9, 1e-300  # beyond them a result may be infinite, a warning may be heard, a call may take for ever


class Whole(int):
    """A whole number of a class of its own."""


class Text(str):
    """A string of a class of its own."""


class Rows(np.ndarray):
    """An array of a class of its own."""


PLAIN: list[Callable[[], Any]] = [
    *(lambda value=value: value for value in (
        None, True, False, "", "no", b"", b"no", 1j, float("nan"), float("inf"), float("-inf"), -1, 0, 1, 2, 2**31, 2**32,
        2**64, -(2**63), 10**400, -(10**400), 10**5000, -0.0, 1e308, -1e308, 5e-324, 1.5, 0.5, -0.5, "\0", "\ud800", "a" * 5000,
        Decimal("0.5"), Fraction(1, 2), Fraction(10**400, 3), Whole(2), Text("no"), (), object, print, ..., range(3),
        np.float16(0.5), np.float64(0.5), np.float64("nan"), np.int8(1), np.uint64(2**63), np.bool_(True),
        np.complex64(1j), np.datetime64("2020-01-01"), np.timedelta64(1), np.str_("no"), np.dtype("float32"),
    )),
    list, dict, set, object, lambda: lambda *_: None, lambda: (i for i in range(3)), lambda: iter([1, 2]),
    lambda: [[1, 2], [3]], lambda: [1, 2], lambda: [0.5, "no"], lambda: [None], lambda: {"a": 1}, lambda: frozenset({1}),
    lambda: Path("nowhere"), lambda: bytearray(b"no"), lambda: memoryview(b"no"),
]  # fmt: skip
ARRAYS: list[Callable[[], Any]] = [
    lambda: np.array(0.5), lambda: np.array(1), lambda: np.zeros(0), lambda: np.zeros((0, 3)), lambda: np.zeros((2, 0), np.int64),
    lambda: np.ones(3), lambda: np.ones(3, np.int64), lambda: np.ones((2, 3), np.float32), lambda: np.ones((2, 3, 4), np.float32),
    lambda: np.ones((1, 1, 1, 1)), lambda: np.array([None, 1]), lambda: np.array(["no", "yes"]), lambda: np.array([True, False]),
    lambda: np.array([1j, 2]), lambda: np.array([2**32, 2**63], np.uint64), lambda: np.full((2, 3), np.nan, np.float32),
    lambda: np.ma.masked_array([1.0, 2.0], [False, True]), lambda: np.array(["2020"], "datetime64[Y]"),
    lambda: np.zeros(2, [("a", int)]), lambda: np.array([b"no"]),
]  # fmt: skip


def odd() -> list[tuple[str, Any]]:
    """Labels and values, made afresh."""
    values = [make() for make in (*PLAIN, *ARRAYS)]
    return [(shown(value), value) for value in values]


def shown(value: Any) -> str:
    """A short label of a value."""
    if isinstance(value, np.ndarray):
        return f"{type(value).__name__} {value.dtype}{list(value.shape)}"
    try:
        return f"{type(value).__name__} {repr(value)[:40]}"
    except ValueError:
        return f"{type(value).__name__} of many digits"


def like(valid: Any) -> Iterator[tuple[str, Any, bool]]:
    """Labels and values made from a valid one, and whether they are equal to it."""
    if isinstance(valid, xp.ndarray) and valid.dtype.kind in "biuf":
        yield from _memory(valid)
        if NAME == "numpy":
            yield from _numpy_kinds(valid)
        yield from _contents(valid)
    elif isinstance(valid, (bool, np.bool_)):
        yield "numpy.bool_", np.bool_(valid), True
        yield "as a number", int(valid), False
    elif isinstance(valid, Integral):
        yield from ((f"{kind.__name__} the same", kind(valid), True) for kind in (np.int8, np.int64, np.uint64, Whole))
        yield "as a float", float(valid), False
        yield "as a string", str(valid), False
        yield "as an array", np.array(valid), False
        yield "negated", -valid or -1, False
    elif isinstance(valid, Real):
        yield from ((f"{kind.__name__} the same", kind(valid), True) for kind in (np.float32, np.float64))
        yield "as a string", str(valid), False
        yield "as an array", np.array(valid), False
        yield "negated", -valid or -1.0, False
    elif isinstance(valid, str):
        yield "of a class of its own", Text(valid), True
        yield "numpy.str_", np.str_(valid), True
        yield "in capitals", valid.upper() + "X", False
        yield "as bytes", valid.encode(), False
    elif isinstance(valid, (list, tuple)):
        yield "one less", valid[:-1], False
        yield "one more", valid + valid[:1], False
        yield "None for the last", type(valid)([*valid[:-1], None]), False


def _memory(valid: Any) -> Iterator[tuple[str, Any, bool]]:
    """The same numbers in memory of another order."""
    twice = xp.zeros((*valid.shape, 2), valid.dtype)
    twice[..., 0] = valid
    yield "with gaps", twice[..., 0], True
    yield "of negative strides", xp.ascontiguousarray(valid[::-1])[::-1] if valid.ndim else valid, True
    yield "of Fortran's order", xp.asfortranarray(valid), True


def _numpy_kinds(valid: Any) -> Iterator[tuple[str, Any, bool]]:
    fixed = valid.copy()
    fixed.flags.writeable = False
    yield "read-only", fixed, True
    yield "of a class of its own", valid.copy().view(Rows), True
    if valid.size:
        with tempfile.NamedTemporaryFile(delete=False) as file:
            mapped = np.memmap(file, valid.dtype, "w+", shape=valid.shape)
        os.unlink(file.name)
        mapped[...] = valid
        yield "memmap", mapped, True
    masked = np.ma.masked_array(valid.copy(), np.zeros(valid.shape, bool))
    masked[..., -1] = np.ma.masked
    yield "masked", masked, False
    if valid.ndim == 2:
        yield "matrix", valid.copy().view(np.matrix), False
    if valid.dtype.itemsize > 1:
        yield "of the other byte order", valid.astype(valid.dtype.newbyteorder()), True
    yield "as a list", valid.tolist(), False


def _contents(valid: Any) -> Iterator[tuple[str, Any, bool]]:
    """Other numbers, dtypes and shapes."""
    for dtype in ("bool", "complex64", "float16", "float64", "int8", "uint64"):
        if valid.dtype != dtype:
            yield f"as {dtype}", valid.astype(dtype), False
    if NAME == "numpy":
        yield "as object", valid.astype(object), False
        yield "as str", valid.astype(str), False
    yield "an axis more", valid[None], False
    yield "an axis less", valid[0] if len(valid) else valid, False
    yield "without rows", valid[:0], False
    yield "one row less", valid[:-1], False
    if valid.ndim > 1:
        yield "one column less", valid[:, :-1], False
        yield "turned", valid.swapaxes(0, 1), False
    if valid.dtype.kind in "iu" and valid.size:
        for wrong in (-1, -(2**31), 127, 2**31, 2**32):
            ids = valid.astype(xp.int64)
            ids.reshape(-1)[-1] = wrong
            yield f"with {wrong} for an id", ids, False
    if valid.dtype.kind == "f":
        yield "NaN", xp.full_like(valid, xp.nan), False
        yield "infinite", xp.full_like(valid, xp.inf), False
        yield "huge", xp.full_like(valid, 1e30), False


def may_stand_for(given: Any, valid: Any) -> bool:
    """Whether a value is of the kind of a valid one: a number for a number, a string for a string, no NaN."""
    if valid is None:
        return True
    if isinstance(valid, (bool, np.bool_)):
        return isinstance(given, (bool, np.bool_))
    if isinstance(valid, Integral):
        return isinstance(given, Integral) and not isinstance(given, (bool, np.timedelta64))
    if isinstance(valid, Real):
        return isinstance(given, Real) and not isinstance(given, (bool, np.timedelta64)) and bool(given == given)
    if isinstance(valid, (str, os.PathLike)):
        return isinstance(given, str) or (isinstance(valid, os.PathLike) and isinstance(given, os.PathLike))
    if isinstance(valid, xp.ndarray):
        kinds = "iu" if valid.dtype.kind in "iu" else valid.dtype.kind
        return (
            isinstance(given, xp.ndarray)
            and (given.dtype.kind in kinds and bool(given.ndim))
            and not isinstance(given, (np.ma.MaskedArray, np.matrix))
        )
    if isinstance(valid, Mapping):
        return isinstance(given, Mapping)
    if isinstance(valid, (list, tuple)):
        return isinstance(given, (list, tuple))
    return callable(given) if callable(valid) else isinstance(given, type(valid))


def is_extreme(value: Any) -> bool:
    """Whether a value holds numbers so large, or so near 0, or none at all, that infinite results are no surprise."""
    try:
        array = np.asarray(value)
        sizes = np.abs(array if array.dtype.kind == "c" else array.astype(np.float64))
    except (TypeError, ValueError, OverflowError):
        return isinstance(value, Real)
    if not sizes.size:
        return False
    return not bool((sizes < LARGE).all()) or 0 < sizes.max() < SMALL
