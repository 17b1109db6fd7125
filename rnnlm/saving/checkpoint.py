"""Checkpoints of a training: all that it needs to go on, each in a folder that is written as one and checked when read.

checkpoints/step-000000000200/   state.json        numbers, lists and dictionaries; arrays by their numbers
                                 arrays.safetensors
                                 manifest.json     the size and the SHA-256 of both
"""

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnlm.checks import whole_number
from rnnlm.errors import InputError, ModelFileError
from rnnlm.files import remove_leftovers
from rnnlm.models.tensor_file import mapped, pieces
from rnnlm.progress import note
from rnnlm.saving.generation import replaced_folder
from rnnlm.saving.open_folder import OpenFolder, read_folder

__all__ = ["Checkpoints"]

STATE, ARRAYS = "state.json", "arrays.safetensors"
KIND = "array"  # of a dictionary that stands for an array, by its number


class Checkpoints:
    """The checkpoints of one training.

    Args:
        folder: theirs alone, made when the first one is saved.
        keep: how many there are at most; older ones are removed.
    """

    def __init__(self, folder: Path, keep: int = 2) -> None:
        self.folder, self.keep = folder, whole_number("keep", keep, 1)

    def save(self, step: int, state: Mapping[str, Any]) -> None:
        """Write a state of dictionaries with words for keys, lists, numbers, words and NumPy arrays.

        Raises:
            OSError: as the operating system says; the checkpoints before are still there.
        """
        arrays: dict[str, NDArray[Any]] = {}
        tree = _taken_apart(state, arrays)
        with replaced_folder(self.folder / f"step-{step:012d}") as new:
            new.write(STATE, json.dumps(tree).encode())
            new.write(ARRAYS, pieces(arrays))
        for path in self._saved()[: -self.keep]:
            shutil.rmtree(path, ignore_errors=True)

    def latest(self) -> dict[str, Any] | None:
        """The newest state that is whole; None if none was ever saved. Damaged ones are moved aside, which is said.

        Raises:
            ModelFileError: all of them are damaged.
        """
        if not self.folder.is_dir():
            return None
        remove_leftovers(self.folder)
        damaged = 0
        for path in reversed(self._saved()):
            try:
                return read_folder(path, _read)
            except ModelFileError as error:
                aside = path.with_name(f"damaged-{path.name}-{os.urandom(4).hex()}")
                os.rename(path, aside)
                note(f"{error}; this checkpoint is now {aside.name}, and the one before it is taken")
                damaged += 1
        if damaged:
            raise ModelFileError(f"{self.folder} has no checkpoint that is whole: all {damaged} are damaged")
        return None

    def _saved(self) -> list[Path]:
        """Checkpoints, the newest the last."""
        return sorted(path for path in self.folder.iterdir() if path.name.startswith("step-"))


def _taken_apart(value: Any, arrays: dict[str, NDArray[Any]]) -> Any:
    """The value with a number for each array in it, which is put into `arrays`."""
    if isinstance(value, np.ndarray):
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


def _put_together(value: Any, arrays: Mapping[str, NDArray[Any]]) -> Any:
    """What `_taken_apart` was given, tuples as lists."""
    if isinstance(value, dict):
        if set(value) == {KIND}:
            return np.array(arrays[value[KIND]])
        return {key: _put_together(inner, arrays) for key, inner in value.items()}
    return [_put_together(inner, arrays) for inner in value] if isinstance(value, list) else value


def _read(folder: OpenFolder) -> dict[str, Any]:
    """The state in a folder."""
    if folder.files is None:
        raise ModelFileError(f"{folder.path} has no manifest: it was not written to its end")
    try:
        tree = json.loads(folder.read(STATE))
        with folder.open(ARRAYS) as file:
            found: dict[str, Any] = _put_together(tree, mapped(file))
            return found
    except (OSError, ValueError, KeyError, TypeError, InputError) as error:
        raise ModelFileError(f"{folder.path} is no checkpoint: {error}") from error
