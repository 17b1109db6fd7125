"""The book's weight files: pickles, read by an unpickler that builds nothing but plain data.

A pickle is a program, and reading one of a stranger's with Python's own module may do anything. This one may ask for
arrays of numbers, lists, tuples, sets, dictionaries, strings, bytes and numbers; whatever else it asks for is an error.
Arrays are put together here, from their bytes, and not by NumPy's own unpickling, which trusts what it is given. It is
Python's reader that is written in Python: the other one makes room for what a pickle says that it will remember, and
hashes keys that take for ever.

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
from typing import IO, Any, ClassVar

from rnnlm.book.pickle_builders import BUILDERS, BuiltArray, BuiltDtype, expect_plain
from rnnlm.errors import ModelFileError
from rnnlm.opening import regular_file

__all__ = ["dump", "dumps", "load", "loads"]

PURE: Any = pickle._Unpickler  # which has no types


class Unpickler(PURE):  # type: ignore[misc]
    """Python's, which knows `BUILDERS` and no other class or function.

    Args:
        file: open.

    Attributes:
        room: bytes that what is built of others may still take: all together has no more of them than the file.

    Raises:
        ModelFileError: a file that asks for anything else, or is damaged.
    """

    dispatch: ClassVar[dict[int, Any]] = dict(PURE.dispatch)

    def __init__(self, file: IO[bytes], **_: Any) -> None:
        self.name = str(getattr(file, "name", "the pickle"))
        content = file.read()
        self.room = len(content)
        super().__init__(io.BytesIO(content), encoding="latin1")

    def _built(self) -> None:
        """Take into account what has just been built: by a few bytes a pickle may ask for the same large array, as a
        new one, again and again."""
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
    """A value with the arrays that were being built in it finished.

    Args:
        seen: what lists and dictionaries have become, by their ids, so that one that is met again is gone through once;
            None while inside of it.
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
    """What an open file holds; errors are those of `Unpickler`."""
    return Unpickler(file).load()


def loads(data: bytes, **_: Any) -> Any:
    """What bytes hold; errors are those of `Unpickler`."""
    return Unpickler(io.BytesIO(data)).load()


def load_file(path: str | os.PathLike[str]) -> Any:
    """What the file of this name holds; errors are those of `Unpickler`, or say that it is not there."""
    try:
        with regular_file(path, ModelFileError) as file:
            return load(file)
    except FileNotFoundError as error:
        raise ModelFileError(f"{path} does not exist") from error
