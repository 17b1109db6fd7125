"""Data files in the user's copy of the book."""

from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from rnnlm.errors import DataError
from rnnlm.opening import regular_file, size_of

__all__ = ["own", "read_array", "set_folder"]

_folder: Path | None = None  # `dataset/` of the copy that the running script is in


def set_folder(folder: Path | None) -> None:
    """Set the folder that `own` looks in; None for no folder."""
    global _folder
    _folder = folder


def own(name: str) -> Path | None:
    """Return the path of the user's own file of this name, or None."""
    path = None if _folder is None else _folder / name
    return path if path is not None and path.is_file() else None


def read_array(path: Path) -> NDArray[Any]:
    """Read ids (tokens,) from a .npy file.

    Raises:
        DataError: another kind of file, one that was cut short, or an array that is not ids.
    """
    with regular_file(path, DataError) as file:
        try:
            read = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}[npy.read_magic(file)]
            shape, _, dtype = read(file)
        except Exception as error:  # NumPy may raise anything for a damaged header
            raise DataError(f"{path} is not an array of NumPy's: {error!r:.200}") from error
        size = size_of(file) - file.tell()
        if len(shape) != 1 or dtype.kind not in "iu" or prod(shape) * dtype.itemsize != size:
            raise DataError(f"{path} must be ids (tokens,), got {dtype} of shape {shape} in {size:,} bytes")
        return np.frombuffer(bytearray(file.read()), dtype)
