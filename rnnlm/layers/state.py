"""The state that a recurrent layer carries from one window to the next."""

from collections.abc import Mapping
from typing import Any

from rnnlm.backend import Array, ops, xp
from rnnlm.checks import Checked, flag
from rnnlm.errors import InputError
from rnnlm.layers.base import Layer, expect

__all__ = ["Stateful"]


class Stateful(Layer):
    """A layer with a state: if `stateful`, a window begins with the state the last one ended with, else with zeros.

    A subclass names the arrays (N, H) that make up its state in `states`; its second parameter is Wh (H, gH).

    Attributes:
        h: (N, H) hidden state after the last time step; None for zeros.
    """

    states: tuple[str, ...] = ("h",)
    stateful = Checked(flag)
    h: Array | None

    def check_state(self, *state: Array | None) -> None:
        """Check arguments for `set_state` without setting the state.

        Raises:
            InputError: a wrong number of arrays, a wrong shape or dtype, or a layer that is not stateful.
        """
        if len(state) > len(self.states):
            raise InputError(f"a state of {type(self).__name__} is {', '.join(self.states)}, got {len(state)} arrays")
        given = [(name, array) for name, array in zip(self.states, state) if array is not None]
        if given and not self.stateful:
            raise InputError(f"a state can be set only on a stateful layer: {type(self).__name__}(..., stateful=True)")
        H = len(self.params[1])
        for i, (name, array) in enumerate(given):
            expect(name, array, (len(given[0][1]) if i else "N", H), self.dtype)

    def set_state(self, *state: Array | None) -> None:
        """Begin the next window with copies of these arrays (N, H), or with zeros for None; errors as `check_state`."""
        self.check_state(*state)
        like = next((array for array in state if array is not None), None)
        for name, array in zip(self.states, [*state, *[None] * len(self.states)]):
            given = array if array is not None or like is None else xp.zeros_like(like)
            setattr(self, name, None if given is None else given.copy())

    def get_state(self) -> tuple[Array, ...] | None:
        """Return a copy of the state, to be restored by `set_state(*state)`; None for zeros or if not `stateful`."""
        return (
            None if self.h is None or not self.stateful else tuple(getattr(self, name).copy() for name in self.states)
        )

    def begin_recording(self, N: int) -> None:
        """Replace a state of None by arrays of zeros, which recorded launches can read."""
        if self.stateful and self.h is None:
            self.set_state(*(xp.zeros((N, len(self.params[1])), self.dtype) for _ in self.states))

    def as_found(self, found: Mapping[str, Any]) -> None:
        """Copy the state to the arrays that held it when launches were recorded."""
        for name in self.states if self.stateful else ():
            state, own = getattr(self, name), found[name]
            if state is None:
                own[...] = 0
            elif ops.place(state) != ops.place(own):
                own[...] = state

    def reset_state(self) -> None:
        """Begin the next window with zeros."""
        for name in self.states:
            setattr(self, name, None)

    def check_batch(self, N: int) -> None:
        """Check that the carried state, if there is one, has batch size N.

        Raises:
            InputError: it has another one.
        """
        H = len(self.params[1])
        if self.stateful and self.h is not None and self.h.shape != (N, H):
            raise InputError(f"h, the carried state, must be {(N, H)}, got {self.h.shape}: reset_state() first")

    def _initial(self, name: str) -> Array | int:
        state: Array | None = getattr(self, name)
        return 0 if not self.stateful or state is None else state
