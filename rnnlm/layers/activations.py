"""Activations as layers: functions applied elementwise, or, in `Softmax`, to each row.

All take arrays (N, D) or (N, T, D) and do not modify their inputs.
"""

from rnnlm.backend import Array, xp
from rnnlm.layers import functions
from rnnlm.layers.base import Layer
from rnnlm.layers.rows import from_rows, to_rows

__all__ = ["ReLU", "Sigmoid", "Softmax", "Step", "Tanh"]


class Activation(Layer):
    """A function without parameters, whose derivative can be computed from its outputs.

    A subclass implements `_function` and `_gradient`.
    """

    def forward(self, xs: Array) -> Array:
        """Apply the function to the inputs (N, D) or (N, T, D); the outputs have their shape."""
        x = to_rows("xs", xs)
        y = self._function(x)
        self.save_for_backward(y, xs.shape[:-1])
        return from_rows(y, xs.shape[:-1])

    def backward(self, dys: Array) -> Array:
        """Return the gradient of the inputs, in their shape."""
        y, like = self.saved_values()
        dy = to_rows("dys", dys, y.shape[1], y.dtype, like)
        self.clear_saved_values()
        return from_rows(self._gradient(dy, y), like)

    def _function(self, x: Array) -> Array:
        """Return the outputs (M, D) as a new array."""
        raise NotImplementedError

    def _gradient(self, dy: Array, y: Array) -> Array:
        """Return the gradient (M, D) of the inputs, from that of the outputs and the outputs."""
        raise NotImplementedError


class Sigmoid(Activation):
    """y = 1 / (1 + exp(-x))        dx = dy y (1 - y)"""

    def _function(self, x: Array) -> Array:
        return functions.sigmoid(x)

    def _gradient(self, dy: Array, y: Array) -> Array:
        return dy * (y * (1 - y))


class Tanh(Activation):
    """y = tanh(x)        dx = dy (1 - y²)"""

    def _function(self, x: Array) -> Array:
        return xp.tanh(x)

    def _gradient(self, dy: Array, y: Array) -> Array:
        return dy * (1 - y * y)


class ReLU(Activation):
    """y = max(x, 0)        dx = dy where x > 0, else 0"""

    def _function(self, x: Array) -> Array:
        return functions.relu(x)

    def _gradient(self, dy: Array, y: Array) -> Array:
        return dy * (y > 0)


class Step(Activation):
    """y = 1 where x > 0, else 0        dx = 0: nothing can be learned through it"""

    def _function(self, x: Array) -> Array:
        return functions.step(x)

    def _gradient(self, dy: Array, y: Array) -> Array:
        return xp.zeros_like(dy)


class Softmax(Activation):
    """y = exp(x) / sum exp(x) of each row        dx = y (dy - sum of y dy)"""

    def _function(self, x: Array) -> Array:
        return functions.softmax(x)

    def _gradient(self, dy: Array, y: Array) -> Array:
        return functions.softmax_backward(y, dy)
