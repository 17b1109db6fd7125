"""Does an odd argument give a wrong number in silence, or an error that doesn't say what is wrong?

`entries` has functions, each with a valid call. One argument of that call at a time, sometimes two, is replaced by a
value that nobody should pass. It may then be refused by an `RnnlmError` that names the argument (or one that it doesn't go
with), and what the function belongs to must be as before: the valid call gives the same numbers. Or it is taken, if it is of the argument's kind, and
then gives what an equal argument gives. All else is a finding.

    python -m tests.odd_arguments --count 5000 --seed 0 [--only TEXT]
"""

import random
import signal
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from io import StringIO
from typing import Any

import numpy as np

from rnnlm.backend import ops, xp
from rnnlm.errors import RnnlmError
from tests.odd_arguments.values import is_extreme, like, may_stand_for, odd, shown

SECONDS = 3  # that a call may take: who asks for 2**32 epochs gets them


@dataclass(frozen=True)
class Call:
    """A function and valid arguments, fresh, by name."""

    function: Callable[..., Any]
    arguments: dict[str, Any]


@dataclass(frozen=True)
class Entry:
    """A function to be tried.

    Attributes:
        name: what findings call it.
        make: a valid call, fresh each time: the same numbers each time, so seeds have to be given.
        takes: by argument, the types of other values that are welcome there, `type(None)` where nothing will do.
        also: by argument, words that may stand for its name in a message.
        errors: that it may raise beside `RnnlmError`, OSError for a file, say.
        writes: arguments that it writes to.
    """

    name: str
    make: Callable[[], Call]
    takes: dict[str, tuple[type, ...]] = field(default_factory=dict)
    also: dict[str, tuple[str, ...]] = field(default_factory=dict)
    errors: tuple[type[BaseException], ...] = ()
    writes: tuple[str, ...] = ()


entries: list[Entry] = []


def entry(name: str, function: Callable[..., Any], arguments: Callable[[], dict[str, Any]], **options: Any) -> None:
    """Add a plain function to the table."""
    entries.append(Entry(name, lambda: Call(function, arguments()), **options))


def method(
    name: str, make: Callable[[], Any], called: str, arguments: Callable[[], dict[str, Any]], **options: Any
) -> None:
    """Add a method to the table, of an object made afresh for each try."""
    entries.append(Entry(name, lambda: Call(getattr(make(), called), arguments()), **options))


# ---------------------------------------------------------------- trying


@dataclass(frozen=True)
class Finding:
    """What should not be: of which kind, and what was called how."""

    entry: str
    argument: str
    kind: str
    value: str
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.entry}({self.argument}={self.value}): {self.kind} {self.detail}".rstrip()


class TooLong(BaseException):
    """The call takes longer than anyone waits here."""


def tries(count: int, seed: int, only: str = "") -> Iterator[Finding | None]:
    """So many tries, the same for the same seed; what was found by each."""
    rng = random.Random(seed)
    wanted = [one for one in entries if only in one.name]
    expected: dict[str, Any] = {}
    for _ in range(count):
        one = rng.choice(wanted)
        arguments = one.make().arguments
        if not arguments:
            continue
        names = rng.sample(list(arguments), 2 if len(arguments) > 1 and rng.random() < 0.1 else 1)
        if one.name not in expected:
            expected[one.name] = _expected(one)
        yield attempt(one, {name: _choose(rng, arguments[name]) for name in names}, expected[one.name])


def _choose(rng: random.Random, valid: Any) -> tuple[str, Any, bool]:
    """An odd value for an argument: its label, itself, and whether it is equal to the valid one."""
    variants = list(like(valid))
    if variants and rng.random() < 0.5:
        return rng.choice(variants)
    return (*rng.choice(odd()), False)


def attempt(one: Entry, values: dict[str, tuple[str, Any, bool]], expected: Any) -> Finding | None:
    """Call with these odd values (label, value, whether it is the same) in place of valid arguments."""
    call = one.make()
    arguments = {**call.arguments, **{name: value for name, (_, value, _) in values.items()}}
    name, label = ", ".join(values), ", ".join(label for label, _, _ in values.values())
    before = {key: numbers(value) for key, value in arguments.items() if key not in one.writes and _is_array(value)}

    def found(kind: str, detail: Any = "") -> Finding:
        return Finding(one.name, name, kind, label, " ".join(str(detail).split())[:300])

    try:
        with _limited():
            result = numbers(call.function(**arguments))
    except RnnlmError as error:
        words = [word for key in values for word in (key, *one.also.get(key, ()))]
        if all(may_stand_for(value, call.arguments[key]) for key, (_, value, _) in values.items()):
            words += call.arguments  # it doesn't go with another argument, which may be the one that is named
        if not any(word in str(error) for word in words):
            return found("unnamed", error)
        try:
            with _limited():
                again = numbers(call.function(**one.make().arguments))
        except Exception as trouble:
            return found("valid call refused after an error", trouble)
        return None if same(again, expected) else found("state changed by an error", error)
    except one.errors:
        return None
    except TooLong:
        return None if any(is_extreme(value) for _, value, _ in values.values()) else found("takes long")
    except RuntimeWarning as warning:
        if any(is_extreme(value) for _, value, _ in values.values()):
            return None
        return found(type(warning).__name__, warning)
    except Exception as error:
        return found(type(error).__name__, error)
    for key, kept in before.items():
        if not same(numbers(arguments[key]), kept):
            return found("input written to", key)
    for key, (_, value, _) in values.items():
        if not (may_stand_for(value, call.arguments[key]) or isinstance(value, one.takes.get(key, ()))):
            return found("taken", key)
    if all(equal for _, _, equal in values.values()):
        return None if same(result, expected) else found("another result for the same value")
    if not any(is_extreme(value) for _, value, _ in values.values()) and not _finite(result):
        return found("result not finite")
    return None


def _expected(one: Entry) -> Any:
    call = one.make()
    return numbers(call.function(**call.arguments))


@contextmanager
def _limited() -> Iterator[None]:
    """Warnings are errors, nothing is printed, and it takes no longer than `SECONDS`.

    The timer goes off again and again: what is raised while Python runs a callback of its garbage collector (Hypothesis
    has one) or a `__del__` is dropped there, and the call would go on until the memory is full.
    """

    def stop(*_: Any) -> None:
        raise TooLong

    earlier = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, SECONDS, 1)
    try:
        with warnings.catch_warnings(), redirect_stdout(StringIO()), redirect_stderr(StringIO()):
            warnings.simplefilter("error")
            yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, earlier)


# ---------------------------------------------------------------- results


def _is_array(value: Any) -> bool:
    return isinstance(value, (np.ndarray, xp.ndarray)) and value.dtype.kind != "O"


def numbers(result: Any) -> Any:
    """A copy of what came of a call: arrays on the host, in lists and dictionaries; of other things what they show."""
    if isinstance(result, (np.ndarray, xp.ndarray, np.generic)):
        return np.array(ops.asnumpy(result))
    if isinstance(result, (list, tuple)):
        return [numbers(one) for one in result]
    if isinstance(result, dict):
        return {key: numbers(one) for key, one in result.items()}
    if hasattr(result, "params"):
        return numbers(list(result.params))
    return result if isinstance(result, (int, float, str, bytes, type(None))) else shown(result)


def same(a: Any, b: Any) -> bool:
    """Whether two results are equal, but for the last bits, in which memory of another order may differ."""
    if isinstance(a, np.ndarray) and isinstance(b, np.ndarray):
        if a.shape != b.shape or a.dtype.kind not in "fc":
            return np.array_equal(a, b)
        return np.allclose(a, b, rtol=1e-4, atol=1e-6, equal_nan=True)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, float) and isinstance(b, float):
        return bool(np.isclose(a, b, rtol=1e-4, atol=1e-6, equal_nan=True))
    return type(a) is type(b) and a == b


def _finite(result: Any) -> bool:
    if isinstance(result, np.ndarray):
        return result.dtype.kind not in "fc" or bool(np.isfinite(result).all())
    if isinstance(result, (list, dict)):
        return all(map(_finite, result.values() if isinstance(result, dict) else result))
    return not isinstance(result, float) or bool(np.isfinite(result))
