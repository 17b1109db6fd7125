"""The book's weight files: pickles, read by an unpickler that builds only plain data.

A pickle is a program; loading a stranger's with Python's own module may run anything. This unpickler allows arrays of
numbers, lists, tuples, sets, dictionaries, strings, bytes and numbers; anything else is an error. Arrays are built here
from their bytes, not by NumPy's unpickling, which trusts its input. It is based on Python's unpickler in Python: the
one in C allocates memory for whatever size of memo a pickle names, and hashes keys that take for ever.

The functions have the names of Python's module: in scripts run by `rnnlm book`, `import pickle` gives this module.
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
from typing import IO, Any, ClassVar

from rnnlm.book.pickle_builders import BUILDERS, BuiltArray, BuiltDtype, expect_plain
from rnnlm.errors import ModelFileError
from rnnlm.opening import regular_file

__all__ = ["dump", "dumps", "load", "loads"]

PURE: Any = pickle._Unpickler  # has no type stubs


class Unpickler(PURE):  # type: ignore[misc]
    """Python's unpickler, restricted to the classes and functions in `BUILDERS`.

    Args:
        file: an open file.

    Attributes:
        room: bytes left for objects built: all together must not be larger than the file.

    Raises:
        ModelFileError: the file needs anything else, or is damaged.
    """

    dispatch: ClassVar[dict[int, Any]] = dict(PURE.dispatch)

    def __init__(self, file: IO[bytes], **_: Any) -> None:
        self.name = str(getattr(file, "name", "the pickle"))
        content = file.read()
        self.room = len(content)
        super().__init__(io.BytesIO(content), encoding="latin1")

    def _built(self) -> None:
        """Count the object just built: by a few bytes a pickle may request the same large array as a copy again and
        again."""
        value = self.stack[-1]
        if isinstance(value, BuiltArray):
            self.room -= value.array.nbytes
        elif isinstance(value, (bytes, bytearray, set)):
            self.room -= len(value)
        if self.room < 0:
            raise ModelFileError("what a pickle holds must not be larger than the pickle")

    def _reduce(self) -> None:
        super().load_reduce()
        self._built()

    def _build(self) -> None:
        super().load_build()
        self._built()

    def _set_item(self) -> None:
        expect_plain(self.stack[-2:-1])
        super().load_setitem()

    def _set_items(self) -> None:
        expect_plain(self.stack[::2])
        super().load_setitems()

    def _make_dict(self) -> None:
        expect_plain(self.stack[::2])
        super().load_dict()

    def _add_items(self) -> None:
        expect_plain(self.stack)
        super().load_additems()

    def _make_frozenset(self) -> None:
        expect_plain(self.stack)
        super().load_frozenset()

    def find_class(self, module: str, name: str) -> Any:
        """Return a builder that a pickle may use."""
        if (module, name) not in BUILDERS:
            raise ModelFileError(
                f"{self.name} asks for {module}.{name}: a pickle may hold arrays of numbers, lists, dictionaries, "
                "strings and numbers, and nothing else"
            )
        return BUILDERS[module, name]

    def persistent_load(self, pid: Any) -> Any:
        """Refuse references to objects outside the pickle."""
        raise ModelFileError(f"{self.name} asks for what lies outside of it ({pid!r:.40}), which is not there")

    def load(self) -> Any:
        """Return the content of the file."""
        try:
            return _finished(super().load(), {})
        except ModelFileError as error:
            raise ModelFileError(str(error) if self.name in str(error) else f"{self.name}: {error}") from error
        except Exception as error:  # a damaged pickle may raise anything
            raise ModelFileError(f"{self.name} is not a pickle, or is damaged: {error!r:.200}") from error


Unpickler.dispatch |= {
    pickle.REDUCE[0]: Unpickler._reduce,
    pickle.BUILD[0]: Unpickler._build,
    pickle.SETITEM[0]: Unpickler._set_item,
    pickle.SETITEMS[0]: Unpickler._set_items,
    pickle.DICT[0]: Unpickler._make_dict,
    pickle.ADDITEMS[0]: Unpickler._add_items,
    pickle.FROZENSET[0]: Unpickler._make_frozenset,
}


def _finished(value: Any, seen: dict[int, Any]) -> Any:
    """Return a value in which arrays under construction are replaced by the finished ones.

    Args:
        seen: results for lists and dictionaries by id, so that each is converted once; None while one is being
            converted.
    """
    if isinstance(value, BuiltArray):
        return value.array
    if isinstance(value, BuiltDtype):
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
    """Return the content of an open file; errors are those of `Unpickler`."""
    return Unpickler(file).load()


def loads(data: bytes, **_: Any) -> Any:
    """Return the content of bytes; errors are those of `Unpickler`."""
    return Unpickler(io.BytesIO(data)).load()


def load_file(path: str | os.PathLike[str]) -> Any:
    """Return the content of a file by name; errors are those of `Unpickler`, or that it does not exist."""
    try:
        with regular_file(path, ModelFileError) as file:
            return load(file)
    except FileNotFoundError as error:
        raise ModelFileError(f"{path} does not exist") from error
