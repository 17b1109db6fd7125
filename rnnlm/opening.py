"""Opening files that may come from anyone.

In place of a file there may be a pipe that nobody writes to, an endless device, a line of a terabyte, or JSON with
duplicate keys. The functions here open regular files only, never block, and limit what is read. Texts are the
exception: they may come through a pipe.
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

LARGEST = 1_000_000  # bytes of JSON or TOML by default; real files have some hundreds
LONGEST_LINE = 1 << 24  # bytes or characters of a line that must fit into memory
DIGITS = 300  # most digits of a whole number, so that a float can hold it
NO_FILE = (errno.ELOOP, errno.ENOTDIR, errno.ENXIO, errno.ENAMETOOLONG)  # errors due to the path
KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


def regular_file(path: str | os.PathLike[str], wrong: type[RnnlmError], within: int | None = None) -> BufferedReader:
    """Open a regular file for reading; not a folder, pipe or device. A link to a file is accepted.

    Args:
        path: path of the file.
        wrong: exception class for anything else.
        within: descriptor of an open folder, in which the last part of `path` is opened; `path` is then used in errors
            only.

    Raises:
        RnnlmError: of class `wrong`: not a regular file, or an impossible path.
        OSError: from the operating system; FileNotFoundError if nothing is there.
    """
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)  # opening a pipe may block
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
    """Return the size of an open file in bytes."""
    return os.fstat(file.fileno()).st_size


def read_whole(path: str | os.PathLike[str], wrong: type[RnnlmError], most: int = LARGEST) -> bytes:
    """Return the content of a file of at most `most` bytes; errors as of `regular_file`, `wrong` for a larger one."""
    with regular_file(path, wrong) as file:
        if size_of(file) > most:
            raise wrong(f"{path} must have at most {most:,} bytes, got {size_of(file):,}")
        return file.read(most)


def lines_within(file: IO[AnyStr], path: str | os.PathLike[str], wrong: type[RnnlmError]) -> Iterator[AnyStr]:
    """Yield the lines of an open file with their ends; each must have at most `LONGEST_LINE` characters.

    Raises:
        RnnlmError: of class `wrong`; the message names the line that is too long.
    """
    number = 0
    while line := file.readline(LONGEST_LINE + 1):
        number += 1
        if len(line) > LONGEST_LINE:
            raise wrong(f"{path}, line {number}: a line must have at most {LONGEST_LINE:,} characters")
        yield line


def read_json(content: bytes, most: int = LARGEST, finite: bool = True) -> Any:
    """Parse JSON in UTF-8, strictly.

    Args:
        content: the JSON.
        most: largest size in bytes.
        finite: refuse NaN and infinity.

    Raises:
        ValueError: too large, not JSON, nested too deeply, a duplicate key, a number that is too large, NaN or
            infinite, or a lone surrogate.
    """
    if len(content) > most:
        raise ValueError(f"it must have at most {most:,} bytes, got {len(content):,}")
    numbers: dict[str, Any] = {"parse_float": _finite, "parse_constant": _no_number} if finite else {}
    text = content.decode()
    try:
        value = json.loads(text, object_pairs_hook=_once, parse_int=_whole, **numbers)
        if re.search(r"\\u[dD][89a-fA-F]", text):
            json.dumps(value, ensure_ascii=False).encode()  # fails for lone surrogates
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    return value


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return a dictionary of pairs; refuses duplicate keys."""
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = Counter(key for key, _ in pairs).most_common(1)[0][0]
        raise ValueError(f"{twice[:80]!r} is there twice")
    return found


def _whole(text: str) -> int:
    """Return a whole number; refuses more digits than a float can hold."""
    if len(text) > DIGITS:
        raise ValueError(f"a number must have at most {DIGITS} digits, got {len(text):,}")
    return int(text)


def _finite(text: str) -> float:
    """Return a float; refuses numbers that overflow."""
    value = float(text)
    if not isfinite(value):
        raise ValueError(f"a number must be finite, got {text[:40]}")
    return value


def _no_number(text: str) -> NoReturn:
    """Refuse NaN and infinities, which are not JSON."""
    raise ValueError(f"a number must be finite, got {text}")
