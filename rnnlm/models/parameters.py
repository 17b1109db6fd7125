"""Parameters by name, copied to and from the host, and saved to and loaded from files."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from numpy.typing import NDArray

from rnnlm.backend import Array, ops, xp
from rnnlm.checks import array_of, path_of, refused
from rnnlm.errors import InputError, ModelFileError
from rnnlm.files import atomic_file
from rnnlm.layers.base import Layer
from rnnlm.layers.chain import everything
from rnnlm.models.tensor_file import pieces, read_into
from rnnlm.opening import regular_file

__all__ = ["Parameters"]


class Parameters:
    """Base class of networks with `layers`, a list of arrays `params`, and their `names`.

    Layers may also have `constants`, which are saved with the parameters.
    """

    layers: Mapping[str, Layer]
    params: list[Array]
    names: list[str]

    def constants(self) -> dict[str, Array]:
        """Return the arrays of all layers that are saved but not trained, by name."""
        layers = everything(self.layers).items()
        return {f"{name}.{own}": array for name, layer in layers for own, array in layer.constants().items()}

    def set_constants(self, given: Mapping[str, Any]) -> None:
        """Restore what `constants` returned."""
        for name, layer in everything(self.layers).items():
            if own := layer.constants():
                layer.set_constants({key: given[f"{name}.{key}"] for key in own})

    def expect_in_place(self) -> None:
        """Check that no layer was given other arrays than those that are trained and saved.

        Raises:
            InputError: one was.
        """

    def written(self) -> dict[str, Array]:
        """Return all arrays that are saved, by name: parameters and constants, not copied."""
        self.expect_in_place()
        return {**dict(zip(self.names, self.params)), **self.constants()}

    def state_dict(self) -> dict[str, NDArray[Any]]:
        """Return copies of the parameters and constants on the host, by name."""
        return {name: ops.asnumpy(p).copy() for name, p in self.written().items()}

    def load_state_dict(self, weights: Mapping[str, NDArray[Any]]) -> None:
        """Load parameters and constants by name, all of them or none.

        Raises:
            InputError: a name is missing or unknown, or an array has another shape or dtype.
        """
        if not isinstance(weights, Mapping):
            raise refused("weights", "arrays by the names of the parameters", weights)
        own = self.written()
        if set(weights) != set(own):
            ours, theirs = set(own), set(weights)
            missing, unknown = (sorted(map(str, names)) for names in (ours - theirs, theirs - ours))
            raise InputError(f"parameters must be {', '.join(own)}; missing {missing}, unknown {unknown}")
        for name, p in own.items():
            given = array_of(name, weights[name])
            if given.shape != p.shape or given.dtype != p.dtype:
                raise InputError(f"{name} must be {p.dtype} {p.shape}, got {given.dtype} {given.shape}")
        for name, p in zip(self.names, self.params):
            p[...] = ops.asarray(weights[name])
        self.set_constants(weights)

    def not_finite(self) -> str | None:
        """Return the name of the first parameter with an infinity or a NaN; None if all are finite."""
        for name, p in zip(self.names, self.params):
            if int(xp.isfinite(p).sum()) < p.size:
                return name
        return None

    def save_params(self, file_name: str | os.PathLike[str] | None = None) -> None:
        """Write the parameters as safetensors, atomically; by default to `<class name>.safetensors`.

        The suffix .pkl, as in the book, is replaced by .safetensors: nothing is ever pickled.
        """
        with atomic_file(self._params_path(file_name)) as file:
            for piece in self.params_file():
                file.write(piece)

    def params_file(self) -> Iterator[bytes | memoryview]:
        """Yield the content of the file that `save_params` writes, piece by piece."""
        return pieces(self.written())

    def load_params(self, file_name: str | os.PathLike[str] | None = None) -> None:
        """Read parameters that `save_params` wrote.

        Raises:
            ModelFileError: no such file, not a safetensors file, or other names, shapes or dtypes than this model's.
                Unless the file is cut short while it is read, the model is not changed.
        """
        path = self._params_path(file_name)
        try:
            opened = regular_file(path, ModelFileError)
        except FileNotFoundError as error:
            pickled = file_name is not None and Path(file_name).suffix == ".pkl" and Path(file_name).exists()
            kind = type(self).__name__
            hint = f", and {file_name} is a pickle, which is not read: rnnlm.book.{kind} reads it" if pickled else ""
            raise ModelFileError(f"{path} does not exist{hint}") from error
        with opened as file:
            try:
                self.read_params(file)
            except ModelFileError as error:
                raise ModelFileError(f"{path} {error}") from error

    def read_params(self, file: BinaryIO) -> None:
        """Read parameters from an open file; errors are those of `load_params`."""
        constants = {name: a.copy() for name, a in self.constants().items()}
        try:
            read_into(file, {**self.written(), **constants})
            self.set_constants(constants)
        except InputError as error:
            name = type(self).__name__
            raise ModelFileError(f"does not hold the parameters of this {name}: {error}") from error

    def _params_path(self, file_name: str | os.PathLike[str] | None) -> Path:
        path = path_of("file_name", file_name if file_name is not None else f"{type(self).__name__}.safetensors")
        return path.with_suffix(".safetensors") if path.suffix == ".pkl" else path
