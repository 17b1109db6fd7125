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
        self.folder, self._lock = folder, lock
        self._place, self._file = _file_at(folder), _file_at(folder / LOCK)

    def __enter__(self) -> "Held":
        return self

    def __exit__(self, *_exception: object) -> None:
        self.release()

    def release(self) -> None:
        """Release the lock."""
        self._lock.release()

    def expect_held(self) -> None:
        """Check, before writing, that the folder is still the one that was locked. If only the lock's file was removed,
        it is made and locked again.

        Raises:
            FileNotFoundError: the folder was removed or moved; another may have been made in its place.
            BusyError: the lock's file was removed, and another process has locked the folder since.
        """
        if _file_at(self.folder) != self._place:
            why = "No such file or directory (it was removed or moved during the training; nothing more is written)"
            raise FileNotFoundError(ENOENT, why, str(self.folder))
        if _file_at(self.folder / LOCK) != self._file:
            before, self._lock = self._lock, locked(self.folder)._lock
            before.release()
            self._file = _file_at(self.folder / LOCK)


def _file_at(path: Path) -> tuple[int, int] | None:
    """Return what identifies a file or folder; None if there is none."""
    try:
        found = path.stat()
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
