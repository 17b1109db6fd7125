"""Writing files so that a crash leaves the old one or the new one, never half of one; figures as JSON."""

import errno
import io
import json
import os
import re
import shutil
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from math import isfinite
from pathlib import Path
from typing import Any, BinaryIO

from rnnlm.concurrency import is_running
from rnnlm.errors import InputError

__all__ = [
    "atomic_file",
    "beside",
    "clear_away",
    "expect_new_file",
    "followed",
    "make_folder",
    "naming",
    "new_file",
    "put_back",
    "sync_folder",
    "to_json",
    "write_atomic",
]

NEW, OLD = ".tmp", ".old"  # what is to take a place, and what had it
_named_here: set[str] = set()  # by this process
LEFT = r"\.(.+)\.(\d+)-[0-9a-f]{8}\.(?:tmp|old)"  # names that `beside` gives: the target's, and the process


def expect_new_file(name: str, path: Path, overwrite: bool) -> None:
    """Check that nothing is lost by writing to `path`.

    Raises:
        InputError: of the argument `name`: something is there that is not to be replaced, or is no file.
    """
    if path.exists() and not (overwrite and path.is_file()):
        raise InputError(f"{name} must be a new file, and {path} exists: name another, or overwrite it: --overwrite")


def to_json(row: Mapping[str, Any], indent: int | None = None) -> str:
    """A row of figures as a JSON object; JSON has no infinity and no NaN, so null stands for them."""
    return json.dumps(_finite(row), indent=indent, default=str, allow_nan=False)


def _finite(value: Any) -> Any:
    """The value with None for what is not finite in it."""
    if isinstance(value, Mapping):
        return {key: _finite(x) for key, x in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(x) for x in value]
    return None if isinstance(value, float) and not isfinite(value) else value


def write_atomic(path: str | os.PathLike[str], content: bytes) -> None:
    """Write `content` to `path` as a whole; as `atomic_file`."""
    with atomic_file(path) as file:
        file.write(content)


@contextmanager
def atomic_file(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """A temporary file beside `path` to write to; in the end it is flushed to the disk and renamed into place.

    A link at `path` is followed, so that what it points to is replaced and the link stays; so do the permissions of a
    file that is replaced.

    Raises:
        OSError: as the operating system says; what was at `path` is still there, after any other error or an interrupt
            too, and the temporary file is not.
    """
    target = followed(path)
    clear_away(target.parent, target.name)
    temporary = beside(target)
    try:
        with new_file(temporary, target) as file:
            yield file
        os.replace(temporary, target)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()  # which an interrupt may have left renamed already
        raise
    sync_folder(target.parent)


def followed(path: str | os.PathLike[str]) -> Path:
    """The path that links lead to.

    Raises:
        OSError: they lead round.
    """
    target = Path(os.path.realpath(path))
    if target.is_symlink():
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), os.fspath(path))
    return target


@contextmanager
def new_file(path: Path, target: Path) -> Iterator[BinaryIO]:
    """A file that must not be there yet, to be written to; in the end it is flushed to the disk. It has the permissions
    of the `target` whose place it is to take, if there is one.

    Raises:
        OSError: it names the `target`.
    """
    with io.BufferedWriter(_Named(path, target)) as file:
        if target.is_file():
            os.chmod(path, stat.S_IMODE(target.stat().st_mode))
        yield file
        file.flush()
        with naming(target):
            os.fsync(file.fileno())


class _Named(io.FileIO):
    """A new file whose errors say what it is written for: as a rule those of writing name no file."""

    def __init__(self, path: Path, target: Path) -> None:
        self.target = target
        with naming(target):
            super().__init__(path, "xb")

    def write(self, content: Any, /) -> int:
        with naming(self.target):
            return super().write(content)


@contextmanager
def naming(path: str | os.PathLike[str]) -> Iterator[None]:
    """An error of the operating system names this file."""
    try:
        yield
    except OSError as error:
        if error.errno is not None:
            error.filename = os.fspath(path)
        raise


def make_folder(folder: Path) -> None:
    """Make a folder, and those above it that are not there; the names of all are flushed to the disk."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for path in missing:
        sync_folder(path.parent)


def beside(target: Path, ending: str = NEW) -> Path:
    """A name that nobody has, hidden, in the same folder, for what is to take the place of `target`, or has had it."""
    path = target.with_name(f".{target.name}.{os.getpid()}-{os.urandom(4).hex()}{ending}")
    _named_here.add(path.name)
    return path


def put_back(target: Path) -> None:
    """If `target` is not there because a process died between two renames, put back what has been there."""
    if not os.path.lexists(target):
        for path in _left_behind(target.parent, target.name):
            if path.suffix == OLD:
                os.rename(path, target)
                return


def clear_away(folder: Path, name: str | None = None) -> None:
    """Remove what processes that are gone had not finished writing, or not removed yet; what is to be put back is.

    Args:
        folder: where to look; there may be none.
        name: of one target alone.
    """
    for path in _left_behind(folder, name):
        put_back(path.with_name(re.sub(LEFT, r"\1", path.name)))
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def _left_behind(folder: Path, name: str | None) -> list[Path]:
    """What `beside` named in a folder, for one target or for all, in processes that are gone."""
    try:
        names = os.listdir(folder)
    except OSError:  # nothing that could be cleared away
        return []
    found = {left: re.fullmatch(LEFT, left) for left in names}
    return [
        folder / left
        for left, parts in found.items()
        if parts and name in (None, parts[1]) and not _is_running(int(parts[2]), left)
    ]


def _is_running(process: int, name: str) -> bool:
    """Whether the process of this number runs that gave the name; in a container its number may be this one's, too."""
    return name in _named_here if process == os.getpid() else is_running(process)


def sync_folder(folder: Path) -> None:
    """Flush a folder's entries, where the system lets a folder be opened."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        with naming(folder):
            os.fsync(handle)
    finally:
        os.close(handle)
