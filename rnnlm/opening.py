"""Opening files that may be anyone's.

Where a file should be, a stranger may have put a pipe that nobody writes to, a device without an end, a line of a
terabyte, or JSON that says two things. What is opened here is a file and is not waited for, and what is read has a
bound. Texts are the exception: they may come through a pipe.
"""

import errno
import json
import os
import re
import stat
from collections import Counter
from collections.abc import Iterator
from io import BufferedReader
from math import isfinite
from pathlib import Path
from typing import IO, Any, AnyStr, NoReturn

from rnnlm.errors import RnnlmError

__all__ = ["LARGEST", "LONGEST_LINE", "lines_within", "read_json", "read_whole", "regular_file", "size_of"]

LARGEST = 1_000_000  # bytes of JSON or TOML, unless another limit is said; a real one has some hundreds
LONGEST_LINE = 1 << 24  # bytes or characters of a line that has to be held as a whole
DIGITS = 300  # of a whole number: a float can be made of it
NO_FILE = (errno.ELOOP, errno.ENOTDIR, errno.ENXIO, errno.ENAMETOOLONG)  # errors that are the path's own
KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


def regular_file(path: str | os.PathLike[str], wrong: type[RnnlmError], within: int | None = None) -> BufferedReader:
    """A file opened to be read, which is none but a file: no folder, no pipe, no device. A link to a file is one.

    Args:
        path: of the file.
        wrong: the class of the error for anything else.
        within: an open folder, in which the last part of `path` is the file's name; `path` is what errors say then.

    Raises:
        RnnlmError: of class `wrong`, another kind of thing, or a path that leads nowhere.
        OSError: as the operating system says; a FileNotFoundError if nothing is there.
    """
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)  # to open a pipe may take for ever
    try:
        number = os.open(path if within is None else Path(path).name, flags, dir_fd=within)
    except OSError as error:
        error.filename = os.fspath(path)
        if error.errno in NO_FILE:
            raise wrong(f"{path} is not a file: {error.strerror}") from error
        raise
    kind = stat.S_IFMT(os.fstat(number).st_mode)
    if kind == stat.S_IFREG:
        return os.fdopen(number, "rb")
    os.close(number)
    raise wrong(f"{path} is not a file, but {KINDS.get(kind, 'something else')}")


def size_of(file: IO[Any]) -> int:
    """Bytes of an open file."""
    return os.fstat(file.fileno()).st_size


def read_whole(path: str | os.PathLike[str], wrong: type[RnnlmError], most: int = LARGEST) -> bytes:
    """All of a file, of at most so many bytes; errors are those of `regular_file`, and `wrong` for a larger one."""
    with regular_file(path, wrong) as file:
        if size_of(file) > most:
            raise wrong(f"{path} must have at most {most:,} bytes, got {size_of(file):,}")
        return file.read(most)


def lines_within(file: IO[AnyStr], path: str | os.PathLike[str], wrong: type[RnnlmError]) -> Iterator[AnyStr]:
    """The lines of an open file with their ends, none of them longer than `LONGEST_LINE`.

    Raises:
        RnnlmError: of class `wrong`, naming the line that is longer.
    """
    number = 0
    while line := file.readline(LONGEST_LINE + 1):
        number += 1
        if len(line) > LONGEST_LINE:
            raise wrong(f"{path}, line {number}: a line must have at most {LONGEST_LINE:,} characters")
        yield line


def read_json(content: bytes, most: int = LARGEST, finite: bool = True) -> Any:
    """What JSON in UTF-8 says, if it says it once and in measure.

    Args:
        content: the JSON.
        most: bytes of it at most.
        finite: refuse NaN and infinity.

    Raises:
        ValueError: too large, not JSON, nested too deeply, a key that is there twice, a number that is too large,
            NaN or infinite, half of a surrogate pair, which is no character.
    """
    if len(content) > most:
        raise ValueError(f"it must have at most {most:,} bytes, got {len(content):,}")
    numbers: dict[str, Any] = {"parse_float": _finite, "parse_constant": _no_number} if finite else {}
    text = content.decode()
    try:
        value = json.loads(text, object_pairs_hook=_once, parse_int=_whole, **numbers)
        if re.search(r"\\u[dD][89a-fA-F]", text):
            json.dumps(value, ensure_ascii=False).encode()  # which only characters can be
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    return value


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A dictionary of pairs whose keys differ."""
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = Counter(key for key, _ in pairs).most_common(1)[0][0]
        raise ValueError(f"{twice[:80]!r} is there twice")
    return found


def _whole(text: str) -> int:
    """A whole number of so many digits that a float can be made of it."""
    if len(text) > DIGITS:
        raise ValueError(f"a number must have at most {DIGITS} digits, got {len(text):,}")
    return int(text)


def _finite(text: str) -> float:
    """A number that is not too large."""
    value = float(text)
    if not isfinite(value):
        raise ValueError(f"a number must be finite, got {text[:40]}")
    return value


def _no_number(text: str) -> NoReturn:
    """NaN and infinities, which JSON has not."""
    raise ValueError(f"a number must be finite, got {text}")
