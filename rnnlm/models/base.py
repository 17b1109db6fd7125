"""What all language models share: flat parameters, checked ids, state, saving."""

import os
from collections.abc import Mapping, Sequence
from inspect import signature
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnlm.backend import Array, ops
from rnnlm.errors import InputError, ModelFileError
from rnnlm.files import write_atomic
from rnnlm.layers.affine import TimeAffine
from rnnlm.layers.base import Layer
from rnnlm.layers.bidirectional import Bidirectional
from rnnlm.layers.heads.affine_softmax import TimeAffineWithLoss
from rnnlm.layers.heads.softmax import TimeSoftmaxWithLoss
from rnnlm.models.config import INITIAL, ModelConfig
from rnnlm.models.flat import flatten
from rnnlm.models.ids import checked_ids

__all__ = ["Model", "State"]

State = Sequence[tuple[Array, ...] | None]


class Model:
    """A language model: a stack of layers from word ids to scores, and a loss.

    A subclass gives its layers to `_own`, which moves all their parameters into one flat buffer and all their gradients
    into another, so that the gradient's norm, clipping and the update are one operation each; the layers' arrays
    become views into them. A subclass whose constructor takes other arguments than fields of `ModelConfig` brings its
    own `from_config`, by which models are copied, pickled and read from a folder.

    Attributes:
        config: what the model was built from.
        layers: by name, in order.
        params, grads: lists of arrays, one entry for each parameter; `names` has their names.
        flat_params, flat_grads: the two buffers, with unused gaps of zeros between parameters.
        train_steps: forwards with `train_flg` so far, which number the dropout masks.
    """

    def __init__(self, config: ModelConfig) -> None:
        self.config = config
        self.layers: dict[str, Layer] = {}
        self.train_steps = 0
        self.loss_layer: TimeSoftmaxWithLoss | TimeAffineWithLoss = TimeSoftmaxWithLoss()

    @classmethod
    def from_config(cls, config: ModelConfig) -> "Model":
        """A new model of this class as `config` describes it.

        Raises:
            InputError: the class has something fixed that `config` has otherwise.
        """
        own = [name for name in signature(cls).parameters if name != "options"]
        model = cls(**{name: getattr(config, name) for name in (*own, *INITIAL)})
        for name, value in vars(model.config).items():
            if getattr(config, name) != value:
                raise InputError(
                    f"{name} of {cls.__name__} must be {value!r}, got {getattr(config, name)!r}: "
                    "LanguageModel takes any"
                )
        return model

    def _own(self, **layers: Layer) -> None:
        """Make `layers` this model's, in this order, and their parameters views into the flat buffers.

        Weights that are the transpose of an embedding's, in the same memory, stay that, and are listed once.
        """
        for name, layer in layers.items():
            if isinstance(layer, Bidirectional):
                raise InputError(f"{name} must not be bidirectional: it would see the words that are to be predicted")
        self.layers = layers
        self.below_loss = list(layers.values())
        last = self.below_loss[-1]
        if isinstance(last, TimeAffine):
            self.loss_layer = TimeAffineWithLoss(last)
            self.below_loss.pop()
        flat = flatten(layers, self.config.dtype)
        self.params, self.grads, self.names = flat.params, flat.grads, flat.names
        self.flat_params, self.flat_grads = flat.flat_params, flat.flat_grads
        for number, layer in enumerate(layers.values()):
            if layer.mask is not None:
                layer.mask.seed(self.config.seed, number)

    # ------------------------------------------------------------------ forward and back

    def predict(self, xs: Any, train_flg: bool = False) -> Array:
        """Scores (N, T, V) of the next word after each of the ids `xs` (N, T), as a copy; the state goes on.

        Softmax over the last axis gives probabilities. With `train_flg` there is dropout.
        """
        self.loss_layer.forget()
        with ops.one_blas_thread:
            return self._run(list(self.layers.values()), self._ids("xs", xs), train_flg).copy()

    def next_scores(self, xs: Any) -> Array:
        """Scores (N, V) of the word after the last of the ids `xs` (N, T); the state goes on.

        The array is the caller's to write to, until the model is used again.
        """
        self.loss_layer.forget()
        with ops.one_blas_thread:
            ys = self._run(self.below_loss, self._ids("xs", xs), train_flg=False)[:, -1:]
            rest = list(self.layers.values())[len(self.below_loss) :]
            for layer in rest:
                ys = layer.forward(ys)  # type: ignore[attr-defined]
        return ys[:, 0] if rest else ys[:, 0].copy()  # what a recurrent layer returns may be its state

    def forward(self, xs: Any, ts: Any, train_flg: bool = True) -> Array:
        """Mean cross-entropy in nats of the targets `ts` (N, T) after the words `xs` (N, T); the state goes on.

        Args:
            xs: ids in [0, vocab_size), as a host array (checked and moved) or as an array of the backend.
            ts: ids in [0, vocab_size), or -1 for a target that does not count; one-hot (N, T, V) too.
            train_flg: False for no dropout and no regularisation, as for an evaluation.

        Raises:
            InputError: shapes that differ, ids that are no words, or a carried state of another batch size.
        """
        return self._loss(xs, ts, train_flg, keep=True)

    def losses(self, xs: Any, ts: Any) -> Array:
        """Cross-entropy in nats of each target, (N, T) float64, 0 where it is -1. No dropout, no backward after it."""
        self._loss(xs, ts, train_flg=False, keep=False)
        return self.loss_layer.nats.copy()  # type: ignore[union-attr]

    def backward(self, dout: Any = 1) -> None:
        """Leave the gradient of the last forward's loss (times `dout`), and of its penalty, in `grads`."""
        with ops.one_blas_thread:
            dxs = self.loss_layer.backward(dout)
            for layer in reversed(self.below_loss):
                dxs = layer.backward(dxs)  # type: ignore[attr-defined]

    @property
    def penalty(self) -> Any:
        """Nats that the last forward's activation regularisation asks for; not part of the loss that it returned."""
        return sum(getattr(layer, "penalty", 0.0) for layer in self.layers.values())

    def _loss(self, xs: Any, ts: Any, train_flg: bool, keep: bool) -> Array:
        xs, ts = self._ids("xs", xs), self._ids("ts", ts, lowest=self.loss_layer.ignore_label)
        if xs.shape != ts.shape:
            raise InputError(f"xs and ts must have one shape (N, T), got {xs.shape} and {ts.shape}")
        with ops.one_blas_thread:
            return self.loss_layer.forward(self._run(self.below_loss, xs, train_flg), ts, keep)

    def _run(self, layers: Sequence[Layer], xs: Array, train_flg: bool) -> Array:
        """What comes out of the last of `layers`, the first of which takes ids."""
        for layer in self.recurrent_layers:
            layer.check_batch(len(xs))
        for layer in layers:
            layer.train_flg = train_flg
            if layer.mask is not None:
                layer.mask.step = self.train_steps
            xs = layer.forward(xs)  # type: ignore[attr-defined]
        self.train_steps += train_flg
        return xs

    def _ids(self, name: str, ids: Any, lowest: int = 0) -> Array:
        return checked_ids(name, ids, self.config.vocab_size, lowest)

    # ------------------------------------------------------------------ state

    @property
    def recurrent_layers(self) -> list[Any]:
        """The layers that carry a state from window to window."""
        return [layer for layer in self.layers.values() if hasattr(layer, "set_state")]

    def reset_state(self) -> None:
        """Begin the next window with zeros."""
        for layer in self.recurrent_layers:
            layer.reset_state()

    def get_state(self) -> State:
        """Copies of the states, an entry for each recurrent layer; None where it is zeros."""
        return [layer.get_state() for layer in self.recurrent_layers]

    def set_state(self, state: State) -> None:
        """Begin the next window with a state that `get_state` gave.

        Raises:
            InputError: another number of layers or arrays, or a wrong shape; all states are left as they were.
        """
        layers = self.recurrent_layers
        if not isinstance(state, Sequence) or len(state) != len(layers):
            given = f"{len(state)} entries" if isinstance(state, Sequence) else type(state).__name__
            raise InputError(f"state must have {len(layers)} entries, one for each recurrent layer, got {given}")
        for entry in state:
            if entry is not None and not isinstance(entry, (tuple, list)):
                raise InputError(f"an entry of a state must be a tuple of arrays or None, got {type(entry).__name__}")
        pairs = [(layer, tuple(entry or (None,))) for layer, entry in zip(layers, state)]
        for layer, arrays in pairs:
            layer.check_state(*arrays)
        if len({len(array) for _, arrays in pairs for array in arrays if array is not None}) > 1:
            raise InputError("the states of all layers must be of one batch size")
        for layer, arrays in pairs:
            layer.set_state(*arrays)

    # ------------------------------------------------------------------ copying and saving

    def __reduce__(self) -> Any:
        """Copy and pickle by configuration, weights and state: layers copied one by one would lose the flat buffers."""
        return _rebuild, (type(self), self.config, self.state_dict(), self.get_state(), self.train_steps)

    def state_dict(self) -> dict[str, NDArray[Any]]:
        """Copies of the parameters on the host, by name."""
        return {name: ops.asnumpy(p).copy() for name, p in zip(self.names, self.params)}

    def load_state_dict(self, weights: Mapping[str, NDArray[Any]]) -> None:
        """Take over parameters by name, all of them or none.

        Raises:
            InputError: a name missing or unknown, or an array of another shape or dtype.
        """
        if set(weights) != set(self.names):
            missing, unknown = sorted(set(self.names) - set(weights)), sorted(set(weights) - set(self.names))
            raise InputError(f"parameters must be {', '.join(self.names)}; missing {missing}, unknown {unknown}")
        for name, p in zip(self.names, self.params):
            given = np.asarray(weights[name])
            if given.shape != p.shape or given.dtype != p.dtype:
                raise InputError(f"{name} must be {p.dtype} {p.shape}, got {given.dtype} {given.shape}")
        for name, p in zip(self.names, self.params):
            p[...] = ops.asarray(weights[name])

    def save_params(self, file_name: str | os.PathLike[str] | None = None) -> None:
        """Write the parameters as safetensors, atomically; to `<class name>.safetensors` unless named.

        A name that ends with .pkl, as in the book, stands for the same with .safetensors: nothing is ever pickled.
        """
        from safetensors.numpy import save

        arrays = {name: np.ascontiguousarray(a) for name, a in self.state_dict().items()}
        write_atomic(self._params_path(file_name), save(arrays))

    def load_params(self, file_name: str | os.PathLike[str] | None = None) -> None:
        """Read parameters that `save_params` wrote.

        Raises:
            ModelFileError: not a file of safetensors, or of another model's shapes; this model is left as it was.
        """
        from safetensors import SafetensorError
        from safetensors.numpy import load

        path = self._params_path(file_name)
        try:
            self.load_state_dict(load(path.read_bytes()))
        except FileNotFoundError as error:
            pickled = file_name is not None and Path(file_name).suffix == ".pkl" and Path(file_name).exists()
            hint = f", and {file_name} is a pickle, which is not read" if pickled else ""
            raise ModelFileError(f"{path} does not exist{hint}") from error
        except (SafetensorError, KeyError, ValueError) as error:
            name = type(self).__name__
            raise ModelFileError(f"{path} does not hold the parameters of this {name}: {error}") from error

    def _params_path(self, file_name: str | os.PathLike[str] | None) -> Path:
        path = Path(file_name if file_name is not None else f"{type(self).__name__}.safetensors")
        return path.with_suffix(".safetensors") if path.suffix == ".pkl" else path


def _rebuild(
    cls: type[Model], config: ModelConfig, weights: Mapping[str, NDArray[Any]], state: State, train_steps: int
) -> Model:
    """A copy of a model, from its parts."""
    model = cls.from_config(config)
    model.load_state_dict(weights)
    model.set_state(state)
    model.train_steps = train_steps
    return model
