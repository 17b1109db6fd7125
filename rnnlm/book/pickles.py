"""The book's weight files: pickles, read by an unpickler that builds nothing but plain data.

A pickle is a program, and reading one of a stranger's with Python's own module may do anything. This one may ask for
arrays of numbers, lists, tuples, sets, dictionaries, strings, bytes and numbers; whatever else it asks for is an error.
Arrays are put together here, from their bytes, and not by NumPy's own unpickling, which trusts what it is given.

The functions have the names of Python's module: `rnnlm book` gives a script this one where it says `import pickle`.
"""

import io
import os
import pickle
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
DEEPEST = 50  # lists in lists


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


BUILDERS: dict[tuple[str, str], Any] = {
    ("numpy", "dtype"): _Dtype,
    ("numpy", "ndarray"): "ndarray",  # only ever the first argument of the next ones
    ("_codecs", "encode"): _encoded,
    ("builtins", "set"): set,
    ("__builtin__", "set"): set,
    ("builtins", "bytearray"): bytearray,
    **{(f"numpy.{core}.multiarray", "_reconstruct"): _Array for core in ("core", "_core")},
    **{(f"numpy.{core}.multiarray", "scalar"): _scalar for core in ("core", "_core")},
    **{(f"numpy.{core}.numeric", "_frombuffer"): _from_buffer for core in ("core", "_core")},
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
            return _finished(super().load(), 0)
        except ModelFileError as error:
            raise ModelFileError(str(error) if self.name in str(error) else f"{self.name}: {error}") from error
        except Exception as error:  # a damaged pickle may fail in any way that Python has
            raise ModelFileError(f"{self.name} is not a pickle, or is damaged: {error!r:.200}") from error


def _finished(value: Any, depth: int) -> Any:
    """A value with the arrays that were being built in it finished."""
    if depth > DEEPEST:
        raise ModelFileError(f"lists in lists must be at most {DEEPEST} deep")
    if isinstance(value, _Array):
        return value.array
    if isinstance(value, _Dtype):
        return value.dtype
    if isinstance(value, dict):
        return {_finished(key, depth + 1): _finished(one, depth + 1) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_finished(one, depth + 1) for one in value)
    return value


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
