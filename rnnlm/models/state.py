"""The states of all recurrent layers of a model, together, and what else a training changes."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from rnnlm.backend import Array, ops
from rnnlm.concurrency import OneThread
from rnnlm.errors import InputError
from rnnlm.layers.base import Layer

__all__ = ["State", "Stateful", "set_states"]

State = Sequence[tuple[Array, ...] | None]


def _from_host(state: Sequence[Any]) -> State:
    """Return a state of host arrays as one of arrays of the backend."""
    return [None if entry is None else tuple(ops.asarray(np.array(a)) for a in entry) for entry in state]


def set_states(layers: Sequence[Layer], state: State) -> None:
    """Set the state of each layer to its entry of `state`; None for zeros.

    Raises:
        InputError: another number of layers or arrays, or a wrong shape; no state is changed.
    """
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
        raise InputError("the states of all layers must be of one batch size: give all that one get_state returned")
    for layer, arrays in pairs:
        layer.set_state(*arrays)


class Stateful:
    """Base class of `Sequential`: its state, and what a training has to write down to go on."""

    one_thread: OneThread
    train_steps: int
    written: Callable[[], dict[str, Array]]
    load_state_dict: Callable[..., None]
    _leaves: Mapping[str, Layer]

    @property
    def recurrent_layers(self) -> list[Any]:
        """The layers that carry a state from window to window."""
        return [layer for layer in self._leaves.values() if layer.states]

    def reset_state(self) -> None:
        """Begin the next window with zeros."""
        with self.one_thread:
            for layer in self._leaves.values():
                layer.reset_state()

    def get_state(self) -> State:
        """Return copies of the states, an entry for each recurrent layer; None for zeros."""
        with self.one_thread:
            return [layer.get_state() for layer in self.recurrent_layers]

    def set_state(self, state: State) -> None:
        """Begin the next window with a state that `get_state` returned.

        Raises:
            InputError: another number of layers or arrays, or a wrong shape; no state is changed.
        """
        with self.one_thread:
            set_states(self.recurrent_layers, state)

    def progress(self) -> dict[str, Any]:
        """Return what training changes: the weights (not copied), the state, and the number of the next mask."""
        return {"weights": self.written(), "state": self.get_state(), "train_steps": self.train_steps}

    def load_progress(self, progress: Mapping[str, Any]) -> None:
        """Restore what `progress` returned; errors are those of `load_state_dict` and `set_state`."""
        self.load_state_dict(progress["weights"])
        self.set_state(_from_host(progress["state"]))
        self.train_steps = progress["train_steps"]
