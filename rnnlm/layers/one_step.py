"""Single time steps of recurrent layers, for use in a hand-written loop over time."""

from typing import Any

from rnnlm.backend import Array
from rnnlm.layers.base import Layer, expect
from rnnlm.layers.recurrent import Recurrent

__all__ = ["OneStep"]


class OneStep(Layer):
    """One time step of a recurrent layer, a window of T = 1. A subclass defines `forward` and `backward`.

    Args:
        layer: the recurrent layer, stateful; its weights and gradients are shared with this one.
    """

    names = ("Wx", "Wh", "b")

    def __init__(self, layer: Recurrent) -> None:
        super().__init__()
        self._layer, self.params, self.grads = layer, layer.params, layer.grads

    def _forward(self, x: Array, *state: Array) -> tuple[Array, ...]:
        """Return the next state, arrays (N, H), from the input (N, D) and the previous state."""
        Wx, Wh, _ = self.params
        expect("x", x, ("N", len(Wx)), self.dtype)
        for name, array in zip(self._layer.states, state):
            expect(f"{name}_prev", array, (len(x), len(Wh)), self.dtype)
        self._layer.set_state(*state)
        self._layer.forward(x[:, None])
        return self._layer.get_state() or ()

    def _backward(self, dh: Array, *dstate: Array) -> tuple[Array, ...]:
        """Return the gradients of the input and the previous state, from those of the next state."""
        names = self._layer.states
        kept: Any = self._layer.h
        for name, array in zip(names, (dh, *dstate)):
            expect(f"d{name}_next", array, ("N", len(self.params[1])) if kept is None else kept.shape, self.dtype)
        dx = self._layer.backward(dh[:, None], None, *dstate)[:, 0].copy()
        return dx, *(getattr(self._layer, f"d{name}").copy() for name in names)
