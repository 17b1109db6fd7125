"""The states of all recurrent layers of a model, set together."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from rnnlm.backend import Array, ops
from rnnlm.errors import InputError
from rnnlm.layers.base import Layer

__all__ = ["State", "from_host", "set_states"]

State = Sequence[tuple[Array, ...] | None]


def from_host(state: Sequence[Any]) -> State:
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
