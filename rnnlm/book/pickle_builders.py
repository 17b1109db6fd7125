"""Objects that a pickle may build: arrays of numbers, from their bytes, and plain data; nothing else."""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnlm.errors import ModelFileError

__all__ = ["BUILDERS", "BuiltArray", "BuiltDtype", "expect_plain"]

KINDS = "biuf"  # dtype kinds allowed in arrays
PLAIN = (str, bytes, int, float, complex, bool, type(None))  # types allowed as keys


class BuiltDtype:
    """A dtype under construction: the byte order follows."""

    def __init__(self, name: Any, *_: Any) -> None:
        if isinstance(name, bytes):
            name = name.decode("ascii")
        self.dtype = np.dtype(name if isinstance(name, str) else "O")
        if self.dtype.kind not in KINDS or self.dtype.fields is not None or self.dtype.shape:
            raise ModelFileError(f"an array in a pickle must be of numbers, got dtype {name!r:.40}")

    def __setstate__(self, state: Any) -> None:
        if state[1] in ("<", ">"):
            self.dtype = self.dtype.newbyteorder(state[1])


class BuiltArray:
    """An array under construction: the content follows."""

    def __init__(self, *_: Any) -> None:
        self.array: NDArray[Any] = np.empty(0)

    def __setstate__(self, state: Any) -> None:
        _version, shape, dtype, fortran, raw = state
        self.array = _filled(raw, dtype, shape, "F" if fortran else "C")


def _filled(raw: Any, dtype: Any, shape: Any, order: Any) -> NDArray[Any]:
    """Return a new array from its bytes."""
    raw = raw.encode("latin-1") if isinstance(raw, str) else raw
    return np.frombuffer(raw, dtype.dtype).reshape(shape, order=order).astype(dtype.dtype.newbyteorder("="))


def _from_buffer(raw: Any, dtype: Any, shape: Any, order: Any) -> BuiltArray:
    built = BuiltArray()
    built.array = _filled(raw, dtype, shape, order)
    return built


def _scalar(dtype: Any, raw: Any) -> Any:
    return _filled(raw, dtype, (1,), "C")[0]


def _encoded(text: str, encoding: str) -> bytes:
    """Return bytes from their spelling in protocols before 3."""
    if encoding not in ("latin1", "latin-1"):
        raise ModelFileError(f"bytes in a pickle must be spelled in latin1, got {encoding!r:.40}")
    return text.encode("latin-1")


def _bytearray(data: bytes = b"") -> bytearray:
    if not isinstance(data, bytes):
        raise ModelFileError(f"a bytearray in a pickle must be made of bytes, got {data!r:.40}")
    return bytearray(data)


def expect_plain(keys: Iterable[Any]) -> None:
    """Check that dictionary keys or set members hash quickly: nested tuples may take for ever.

    Raises:
        ModelFileError: other keys than strings, numbers and tuples of them.
    """
    for key in keys:
        for part in key if type(key) is tuple else (key,):
            if type(part) not in PLAIN:
                raise ModelFileError(f"a key in a pickle must be a string or a number, got {type(part).__name__}")


def _set(members: Any = ()) -> set[Any]:
    expect_plain(members)
    return set(members)


class _Builder:
    """A function that a pickle may call but not modify."""

    __slots__ = ("_function",)

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function

    def __call__(self, *arguments: Any) -> Any:
        return self._function(*arguments)

    def __setstate__(self, state: Any) -> None:
        raise ModelFileError("a pickle must not change what it is read with")


BUILDERS: dict[tuple[str, str], Any] = {
    ("numpy", "dtype"): BuiltDtype,
    ("numpy", "ndarray"): "ndarray",  # only as the first argument of _reconstruct
    ("_codecs", "encode"): _Builder(_encoded),
    **{(module, "set"): _Builder(_set) for module in ("builtins", "__builtin__")},
    **{(module, "bytes"): _Builder(lambda: b"") for module in ("builtins", "__builtin__")},
    **{(module, "bytearray"): _Builder(_bytearray) for module in ("builtins", "__builtin__")},
    **{(f"numpy.{core}.multiarray", "_reconstruct"): BuiltArray for core in ("core", "_core")},
    **{(f"numpy.{core}.multiarray", "scalar"): _Builder(_scalar) for core in ("core", "_core")},
    **{(f"numpy.{core}.numeric", "_frombuffer"): _Builder(_from_buffer) for core in ("core", "_core")},
}
