"""Parameters by name: to the host and back, to a file and back."""

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
    """What has `layers`, and `params`, a list of arrays, and their `names`.

    Beside parameters its layers may have `constants`, which are written down with them.
    """

    layers: Mapping[str, Layer]
    params: list[Array]
    names: list[str]

    def constants(self) -> dict[str, Array]:
        """Arrays of the layers that are not trained, by name."""
        layers = everything(self.layers).items()
        return {f"{name}.{own}": array for name, layer in layers for own, array in layer.constants().items()}

    def set_constants(self, given: Mapping[str, Any]) -> None:
        """Take over what `constants` gave."""
        for name, layer in everything(self.layers).items():
            if own := layer.constants():
                layer.set_constants({key: given[f"{name}.{key}"] for key in own})

    def written(self) -> dict[str, Array]:
        """All that is written down, by name: parameters and constants, which are no copies."""
        return {**dict(zip(self.names, self.params)), **self.constants()}

    def state_dict(self) -> dict[str, NDArray[Any]]:
        """Copies of the parameters on the host, by name."""
        return {name: ops.asnumpy(p).copy() for name, p in self.written().items()}

    def load_state_dict(self, weights: Mapping[str, NDArray[Any]]) -> None:
        """Take over parameters by name, all of them or none.

        Raises:
            InputError: a name missing or unknown, or an array of another shape or dtype.
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
        """The name of the first parameter that has an infinity or a NaN in it, if there is one."""
        for name, p in zip(self.names, self.params):
            if int(xp.isfinite(p).sum()) < p.size:
                return name
        return None

    def save_params(self, file_name: str | os.PathLike[str] | None = None) -> None:
        """Write the parameters as safetensors, atomically; to `<class name>.safetensors` unless named.

        A name that ends with .pkl, as in the book, stands for the same with .safetensors: nothing is ever pickled.
        """
        with atomic_file(self._params_path(file_name)) as file:
            for piece in self.params_file():
                file.write(piece)

    def params_file(self) -> Iterator[bytes | memoryview]:
        """What `save_params` writes, a piece at a time."""
        return pieces(self.written())

    def load_params(self, file_name: str | os.PathLike[str] | None = None) -> None:
        """Read parameters that `save_params` wrote.

        Raises:
            ModelFileError: not a file of safetensors, or of another model's shapes; this model is left as it was.
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
