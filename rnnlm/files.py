"""Writing files so that a crash leaves the old one or the new one, never half of one; figures as JSON."""

import json
import os
import re
import shutil
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from math import isfinite
from pathlib import Path
from typing import Any, BinaryIO

__all__ = ["atomic_file", "beside", "leftovers", "remove_leftovers", "sync_folder", "to_json", "write_atomic"]


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
    target = Path(path).resolve()
    temporary = beside(target)
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
    try:
        with os.fdopen(handle, "wb") as file:
            if target.is_file():
                os.chmod(temporary, stat.S_IMODE(target.stat().st_mode))
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
    except BaseException:
        temporary.unlink(missing_ok=True)  # an interrupt may come after it was renamed
        raise
    sync_folder(target.parent)


def beside(target: Path) -> Path:
    """A name that nobody has, hidden, in the same folder: for what is to take the place of `target`."""
    return target.with_name(f".{target.name}.{os.getpid()}-{os.urandom(4).hex()}.tmp")


def remove_leftovers(folder: Path) -> None:
    """Remove what processes that are gone had not finished writing: files and folders that `beside` named."""
    for path in leftovers(folder):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def leftovers(folder: Path, name: str | None = None) -> list[Path]:
    """What `remove_leftovers` removes; of one target alone, if its name is given."""
    found = []
    for path in folder.iterdir():
        parts = re.fullmatch(r"\.(.+)\.(\d+)-[0-9a-f]{8}\.tmp", path.name)
        if parts and name in (None, parts[1]) and not _is_running(int(parts[2])):
            found.append(path)
    return found


def _is_running(process: int) -> bool:
    """Whether there is a process of this number."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:  # it is someone else's
        return True
    return True


def sync_folder(folder: Path) -> None:
    """Flush a folder's entries, where the system lets a folder be opened."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
