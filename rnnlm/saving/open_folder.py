"""A folder that is read while it may be replaced: its files are checked by its manifest, and read again if need be."""

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

from rnnlm.errors import DataError, ModelFileError
from rnnlm.files import naming, put_back

__all__ = ["MANIFEST", "OpenFolder", "expect_whole", "manifest_of", "read_folder"]

MANIFEST = "manifest.json"
FORMAT = 1
BLOCK = 1 << 20  # bytes read at once
TRIES = 100  # to read a folder that is replaced again and again
BY_NUMBER = os.open in os.supports_dir_fd  # whether a folder can be held open, and files opened in it; not on Windows
T = TypeVar("T")


def manifest_of(files: dict[str, dict[str, Any]]) -> bytes:
    """A manifest, in the one way in which it can be written.

    Args:
        files: `bytes` and `sha256` of each file.
    """
    return json.dumps({"files": files, "format": FORMAT}, sort_keys=True, separators=(",", ":")).encode()


class OpenFolder:
    """A folder that is being read, by way of what it was when it was opened; where the system can't hold a folder open,
    by its path.

    Attributes:
        path: to be told.
        files: what its manifest says of each file; None without a manifest, of an earlier version.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.number = os.open(path, os.O_RDONLY) if BY_NUMBER else None
        self.inode = os.stat(path if self.number is None else self.number).st_ino
        self.files = self._read_manifest()

    def _read_manifest(self) -> dict[str, dict[str, Any]] | None:
        try:
            with naming(self.path / MANIFEST), self.unchecked(MANIFEST) as file:
                content = file.read()
        except FileNotFoundError:
            return None
        try:
            manifest = json.loads(content)
            files = manifest["files"]
            if manifest_of(files) != content or any(set(said) != {"bytes", "sha256"} for said in files.values()):
                raise ValueError("it is not as it was written")
            return dict(files)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise ModelFileError(f"{self.path / MANIFEST} is damaged: {error}") from error

    def read(self, name: str) -> bytes:
        """A file as a whole, checked."""
        with self.open(name) as file:
            return file.read()

    @contextmanager
    def open(self, name: str) -> Iterator[BinaryIO]:
        """A file to be read, whose content has been checked.

        Raises:
            FileNotFoundError: there is none.
            ModelFileError: it is not what the manifest says.
        """
        try:
            opened = self.unchecked(name)
        except FileNotFoundError as error:
            if name in (self.files or {}):
                raise ModelFileError(f"{self.path / name} is missing: {MANIFEST} names it") from error
            raise
        with naming(self.path / name), opened as file:
            if self.files is not None:
                self._check(name, file)
            yield file

    def unchecked(self, name: str) -> BinaryIO:
        """A file to be read, as it is."""
        if self.number is None:
            return open(self.path / name, "rb")
        return os.fdopen(os.open(name, os.O_RDONLY, dir_fd=self.number), "rb")

    def _check(self, name: str, file: BinaryIO) -> None:
        said = (self.files or {}).get(name)
        if said is None:
            raise ModelFileError(f"{self.path / name} is not named in {MANIFEST}: it was put there by someone else")
        digest, size = hashlib.sha256(), 0
        while piece := file.read(BLOCK):
            digest.update(piece)
            size += len(piece)
        if (size, digest.hexdigest()) != (said["bytes"], said["sha256"]):
            told = f"{size:,} bytes, SHA-256 {digest.hexdigest()[:12]}..."
            said_so = f"{said['bytes']:,} bytes, SHA-256 {said['sha256'][:12]}..."
            raise ModelFileError(f"{self.path / name} is damaged: it has {told}, and had {said_so} when it was saved")
        file.seek(0)

    def replaced(self) -> bool:
        """Whether the path leads to another folder by now."""
        try:
            return os.stat(self.path).st_ino != self.inode
        except FileNotFoundError:
            return True

    def close(self) -> None:
        """Let it go."""
        if self.number is not None:
            os.close(self.number)


def read_folder(path: Path, read: Callable[[OpenFolder], T]) -> T:
    """What `read` makes of a folder; it is asked again if the folder was replaced while it was read, and that made an
    error, or might have mixed two folders.

    Raises:
        ModelFileError, DataError, OSError: as `read` does, of a folder that was not replaced in the meantime.
    """
    for _ in range(TRIES):
        folder = OpenFolder(path)
        try:
            found = read(folder)
            if BY_NUMBER or not folder.replaced():
                return found
        except (ModelFileError, DataError, OSError):
            if not folder.replaced():
                raise
        finally:
            folder.close()
    raise ModelFileError(f"{path} was replaced {TRIES} times while it was read")


def expect_whole(path: Path) -> None:
    """Check that all files which the manifest of a folder names are what they were when they were saved.

    Raises:
        ModelFileError: one is not, or there is no manifest.
    """

    def check(folder: OpenFolder) -> None:
        if folder.files is None:
            raise ModelFileError(f"{path} has no {MANIFEST}")
        for name in folder.files:
            with folder.open(name):
                pass

    put_back(path)
    if not path.is_dir():
        raise ModelFileError(f"{path} is not a folder")
    read_folder(path, check)
