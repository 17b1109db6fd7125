"""Replacing a folder atomically: readers, also after a crash, see all files of one save and never a mixture.

New files are written to a hidden folder beside it, the last one `manifest.json` with the size and SHA-256 of each;
then the two folders are exchanged. `open_folder.py` reads them.
"""

import ctypes
import hashlib
import os
import shutil
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from rnnlm.errors import InputError, ModelFileError
from rnnlm.files import OLD, beside, clear_away, followed, make_folder, new_file, sync_folder
from rnnlm.opening import read_json, read_whole
from rnnlm.saving.open_folder import MANIFEST, manifest_of

__all__ = ["NewFolder", "replaced_folder"]

AT_CWD, EXCHANGE = -100, 2  # constants of Linux's renameat2


class NewFolder:
    """A folder that is being written.

    Attributes:
        path: its temporary path.
        target: the path that it will get.
        files: size and digest of each file, for the manifest.
    """

    def __init__(self, path: Path, target: Path) -> None:
        self.path, self.target = path, target
        self.files: dict[str, dict[str, Any]] = {}

    def write(self, name: str, content: bytes | Iterable[bytes | memoryview]) -> None:
        """Write a file, from one piece or many, and flush it to disk."""
        digest, size = hashlib.sha256(), 0
        with new_file(self.path / name, self.target / name) as file:
            for piece in [content] if isinstance(content, bytes) else content:
                file.write(piece)
                digest.update(piece)
                size += len(piece) if isinstance(piece, bytes) else piece.nbytes
        self.files[name] = {"bytes": size, "sha256": digest.hexdigest()}


@contextmanager
def replaced_folder(folder: Path) -> Iterator[NewFolder]:
    """Yield a folder to write files to, which replaces `folder` at the end. Files in `folder` that its manifest does
    not name and that are not written again are kept.

    Raises:
        InputError: `folder` is a file.
        OSError: from the operating system; `folder` is unchanged, also after any other error or an interrupt.
    """
    target = followed(folder)
    clear_away(target.parent, target.name)
    if target.exists() and not target.is_dir():
        raise InputError(f"a folder can't take the place of a file, and {target} is one")
    make_folder(target.parent)
    new = NewFolder(beside(target), target)
    new.path.mkdir()
    try:
        if target.is_dir():
            os.chmod(new.path, stat.S_IMODE(target.stat().st_mode))
        yield new
        new.write(MANIFEST, manifest_of(new.files))
        _keep_others(target, new)
        sync_folder(new.path)
        _put(new.path, target)
        sync_folder(target.parent)
    finally:
        shutil.rmtree(new.path, ignore_errors=True)  # the new folder after an error, else the replaced one


def _keep_others(target: Path, new: NewFolder) -> None:
    """Hard-link into the new folder what the old one has beyond its own saved files."""
    ours = {*new.files, *_named(target)}
    for path in target.iterdir() if target.is_dir() else ():
        if path.name not in ours:
            if path.is_dir() and not path.is_symlink():
                shutil.copytree(path, new.path / path.name, symlinks=True, copy_function=_link)
            else:
                _link(path, new.path / path.name)


def _link(path: str | Path, other: str | Path) -> None:
    """Hard-link a file, or copy it where that is impossible."""
    try:
        os.link(path, other, follow_symlinks=False)
    except (OSError, NotImplementedError):  # the latter if a system can't link to symbolic links
        shutil.copy2(path, other, follow_symlinks=False)


def _named(target: Path) -> list[str]:
    """Return the names of the files in a folder's manifest."""
    with suppress(OSError, ModelFileError, ValueError, KeyError, TypeError, AttributeError):
        return list(read_json(read_whole(target / MANIFEST, ModelFileError))["files"].keys())
    return []


def _put(new: Path, target: Path) -> None:
    """Rename a folder to its target; an existing target gets the temporary name."""
    if not target.exists():
        os.rename(new, target)
    elif not _exchanged(new, target):
        before = beside(target, OLD)  # a name that `put_back` recognises
        os.rename(target, before)
        try:
            os.rename(new, target)
        finally:
            os.rename(before, new if target.exists() else target)


def _exchanged(one: Path, other: Path) -> bool:
    """Exchange two folders atomically; returns False where the system can't."""
    try:
        rename = ctypes.CDLL(None, use_errno=True).renameat2
    except (AttributeError, OSError, TypeError):
        return False
    done: int = rename(AT_CWD, os.fsencode(one), AT_CWD, os.fsencode(other), EXCHANGE)
    return done == 0
