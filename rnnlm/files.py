"""Writing files atomically: after a crash there is the old or the new file, never half of one. Also figures as JSON."""

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
    "expect_way",
    "followed",
    "make_folder",
    "naming",
    "new_file",
    "put_back",
    "sync_folder",
    "to_json",
    "write_atomic",
]

NEW, OLD = ".tmp", ".old"  # endings of temporary names: for what is new, and for what was replaced
_named_here: set[str] = set()  # temporary names given by this process
LEFT = r"\.(.+)\.(\d+)-[0-9a-f]{8}\.(?:tmp|old)"  # names by `beside`: target, process id


def expect_new_file(name: str, path: Path, overwrite: bool) -> None:
    """Check that writing to `path` loses nothing.

    Raises:
        InputError: it exists and `overwrite` is False, or is not a file; the message names the argument `name`.
    """
    if path.exists() and not (overwrite and path.is_file()):
        raise InputError(f"{name} must be a new file, and {path} exists: name another, or overwrite it: --overwrite")


def expect_apart(name: str, path: Path, text: str | os.PathLike[str]) -> None:
    """Check that a file to be written is not the text that is read.

    Raises:
        InputError: it is; the message names the argument `name`.
    """
    if path.exists() and os.path.exists(text) and path.samefile(text):
        raise InputError(f"{name} must not be the text itself, got {path}")


def expect_writable(name: str, path: Path) -> None:
    """Check, before the work whose result it is for, that a file can be made beside `path`.

    Raises:
        InputError: it can't; the message names the argument `name`.
    """
    if not os.access(path.parent, os.W_OK):
        raise InputError(f"{name} must be in a folder that can be written to, got {path}")


def to_json(row: Mapping[str, Any], indent: int | None = None) -> str:
    """Return figures as a JSON object; infinities and NaN, which JSON lacks, become null."""
    return json.dumps(_finite(row), indent=indent, default=str, allow_nan=False)


def _finite(value: Any) -> Any:
    """Return the value with None in place of numbers that are not finite."""
    if isinstance(value, Mapping):
        return {key: _finite(x) for key, x in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(x) for x in value]
    return None if isinstance(value, float) and not isfinite(value) else value


def write_atomic(path: str | os.PathLike[str], content: bytes) -> None:
    """Write `content` to `path` atomically; see `atomic_file`."""
    with atomic_file(path) as file:
        file.write(content)


@contextmanager
def atomic_file(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """Yield a temporary file beside `path` to write to; at the end it is flushed to disk and renamed to `path`.

    A symbolic link at `path` is kept and its target replaced. A replaced file's permissions are kept.

    Raises:
        OSError: from the operating system. After this or any other error or an interrupt, `path` is unchanged and the
            temporary file is removed.
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
            temporary.unlink()  # already renamed, if the interrupt came late
        raise
    sync_folder(target.parent)


def expect_way(path: str | os.PathLike[str]) -> None:
    """Check that every `..` of a path leads out of a folder that exists: `new/../file` is not `file` as long as there
    is no `new`, to the operating system, but it is where links are resolved, and to write there would replace it.

    Raises:
        FileNotFoundError: one does not.
    """
    parts = Path(path).parts
    if ".." in parts:
        way = Path(*parts[: len(parts) - parts[::-1].index("..")])
        if not way.is_dir():
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), os.fspath(way))


def followed(path: str | os.PathLike[str]) -> Path:
    """Return the path with all symbolic links resolved.

    Raises:
        OSError: the links form a loop, or `..` follows a folder that does not exist.
    """
    expect_way(path)
    target = Path(os.path.realpath(path))
    if target.is_symlink():
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), os.fspath(path))
    return target


@contextmanager
def new_file(path: Path, target: Path) -> Iterator[BinaryIO]:
    """Yield a new file, which must not exist yet, to write to; at the end it is flushed to disk. It gets the
    permissions of `target`, the file that it will replace, if that exists.

    Raises:
        OSError: its `filename` is the `target`.
    """
    with io.BufferedWriter(_Named(path, target)) as file:
        if target.is_file():
            os.chmod(path, stat.S_IMODE(target.stat().st_mode))
        yield file
        file.flush()
        with naming(target):
            os.fsync(file.fileno())


class _Named(io.FileIO):
    """A new file whose errors name the target; errors of writing usually name no file."""

    def __init__(self, path: Path, target: Path) -> None:
        self.target = target
        with naming(target):
            super().__init__(path, "xb")

    def write(self, content: Any, /) -> int:
        with naming(self.target):
            return super().write(content)


@contextmanager
def naming(path: str | os.PathLike[str]) -> Iterator[None]:
    """Set the `filename` of an OSError raised within the block."""
    try:
        yield
    except OSError as error:
        if error.errno is not None:
            error.filename = os.fspath(path)
        raise


def make_folder(folder: Path) -> None:
    """Create a folder and its missing parents, and flush their directory entries to disk."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for path in missing:
        sync_folder(path.parent)


def beside(target: Path, ending: str = NEW) -> Path:
    """Return an unused hidden name in the same folder, for what will replace `target` or was replaced by it."""
    path = target.with_name(f".{target.name}.{os.getpid()}-{os.urandom(4).hex()}{ending}")
    _named_here.add(path.name)
    return path


def put_back(target: Path) -> None:
    """If `target` is missing because a process died between two renames, restore what was there."""
    if not os.path.lexists(target):
        for path in _left_behind(target.parent, target.name):
            if path.suffix == OLD:
                os.rename(path, target)
                return


def clear_away(folder: Path, name: str | None = None) -> None:
    """Remove temporary files left by processes that no longer run; restores what `put_back` would.

    Args:
        folder: where to look; may be missing.
        name: only those of this target (default: of all).
    """
    for path in _left_behind(folder, name):
        put_back(path.with_name(re.sub(LEFT, r"\1", path.name)))
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def _left_behind(folder: Path, name: str | None) -> list[Path]:
    """Return the temporary names in a folder, for one target or all, of processes that no longer run."""
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
    """Whether the process that gave the name is running; in a container another process may have had this one's id."""
    return name in _named_here if process == os.getpid() else is_running(process)


def sync_folder(folder: Path) -> None:
    """Flush a folder's entries to disk, on systems where folders can be opened."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        with naming(folder):
            os.fsync(handle)
    finally:
        os.close(handle)
