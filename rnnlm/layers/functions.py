"""Activation functions and their derivatives, for arrays of any shape, nested lists or numbers."""

from typing import Any

import numpy as np

from rnnlm.backend import Array, xp
from rnnlm.cells.sigmoid import sigmoid_
from rnnlm.checks import array_of
from rnnlm.errors import InputError

__all__ = [
    "relu",
    "relu_slope",
    "sigmoid",
    "sigmoid_slope",
    "softmax",
    "softmax_backward",
    "step",
    "tanh",
    "tanh_slope",
]


def step(x: Any) -> Array:
    """Return 1 where x > 0, else 0: the activation of a perceptron."""
    x = _numbers(x)
    return (x > 0).astype(x.dtype)


def sigmoid(x: Any) -> Array:
    """Return 1 / (1 + exp(-x)), in (0, 1)."""
    y = _numbers(x).copy()
    sigmoid_(y)
    return y


def sigmoid_slope(x: Any) -> Array:
    """Return the derivative of sigmoid, sigmoid(x) (1 - sigmoid(x)): at most 1/4, at 0."""
    y = sigmoid(x)
    return y * (1 - y)


def relu(x: Any) -> Array:
    """Return max(x, 0)."""
    return xp.maximum(_numbers(x), 0)


def relu_slope(x: Any) -> Array:
    """Return the derivative of relu: 1 where x > 0, else 0, also at 0, where it is undefined."""
    return step(x)


def tanh(x: Any) -> Array:
    """Return (exp(x) - exp(-x)) / (exp(x) + exp(-x)), in (-1, 1)."""
    return xp.tanh(_numbers(x))


def tanh_slope(x: Any) -> Array:
    """Return the derivative of tanh, 1 - tanh(x)²: at most 1, at 0."""
    y = tanh(x)
    return 1 - y * y


def softmax(x: Any) -> Array:
    """Return exp(x) / sum exp(x) over the last axis: probabilities. Finite for all finite x.

    Raises:
        InputError: x is a scalar, or its last axis is empty.
    """
    x = _numbers(x)
    if not x.ndim or not x.shape[-1]:
        raise InputError(f"x must have at least one number in its last axis, got shape {x.shape}")
    y = xp.exp(x - x.max(axis=-1, keepdims=True))
    y /= y.sum(axis=-1, keepdims=True)
    return y


def softmax_backward(y: Array, dy: Array) -> Array:
    """Return the gradient of a softmax's inputs, y (dy - sum of y dy) along the last axis, from its outputs y and their
    gradient dy."""
    weighed = dy * y
    return weighed - y * weighed.sum(axis=-1, keepdims=True)


def _numbers(x: Any) -> Array:
    """Return x as a floating-point array of the backend; integers become float64.

    Raises:
        InputError: x is not an array of numbers, nor a list or number that converts to one.
    """
    if not isinstance(x, xp.ndarray) or isinstance(x, np.ndarray):
        x = xp.asarray(array_of("x", x))
    if x.dtype.kind not in "biuf":
        raise InputError(f"x must be an array of numbers, got dtype {x.dtype}")
    return x if x.dtype.kind == "f" else x.astype(xp.float64)
