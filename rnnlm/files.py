"""Writing files so that a crash leaves the old one or the new one, never half of one; figures as JSON."""

import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from math import isfinite
from pathlib import Path
from typing import Any, BinaryIO

__all__ = ["atomic_file", "to_json", "write_atomic"]


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

    A link at `path` is followed, so that what it points to is replaced and the link stays.

    Raises:
        OSError: as the operating system says; what was at `path` is still there, after any other error or an interrupt
            too, and the temporary file is not.
    """
    target = Path(path).resolve()
    handle, temporary = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, target)
    except BaseException:
        os.unlink(temporary)
        raise
    _sync_folder(target.parent)


def _umask() -> int:
    """The permissions that new files do without. The only way to read them is to set them."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def _sync_folder(folder: Path) -> None:
    """Flush a folder's entries, where the system lets a folder be opened."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
