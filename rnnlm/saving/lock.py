"""Lock of a folder, for one process at a time."""

from errno import ENOENT
from pathlib import Path

from filelock import BaseFileLock, FileLock, Timeout

from rnnlm.errors import BusyError

__all__ = ["LOCK", "Held", "locked"]

LOCK = ".lock"


class Held:
    """A lock that this process holds, until `release()`, the end of a `with` block, or that of the process."""

    def __init__(self, folder: Path, lock: BaseFileLock) -> None:
        self.folder, self._lock, self._file = folder, lock, _file_at(folder)

    def __enter__(self) -> "Held":
        return self

    def __exit__(self, *_exception: object) -> None:
        self.release()

    def release(self) -> None:
        """Release the lock."""
        self._lock.release()

    def expect_held(self) -> None:
        """Check, before writing, that the folder is still the one that was locked.

        Raises:
            FileNotFoundError: it was removed or moved; another process may have made and locked one in its place.
        """
        if _file_at(self.folder) != self._file:
            why = "No such file or directory (it was removed or moved during the training; nothing more is written)"
            raise FileNotFoundError(ENOENT, why, str(self.folder))


def _file_at(folder: Path) -> tuple[int, int] | None:
    """Return what identifies the lock's file; None if there is none."""
    try:
        found = (folder / LOCK).stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def locked(folder: Path) -> Held:
    """Acquire the lock of a folder.

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
    return Held(folder, lock)
