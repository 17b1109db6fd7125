"""Checkpoints of a training, each a folder with its whole state, replaced atomically and verified when read.

checkpoints/step-000000000200/        state.json        numbers, lists and dictionaries; arrays by number
                                      arrays.safetensors
                                      manifest.json     size and SHA-256 of both
            step-000000000150-best/   the same, with the lowest validation loss so far
"""

import errno
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from rnnlm.backend import Array, xp
from rnnlm.checks import whole_number
from rnnlm.errors import InputError, ModelFileError
from rnnlm.files import clear_away, sync_folder
from rnnlm.models.tensor_file import mapped, pieces
from rnnlm.progress import note
from rnnlm.saving.checkpoint_state import STATE, as_json, read_state
from rnnlm.saving.generation import replaced_folder
from rnnlm.saving.open_folder import OpenFolder, read_folder

__all__ = ["Checkpoints"]

ARRAYS = "arrays.safetensors"
KIND = "array"  # key of a dictionary that refers to an array by its number
BEST = "-best"
ASIDE = "damaged-"
DAMAGE = (errno.ENOENT, errno.EISDIR, errno.ENOTDIR)  # errors that mean a damaged checkpoint


class Checkpoints:
    """The checkpoints of one training.

    Args:
        folder: folder of the checkpoints; created by the first `save`, if its parent exists.
        keep: number of checkpoints to keep besides the best one; older ones are removed.
    """

    def __init__(self, folder: Path, keep: int = 2) -> None:
        self.folder, self.keep = folder, whole_number("keep", keep, 1)

    def save(self, step: int, state: Mapping[str, Any], best: bool = False) -> None:
        """Save a state: dictionaries with string keys, lists, numbers, strings, and arrays on the host or the device.

        Args:
            step: number of steps done.
            state: the state.
            best: whether it is the best so far; the best one is kept until there is a better one.

        Raises:
            InputError: the folder has checkpoints of later steps, so of another training.
            OSError: from the operating system; earlier checkpoints are intact.
        """
        arrays: dict[str, Array] = {}
        content = as_json(_taken_apart(state, arrays))
        path = self.folder / f"step-{step:012d}"
        known = path.with_name(path.name + BEST)
        saved = self._saved()
        if saved and saved[-1].name > known.name:
            raise InputError(f"{self.folder} must not have checkpoints of another training: {saved[-1].name} is there")
        if not self.folder.is_dir():
            self.folder.mkdir()  # not its parent: if that was removed, on purpose
            sync_folder(self.folder.parent)
        best = best or known.is_dir()
        with replaced_folder(known if best else path) as new:
            new.write(STATE, content)
            new.write(ARRAYS, pieces(arrays))
        saved = [other for other in self._saved() if not best or other != path]
        kept = {*saved[-self.keep :], *[path for path in saved if path.name.endswith(BEST)][-1:]}
        for old in {*self._saved()} - kept:
            shutil.rmtree(old, ignore_errors=True)

    def any(self) -> bool:
        """Whether there is a checkpoint, damaged or not."""
        return bool(self._saved())

    def latest(self) -> dict[str, Any] | None:
        """Return the newest intact state, with arrays mapped from the file; None if none was ever saved. Damaged
        checkpoints are moved aside with a note, and those with a read error (EIO) are skipped with a note.

        Raises:
            InputError: the folder is a file or itself a checkpoint, or a checkpoint is of a later version of rnnlm.
            ModelFileError: all checkpoints are damaged, counting those moved aside earlier.
            OSError: from the operating system, if it is not a damaged checkpoint.
        """
        if self.folder.exists() and (not self.folder.is_dir() or (self.folder / STATE).exists()):
            raise InputError(f"checkpoints must be in a folder, and {self.folder} is a file or one of them")
        clear_away(self.folder)
        for path in reversed(self._saved()):
            try:
                return _whole(path)
            except ModelFileError as error:
                aside = path.with_name(f"{ASIDE}{path.name}-{os.urandom(4).hex()}")
                os.rename(path, aside)
                note(f"{error}; this checkpoint is now {aside.name}, and the one before it is taken")
            except OSError as error:
                if error.errno != errno.EIO:
                    raise
                note(f"{error}; the checkpoint before it is taken")
        bad = [*self._saved(), *self.folder.glob(f"{ASIDE}*")]
        if bad:
            raise ModelFileError(f"{self.folder} has no checkpoint that is whole: all {len(bad)} are damaged")
        return None

    def best(self) -> dict[str, Any] | None:
        """Return the best state, or None if there is none that is intact."""
        for path in reversed(self._saved()):
            if path.name.endswith(BEST):
                try:
                    return _whole(path)
                except ModelFileError as error:
                    note(f"{error}")
        return None

    def _saved(self) -> list[Path]:
        """Return the folders of all checkpoints, the newest last."""
        found = self.folder.glob("step-*") if self.folder.is_dir() else ()
        return sorted(found)


def _taken_apart(value: Any, arrays: dict[str, Array]) -> Any:
    """Return the value with its arrays replaced by numbers, and put the arrays into `arrays`."""
    if isinstance(value, (np.ndarray, xp.ndarray)):
        number = str(len(arrays))
        arrays[number] = value
        return {KIND: number}
    if isinstance(value, Mapping):
        if KIND in value:
            raise InputError(f"a key of a state must not be {KIND!r}")
        return {str(key): _taken_apart(inner, arrays) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_taken_apart(inner, arrays) for inner in value]
    return value.item() if isinstance(value, np.generic) else value


def _put_together(value: Any, arrays: Mapping[str, Array]) -> Any:
    """Reverse `_taken_apart`, except that tuples become lists."""
    if isinstance(value, dict):
        if set(value) == {KIND}:
            return np.asarray(arrays[value[KIND]])  # a plain array, which every array library accepts
        return {key: _put_together(inner, arrays) for key, inner in value.items()}
    return [_put_together(inner, arrays) for inner in value] if isinstance(value, list) else value


def _whole(path: Path) -> dict[str, Any]:
    """Return the state in a folder, verified."""
    try:
        return read_folder(path, _read)
    except OSError as error:
        if error.errno not in DAMAGE:
            raise
        raise ModelFileError(f"{path} is not a checkpoint: {error}") from error


def _arrays(file: BinaryIO) -> dict[str, NDArray[Any]]:
    """Return the arrays of a file, mapped; on Windows copied, because there a folder with a mapped file can't be moved,
    and resuming begins by replacing its checkpoint."""
    arrays = mapped(file)
    return {name: array.copy() for name, array in arrays.items()} if os.name == "nt" else arrays


def _read(folder: OpenFolder) -> dict[str, Any]:
    """Return the state in an open folder."""
    state = read_state(folder)
    with folder.open(ARRAYS) as file:
        try:
            found: dict[str, Any] = _put_together(state, _arrays(file))
            return found
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise ModelFileError(f"{folder.path} is not a checkpoint: {error}") from error
