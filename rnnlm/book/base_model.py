"""Models with weights in the book's file format: a pickled list of float16 arrays."""

import os
import pickle
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from rnnlm.backend import Array, ops
from rnnlm.book.pickles import load_file
from rnnlm.errors import InputError, ModelFileError
from rnnlm.files import write_atomic
from rnnlm.layers.chain import leaves
from rnnlm.models.stacked import Stacked

__all__ = ["BaseModel", "Pickled"]

FileName = str | os.PathLike[str] | None


class BaseModel:
    """The book's base class of models, with `params` and `grads`; subclasses define forward and backward."""

    params: Any = None
    grads: Any = None

    def forward(self, *args: Any) -> Any:
        """Return the loss."""
        raise NotImplementedError

    def backward(self, *args: Any) -> Any:
        """Compute the gradients."""
        raise NotImplementedError

    def save_params(self, file_name: FileName = None) -> None:
        """Write the weights in the book's format (default: to `<class name>.pkl`)."""
        save_weights(_path(self, file_name), self.params)

    def load_params(self, file_name: FileName = None) -> None:
        """Load weights that `save_params` or the book wrote; errors are those of `load_weights`."""
        load_weights(_path(self, file_name), self.params)


class Pickled(Stacked):
    """Base class of this library's models that also read and write the book's weight files."""

    def save_params(self, file_name: FileName = None) -> None:
        """Write the weights: as safetensors if the name ends so, else in the book's format (default: to
        `<class name>.pkl`)."""
        path = _path(self, file_name)
        if path.suffix == ".safetensors":
            super().save_params(path)
        else:
            save_weights(path, self._listed())

    def load_params(self, file_name: FileName = None) -> None:
        """Load weights that `save_params` or the book wrote.

        If the file does not exist, the one with the ending .safetensors is loaded, which the models of `rnnlm.models`
        write.
        """
        path = _path(self, file_name)
        if path.suffix != ".safetensors" and (path.exists() or not path.with_suffix(".safetensors").exists()):
            load_weights(path, self._listed())
        else:
            super().load_params(path)

    def _listed(self) -> list[Array]:
        """Return the weights as the book lists them: a shared one once for each layer that uses it."""
        return [p for layer in leaves(self.layers).values() for p in layer.params]


def save_weights(path: Path, params: Sequence[Array]) -> None:
    """Write a pickled list of float16 arrays, atomically.

    Raises:
        InputError: a weight is too large for float16.
    """
    with np.errstate(over="ignore"):
        arrays = [ops.asnumpy(p).astype(np.float16) for p in params]
    if not all(np.isfinite(array).all() for array in arrays):
        raise InputError(
            "the book's files hold float16, and a weight is above 65,504 or not finite: save to a file .safetensors"
        )
    write_atomic(path, pickle.dumps(arrays))


def load_weights(path: Path, params: Sequence[Array]) -> None:
    """Load a pickled list of arrays into weights, all of them or none.

    Raises:
        ModelFileError: no such file, not a pickle of plain data, or other arrays than the model's.
    """
    given = load_file(path)
    if not isinstance(given, list) or not all(isinstance(array, np.ndarray) for array in given):
        raise ModelFileError(f"{path} must hold a list of arrays, got {type(given).__name__}")
    shapes, wanted = [array.shape for array in given], [tuple(p.shape) for p in params]
    if shapes != wanted:
        raise ModelFileError(f"{path} does not hold the weights of this model: shapes must be {wanted}, got {shapes}")
    for p, array in zip(params, given):
        p[...] = ops.asarray(array.astype(p.dtype))


def _path(model: Any, file_name: FileName) -> Path:
    return Path(f"{type(model).__name__}.pkl" if file_name is None else file_name)
