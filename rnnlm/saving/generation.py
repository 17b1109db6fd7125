"""A folder whose files belong together, replaced as one: whoever reads it, and whoever comes after a crash, sees all
files of one saving and never a mixture.

New files are written to a hidden folder beside it, the last one `manifest.json`, which has the size and the SHA-256 of
each; then the two folders change places. `open_folder.py` reads them.
"""

import ctypes
import hashlib
import json
import os
import shutil
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from rnnlm.errors import InputError
from rnnlm.files import OLD, beside, clear_away, make_folder, new_file, resolved, sync_folder
from rnnlm.saving.open_folder import MANIFEST, manifest_of

__all__ = ["NewFolder", "replaced_folder"]

AT_CWD, EXCHANGE = -100, 2  # of Linux's renameat2


class NewFolder:
    """A folder that is being written.

    Attributes:
        path: where, until it takes its place.
        target: its place.
        files: what the manifest says of each file.
    """

    def __init__(self, path: Path, target: Path) -> None:
        self.path, self.target = path, target
        self.files: dict[str, dict[str, Any]] = {}

    def write(self, name: str, content: bytes | Iterable[bytes | memoryview]) -> None:
        """Write a file, in one piece or in many, and flush it to the disk."""
        digest, size = hashlib.sha256(), 0
        with new_file(self.path / name, self.target / name) as file:
            for piece in [content] if isinstance(content, bytes) else content:
                file.write(piece)
                digest.update(piece)
                size += len(piece) if isinstance(piece, bytes) else piece.nbytes
        self.files[name] = {"bytes": size, "sha256": digest.hexdigest()}


@contextmanager
def replaced_folder(folder: Path) -> Iterator[NewFolder]:
    """A folder to write files to, which takes the place of `folder` in the end; files there that no manifest names, and
    that are not written anew, are kept.

    Raises:
        InputError: there is a file of that name.
        OSError: as the operating system says; `folder` is what it was, after any other error or an interrupt too.
    """
    target = resolved(folder)
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
        shutil.rmtree(new.path, ignore_errors=True)  # what was not put into place, or what was there before


def _keep_others(target: Path, new: NewFolder) -> None:
    """Give the new folder what is in the old one and was not saved with it: links to the same files."""
    ours = {*new.files, *_named(target)}
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


def _put(new: Path, target: Path) -> None:
    """Rename a folder to its place; what is there gets the new one's name."""
    if not target.exists():
        os.rename(new, target)
    elif not _exchanged(new, target):
        before = beside(target, OLD)  # `put_back` knows it by that
        os.rename(target, before)
        try:
            os.rename(new, target)
        finally:
            os.rename(before, new if target.exists() else target)


def _exchanged(one: Path, other: Path) -> bool:
    """Let two folders change places at once, where the system can."""
    try:
        rename = ctypes.CDLL(None, use_errno=True).renameat2
    except (AttributeError, OSError, TypeError):
        return False
    done: int = rename(AT_CWD, os.fsencode(one), AT_CWD, os.fsencode(other), EXCHANGE)
    return done == 0
