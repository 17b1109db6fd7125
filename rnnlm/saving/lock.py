"""Lock of a folder, for one process at a time."""

from pathlib import Path

from filelock import FileLock, Timeout

from rnnlm.errors import BusyError

__all__ = ["LOCK", "locked"]

LOCK = ".lock"


def locked(folder: Path) -> FileLock:
    """Acquire the lock of a folder; it ends with `release()`, with a `with` block, or with the process.

    Raises:
        BusyError: another process holds it.
    """
    lock = FileLock(folder / LOCK)
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise BusyError(
            f"{folder} is in use: another training writes to it. Wait until it ends, or take another folder"
        ) from error
    return lock
