"""The book's weight files: pickles, read by an unpickler that builds nothing but plain data.

A pickle is a program, and reading one of a stranger's with Python's own module may do anything. This one may ask for
arrays of numbers, lists, tuples, sets, dictionaries, strings, bytes and numbers; whatever else it asks for is an error.
Arrays are put together here, from their bytes, and not by NumPy's own unpickling, which trusts what it is given.

The functions have the names of Python's module: `rnnlm book` gives a script this one where it says `import pickle`.
"""

import io
import os
import pickle
from collections.abc import Callable
from pickle import (
    DEFAULT_PROTOCOL as DEFAULT_PROTOCOL,
    HIGHEST_PROTOCOL as HIGHEST_PROTOCOL,
    PickleError as PickleError,
    PicklingError as PicklingError,
    UnpicklingError as UnpicklingError,
    dump as dump,
    dumps as dumps,
)
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from rnnlm.errors import ModelFileError

__all__ = ["dump", "dumps", "load", "loads"]

KINDS = "biuf"  # of numbers in an array


class _Dtype:
    """A dtype that is still being told its byte order."""

    def __init__(self, name: Any, *_: Any) -> None:
        if isinstance(name, bytes):
            name = name.decode("ascii")
        self.dtype = np.dtype(name if isinstance(name, str) else "O")
        if self.dtype.kind not in KINDS or self.dtype.fields is not None or self.dtype.shape:
            raise ModelFileError(f"an array in a pickle must be of numbers, got dtype {name!r:.40}")

    def __setstate__(self, state: Any) -> None:
        if state[1] in ("<", ">"):
            self.dtype = self.dtype.newbyteorder(state[1])


class _Array:
    """An array that is still being told what is in it."""

    def __init__(self, *_: Any) -> None:
        self.array: NDArray[Any] = np.empty(0)

    def __setstate__(self, state: Any) -> None:
        _version, shape, dtype, fortran, raw = state
        self.array = _filled(raw, dtype, shape, "F" if fortran else "C")


def _filled(raw: Any, dtype: Any, shape: Any, order: Any) -> NDArray[Any]:
    """An array of its own from its bytes."""
    raw = raw.encode("latin-1") if isinstance(raw, str) else raw
    return np.frombuffer(raw, dtype.dtype).reshape(shape, order=order).astype(dtype.dtype.newbyteorder("="))


def _from_buffer(raw: Any, dtype: Any, shape: Any, order: Any) -> _Array:
    built = _Array()
    built.array = _filled(raw, dtype, shape, order)
    return built


def _scalar(dtype: Any, raw: Any) -> Any:
    return _filled(raw, dtype, (1,), "C")[0]


def _encoded(text: str, encoding: str) -> bytes:
    """Bytes, as protocols before 3 spell them."""
    if encoding not in ("latin1", "latin-1"):
        raise ModelFileError(f"bytes in a pickle must be spelled in latin1, got {encoding!r:.40}")
    return text.encode("latin-1")


def _bytearray(data: bytes = b"") -> bytearray:
    if not isinstance(data, bytes):
        raise ModelFileError(f"a bytearray in a pickle must be made of bytes, got {data!r:.40}")
    return bytearray(data)


class _Builder:
    """A function that a pickle may call, and do nothing else with."""

    __slots__ = ("_function",)

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function

    def __call__(self, *arguments: Any) -> Any:
        return self._function(*arguments)

    def __setstate__(self, state: Any) -> None:
        raise ModelFileError("a pickle must not change what it is read with")


BUILDERS: dict[tuple[str, str], Any] = {
    ("numpy", "dtype"): _Dtype,
    ("numpy", "ndarray"): "ndarray",  # only ever the first argument of _reconstruct
    ("_codecs", "encode"): _Builder(_encoded),
    **{(module, "set"): _Builder(set) for module in ("builtins", "__builtin__")},
    **{(module, "bytes"): _Builder(lambda: b"") for module in ("builtins", "__builtin__")},
    **{(module, "bytearray"): _Builder(_bytearray) for module in ("builtins", "__builtin__")},
    **{(f"numpy.{core}.multiarray", "_reconstruct"): _Array for core in ("core", "_core")},
    **{(f"numpy.{core}.multiarray", "scalar"): _Builder(_scalar) for core in ("core", "_core")},
    **{(f"numpy.{core}.numeric", "_frombuffer"): _Builder(_from_buffer) for core in ("core", "_core")},
}


class Unpickler(pickle.Unpickler):
    """Python's, which knows `BUILDERS` and no other class or function.

    Raises:
        ModelFileError: a file that asks for anything else, or is damaged.
    """

    def __init__(self, file: IO[bytes], **_: Any) -> None:
        super().__init__(file, encoding="latin1")
        self.name = str(getattr(file, "name", "the pickle"))

    def find_class(self, module: str, name: str) -> Any:
        """What a pickle may ask for."""
        if (module, name) not in BUILDERS:
            raise ModelFileError(
                f"{self.name} asks for {module}.{name}: a pickle may hold arrays of numbers, lists, dictionaries, "
                "strings and numbers, and nothing else"
            )
        return BUILDERS[module, name]

    def persistent_load(self, pid: Any) -> Any:
        """Nothing lies outside."""
        raise ModelFileError(f"{self.name} asks for what lies outside of it ({pid!r:.40}), which is not to be had")

    def load(self) -> Any:
        """What the file holds."""
        try:
            return _finished(super().load(), {})
        except ModelFileError as error:
            raise ModelFileError(str(error) if self.name in str(error) else f"{self.name}: {error}") from error
        except Exception as error:  # a damaged pickle may fail in any way that Python has
            raise ModelFileError(f"{self.name} is not a pickle, or is damaged: {error!r:.200}") from error


def _finished(value: Any, seen: dict[int, Any]) -> Any:
    """A value with the arrays that were being built in it finished.

    Args:
        seen: what lists and dictionaries have become, by their ids, so that one that is met again is gone through once;
            None while inside of it.
    """
    if isinstance(value, _Array):
        return value.array
    if isinstance(value, _Dtype):
        return value.dtype
    if not isinstance(value, (dict, list, tuple, set)):
        return value
    if id(value) in seen and seen[id(value)] is None:
        raise ModelFileError("a list must not hold itself")
    if id(value) not in seen:
        seen[id(value)] = None
        if isinstance(value, dict):
            seen[id(value)] = {_finished(key, seen): _finished(one, seen) for key, one in value.items()}
        else:
            seen[id(value)] = type(value)(_finished(one, seen) for one in value)
    return seen[id(value)]


def load(file: IO[bytes], **_: Any) -> Any:
    """What an open file holds; errors are those of `Unpickler`."""
    return Unpickler(file).load()


def loads(data: bytes, **_: Any) -> Any:
    """What bytes hold; errors are those of `Unpickler`."""
    return Unpickler(io.BytesIO(data)).load()


def load_file(path: str | os.PathLike[str]) -> Any:
    """What the file of this name holds; errors are those of `Unpickler`, or say that it is not there."""
    try:
        with open(path, "rb") as file:
            return load(file)
    except FileNotFoundError as error:
        raise ModelFileError(f"{path} does not exist") from error
