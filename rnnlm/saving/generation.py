"""A folder whose files belong together, replaced as one: whoever reads it, and whoever comes after a crash, sees all
files of one saving and never a mixture.

New files are written to a hidden folder beside it, the last one `manifest.json`, which has the size and the SHA-256 of
each; then the two folders change places. What is read is checked by the manifest, and read again if the folder was
replaced in the meantime.
"""

import ctypes
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

from rnnlm.errors import ModelFileError
from rnnlm.files import beside, sync_folder

__all__ = ["MANIFEST", "NewFolder", "OpenFolder", "read_folder", "replaced_folder", "restore"]

MANIFEST = "manifest.json"
FORMAT = 1
BLOCK = 1 << 20  # bytes read at once
TRIES = 100  # to read a folder that is replaced again and again
AT_CWD, EXCHANGE = -100, 2  # of Linux's renameat2
T = TypeVar("T")


class NewFolder:
    """A folder that is being written.

    Attributes:
        path: where, until it takes its place.
        files: what the manifest says of each file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.files: dict[str, dict[str, Any]] = {}

    def write(self, name: str, content: bytes | Iterable[bytes | memoryview]) -> None:
        """Write a file, in one piece or in many, and flush it to the disk."""
        digest, size = hashlib.sha256(), 0
        with open(self.path / name, "xb") as file:
            for piece in [content] if isinstance(content, bytes) else content:
                file.write(piece)
                digest.update(piece)
                size += len(piece) if isinstance(piece, bytes) else piece.nbytes
            file.flush()
            os.fsync(file.fileno())
        self.files[name] = {"bytes": size, "sha256": digest.hexdigest()}


@contextmanager
def replaced_folder(folder: Path) -> Iterator[NewFolder]:
    """A folder to write files to, which takes the place of `folder` in the end; files there that no manifest names, and
    that are not written anew, are kept.

    Raises:
        OSError: as the operating system says; `folder` is what it was, after any other error or an interrupt too.
    """
    target = folder.resolve()
    restore(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    new = NewFolder(beside(target))
    new.path.mkdir()
    try:
        yield new
        content = json.dumps({"files": new.files, "format": FORMAT}, sort_keys=True, separators=(",", ":"))
        with open(new.path / MANIFEST, "xb") as file:
            file.write(content.encode())
            file.flush()
            os.fsync(file.fileno())
        _keep_others(target, new)
        sync_folder(new.path)
        _put(new.path, target)
        sync_folder(target.parent)
    finally:
        shutil.rmtree(new.path, ignore_errors=True)  # what was not put into place, or what was there before


def _keep_others(target: Path, new: NewFolder) -> None:
    """Give the new folder what is in the old one and was not saved with it: links to the same files."""
    ours = {MANIFEST, *new.files, *_named(target)}
    for path in target.iterdir() if target.is_dir() else ():
        if path.name not in ours:
            if path.is_dir() and not path.is_symlink():
                shutil.copytree(path, new.path / path.name, symlinks=True, copy_function=_link)
            else:
                _link(path, new.path / path.name)


def _link(path: str | Path, other: str | Path) -> None:
    """The same file under another name; a copy where the system has no such thing."""
    try:
        os.link(path, other, follow_symlinks=False)
    except OSError:
        shutil.copy2(path, other, follow_symlinks=False)


def _named(target: Path) -> list[str]:
    """The files that a folder's manifest names."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        return list(json.loads((target / MANIFEST).read_bytes())["files"])
    return []


def restore(target: Path) -> None:
    """If a folder is not there because two renames were cut short after the first, put the newest whole one there."""
    if target.exists() or not target.parent.is_dir():
        return
    whole = [path for path in target.parent.glob(f".{target.name}.*.tmp") if (path / MANIFEST).is_file()]
    if whole:
        os.rename(max(whole, key=lambda path: (path / MANIFEST).stat().st_mtime_ns), target)


def _put(new: Path, target: Path) -> None:
    """Rename a folder to its place; what is there gets the new one's name."""
    if not target.exists():
        os.rename(new, target)
    elif not _exchanged(new, target):
        before = beside(target)
        os.rename(target, before)
        os.rename(new, target)
        os.rename(before, new)


def _exchanged(one: Path, other: Path) -> bool:
    """Let two folders change places at once, where the system can."""
    try:
        rename = ctypes.CDLL(None, use_errno=True).renameat2
    except (AttributeError, OSError, TypeError):
        return False
    done: int = rename(AT_CWD, os.fsencode(one), AT_CWD, os.fsencode(other), EXCHANGE)
    return done == 0


# ---------------------------------------------------------------------- reading


class OpenFolder:
    """A folder that is being read, by way of what it was when it was opened.

    Attributes:
        path: to be told.
        files: what its manifest says of each file; None without a manifest, of an earlier version.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.number = os.open(path, os.O_RDONLY)
        self.files = self._read_manifest()

    def _read_manifest(self) -> dict[str, dict[str, Any]] | None:
        try:
            with self.unchecked(MANIFEST) as file:
                content = file.read()
        except FileNotFoundError:
            return None
        try:
            manifest = json.loads(content)
            files = manifest["files"]
            again = json.dumps({"files": files, "format": FORMAT}, sort_keys=True, separators=(",", ":"))
            if again.encode() != content or any(set(said) != {"bytes", "sha256"} for said in files.values()):
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
        with self.unchecked(name) as file:
            if self.files is not None:
                self._check(name, file)
            yield file

    def unchecked(self, name: str) -> BinaryIO:
        """A file to be read, as it is."""
        handle = os.open(name, os.O_RDONLY, dir_fd=self.number)
        return os.fdopen(handle, "rb")

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
            return os.stat(self.path).st_ino != os.fstat(self.number).st_ino
        except FileNotFoundError:
            return True

    def close(self) -> None:
        """Let it go."""
        os.close(self.number)


def read_folder(path: Path, read: Callable[[OpenFolder], T]) -> T:
    """What `read` makes of a folder; it is asked again if the folder was replaced while it was read.

    Raises:
        ModelFileError, OSError: as `read` does, of a folder that was not replaced in the meantime.
    """
    for _ in range(TRIES):
        folder = OpenFolder(path)
        try:
            return read(folder)
        except (ModelFileError, OSError):
            if not folder.replaced():
                raise
        finally:
            folder.close()
    raise ModelFileError(f"{path} was replaced {TRIES} times while it was read")
