"""A folder that is read while it may be replaced: its files are checked by its manifest, and read again if need be."""

import hashlib
import json
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

from rnnlm.errors import DataError, ModelFileError
from rnnlm.files import naming, put_back
from rnnlm.opening import LARGEST, read_json, regular_file, size_of

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
        # never a pipe, which may take for ever
        self.number = os.open(path, os.O_RDONLY | getattr(os, "O_DIRECTORY", 0)) if BY_NUMBER else None
        self.inode = os.stat(path if self.number is None else self.number).st_ino
        try:
            self.files = self._read_manifest()
        except BaseException:
            self.close()
            raise

    def _read_manifest(self) -> dict[str, dict[str, Any]] | None:
        try:
            with naming(self.path / MANIFEST), self.unchecked(MANIFEST) as file:
                content = file.read(LARGEST + 1)
        except FileNotFoundError:
            return None
        try:
            files = read_json(content)["files"]
            if manifest_of(files) != content or not all(map(_is_entry, files, files.values())):
                raise ValueError("it is not as it was written")
            return dict(files)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ModelFileError(f"{self.path / MANIFEST} is damaged: {error}") from error

    def read(self, name: str, most: int = LARGEST) -> bytes:
        """A file as a whole, of at most so many bytes, checked; errors are those of `open`."""
        with self.open(name, most) as file:
            return file.read(most)

    @contextmanager
    def open(self, name: str, most: int | None = None) -> Iterator[BinaryIO]:
        """A file to be read, of at most so many bytes, whose content has been checked.

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
            if most is not None and size_of(file) > most:
                raise ModelFileError(f"{self.path / name} must have at most {most:,} bytes, got {size_of(file):,}")
            if self.files is not None:
                self._check(name, file)
            yield file

    def unchecked(self, name: str) -> BinaryIO:
        """A file to be read, as it is.

        Raises:
            FileNotFoundError: there is none.
            ModelFileError: it is no file.
        """
        return regular_file(self.path / name, ModelFileError, within=self.number)

    def _check(self, name: str, file: BinaryIO) -> None:
        said = (self.files or {}).get(name)
        if said is None:
            raise ModelFileError(f"{self.path / name} is not named in {MANIFEST}: it was put there by someone else")
        if size_of(file) != said["bytes"]:  # then it need not be read, and may be a hole without an end
            raise self._damaged(name, f"{size_of(file):,} bytes", f"{said['bytes']:,}")
        digest = hashlib.sha256()
        while piece := file.read(BLOCK):
            digest.update(piece)
        if digest.hexdigest() != said["sha256"]:
            raise self._damaged(name, f"SHA-256 {digest.hexdigest()[:12]}...", f"{said['sha256'][:12]}...")
        file.seek(0)

    def _damaged(self, name: str, told: str, said: str) -> ModelFileError:
        return ModelFileError(f"{self.path / name} is damaged: it has {told}, and had {said} when it was saved")

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


def _is_entry(name: str, said: Any) -> bool:
    """Whether a manifest may say this: of a file of the folder itself, its size and its digest."""
    plain = os.path.basename(name) == name and name not in ("", ".", "..") and "\0" not in name
    size, digest = said["bytes"], said["sha256"]
    return plain and len(said) == 2 and type(size) is int and size >= 0 and bool(re.fullmatch("[0-9a-f]{64}", digest))


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
