"""Reading a folder that may be replaced meanwhile: files are verified by its manifest, and read again if needed."""

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
TRIES = 100  # attempts to read a folder that is replaced meanwhile
BY_NUMBER = os.open in os.supports_dir_fd  # whether files can be opened relative to an open folder; not on Windows
T = TypeVar("T")


def manifest_of(files: dict[str, dict[str, Any]]) -> bytes:
    """Return the content of a manifest, in its canonical form.

    Args:
        files: `bytes` and `sha256` by file name.
    """
    return json.dumps({"files": files, "format": FORMAT}, sort_keys=True, separators=(",", ":")).encode()


class OpenFolder:
    """A folder opened for reading: its files stay those of this folder even if another one takes its place. Where the
    system can't hold a folder open, files are opened by path.

    Attributes:
        path: its path, for errors.
        files: the manifest's entries; None without a manifest (folders of earlier versions).
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        # O_DIRECTORY: a pipe here would block for ever
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
        """Return the verified content of a file of at most `most` bytes; errors are those of `open`."""
        with self.open(name, most) as file:
            return file.read(most)

    @contextmanager
    def open(self, name: str, most: int | None = None) -> Iterator[BinaryIO]:
        """Open a file, of at most `most` bytes, whose content has been verified.

        Raises:
            FileNotFoundError: there is no such file.
            ModelFileError: it differs from its manifest entry.
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
        """Open a file without verifying it.

        Raises:
            FileNotFoundError: there is no such file.
            ModelFileError: it is not a regular file.
        """
        return regular_file(self.path / name, ModelFileError, within=self.number)

    def _check(self, name: str, file: BinaryIO) -> None:
        said = (self.files or {}).get(name)
        if said is None:
            raise ModelFileError(f"{self.path / name} is not named in {MANIFEST}: it was put there by someone else")
        if size_of(file) != said["bytes"]:  # so it is not read: it may be huge and sparse
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
        """Whether another folder is at the path by now."""
        try:
            return os.stat(self.path).st_ino != self.inode
        except FileNotFoundError:
            return True

    def close(self) -> None:
        """Close the folder."""
        if self.number is not None:
            os.close(self.number)


def _is_entry(name: str, said: Any) -> bool:
    """Whether a manifest entry is valid: a plain file name with a size and a digest."""
    plain = os.path.basename(name) == name and name not in ("", ".", "..") and "\0" not in name
    size, digest = said["bytes"], said["sha256"]
    return plain and len(said) == 2 and type(size) is int and size >= 0 and bool(re.fullmatch("[0-9a-f]{64}", digest))


def read_folder(path: Path, read: Callable[[OpenFolder], T]) -> T:
    """Return `read(folder)`. If that fails, or may have mixed files, because the folder was replaced meanwhile, it is
    called again.

    Raises:
        ModelFileError, DataError, OSError: from `read`, for a folder that was not replaced meanwhile.
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
    """Check that all files in a folder's manifest are as they were saved.

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
