"""Losses of networks without time, each the mean of a row's loss: squared errors, and cross-entropies.

Those that are called cross-entropy take probabilities, what `Sigmoid` or `Softmax` gives; `SigmoidWithLoss` and
`SoftmaxWithLoss` take scores, and are the same with that layer in one, finite for all finite scores.
"""

from collections.abc import Sequence
from typing import Any

from rnnlm.backend import Array, xp
from rnnlm.errors import InputError
from rnnlm.layers import functions
from rnnlm.layers.base import expect_ids
from rnnlm.layers.heads.base import Head
from rnnlm.layers.rows import from_rows, to_rows

__all__ = [
    "BinaryCrossEntropy", "CategoricalCrossEntropy", "Losses", "MeanSquaredError", "SigmoidWithLoss",
    "SparseCategoricalCrossEntropy",
]  # fmt: skip

TINY = 1e-7  # probabilities are kept so far from 0 and 1


class RowLoss(Head):
    """The mean over rows of a loss of theirs.  (N, D), targets -> ()

        L = 1/N sum l(y_n, t_n)        dy_n = dl/dy_n / N

    A subclass brings `_targets`, `_values` and `_slopes`. Outputs may also be (N,), a number each, or (N, T, D).
    """

    def loss(self, h: Array, ts: Array, keep: bool = True) -> Array:
        """Mean loss of the outputs h (N, D), (N,) or (N, T, D), a 0-d float64 array or scalar of the backend.

        Args:
            h: what the last layer gives.
            ts: targets, as the class has them.
            keep: False if no backward is to follow.
        """
        given = h[:, None] if getattr(h, "ndim", 2) == 1 else h
        y = to_rows("the outputs", given)
        t = self._targets(ts, y, given.shape[:-1])
        self.nats = self._values(y, t).astype(xp.float64)
        self._saved = (self._slopes(y, t) / len(y), given.shape[:-1], h.ndim) if keep else None
        return self.nats.mean()

    def backward(self, dout: Any = 1) -> Array:
        """Gradient of the outputs, of their shape, for a loss whose own gradient is `dout`."""
        dy, like, ndim = self._restore()
        self._done()
        dy = dy if isinstance(dout, (int, float)) and dout == 1 else (dy * dout).astype(dy.dtype)
        return dy[:, 0] if ndim == 1 else from_rows(dy, like)

    def scores(self, h: Array) -> Array:
        """The outputs themselves."""
        self._done()
        return h

    def _targets(self, ts: Any, y: Array, like: tuple[int, ...]) -> Array:
        """Checked targets (M, D) of the outputs' dtype; for one output (N,) or (N, T) will do."""
        ts = ts.astype(y.dtype) if isinstance(ts, xp.ndarray) else ts
        if y.shape[1] == 1 and getattr(ts, "shape", None) == like:
            ts = ts[..., None]
        return to_rows("ts", ts, y.shape[1], y.dtype, like)

    def _values(self, y: Array, t: Array) -> Array:
        """The loss (M,) of each row."""
        raise NotImplementedError

    def _slopes(self, y: Array, t: Array) -> Array:
        """The gradient (M, D) of each row's own loss."""
        raise NotImplementedError


class MeanSquaredError(RowLoss):
    """l = 1/D sum (y - t)²        dl/dy = 2 (y - t) / D. Targets are of the outputs' shape."""

    def _values(self, y: Array, t: Array) -> Array:
        return ((y - t) ** 2).mean(axis=1)

    def _slopes(self, y: Array, t: Array) -> Array:
        return (y - t) * (2 / y.shape[1])


class _YesOrNo(RowLoss):
    """Targets are 0 or 1, or probabilities between, of the outputs' shape."""

    half = 0.5  # outputs above it say yes

    def hits(self, h: Array, ts: Array) -> Array:
        """Whether each answer is right."""
        return (h > self.half).reshape(-1) == (ts > 0.5).reshape(-1)


class BinaryCrossEntropy(_YesOrNo):
    """l = -1/D sum (t log p + (1 - t) log(1 - p))        dl/dp = (p - t) / (p (1 - p)) / D, p what `Sigmoid` gives."""

    def _values(self, y: Array, t: Array) -> Array:
        p = xp.clip(y, TINY, 1 - TINY)
        return -(t * xp.log(p) + (1 - t) * xp.log(1 - p)).mean(axis=1)

    def _slopes(self, y: Array, t: Array) -> Array:
        p = xp.clip(y, TINY, 1 - TINY)
        return (p - t) / (p * (1 - p) * y.shape[1])


class SigmoidWithLoss(_YesOrNo):
    """p = sigmoid(x)        l = -1/D sum (t log p + (1 - t) log(1 - p))        dl/dx = (p - t) / D"""

    half = 0.0

    def _values(self, y: Array, t: Array) -> Array:
        return (xp.maximum(y, 0) - y * t + xp.log1p(xp.exp(-xp.abs(y)))).mean(axis=1)

    def _slopes(self, y: Array, t: Array) -> Array:
        return (functions.sigmoid(y) - t) / y.shape[1]


class CategoricalCrossEntropy(RowLoss):
    """l = -sum t log p        dl/dp = -t / p, p what `Softmax` gives, t one-hot, or a distribution."""

    def _values(self, y: Array, t: Array) -> Array:
        return -(t * xp.log(xp.maximum(y, TINY))).sum(axis=1)

    def _slopes(self, y: Array, t: Array) -> Array:
        return -t / xp.maximum(y, TINY)

    def hits(self, h: Array, ts: Array) -> Array:
        """Whether each row's largest probability is that of its class."""
        return (h.argmax(axis=-1) == ts.argmax(axis=-1)).reshape(-1)


class SparseCategoricalCrossEntropy(RowLoss):
    """l = -log p[t]        dl/dp[t] = -1 / p[t], p what `Softmax` gives, t the id of the right class."""

    takes_classes = True

    def _targets(self, ts: Any, y: Array, like: tuple[int, ...]) -> Array:
        expect_ids("ts", ts, like)
        return ts.reshape(-1) if ts.ndim == 1 else ts.T.reshape(-1)

    def _values(self, y: Array, t: Array) -> Array:
        return -xp.log(xp.maximum(y[xp.arange(len(y)), t], TINY))

    def _slopes(self, y: Array, t: Array) -> Array:
        rows, slopes = xp.arange(len(y)), xp.zeros_like(y)
        slopes[rows, t] = -1 / xp.maximum(y[rows, t], TINY)
        return slopes

    def hits(self, h: Array, ts: Array) -> Array:
        """Whether each row's largest probability is that of its class."""
        return (h.argmax(axis=-1) == ts).reshape(-1)


class Losses(Head):
    """The sum of several losses, for a network with several outputs.

        L = w1 L1 + w2 L2 + ...

    Args:
        heads: a head for each output, in order; they must not have parameters.
        weights: of each; 1 unless given.
    """

    def __init__(self, *heads: Head, weights: Sequence[float] | None = None) -> None:
        super().__init__()
        self.heads, self.weights = heads, [1.0] * len(heads) if weights is None else list(weights)
        if len(self.weights) != len(heads):
            raise InputError(f"weights must be {len(heads)} numbers, one for each head, got {len(self.weights)}")
        if any(head.params for head in heads):
            raise InputError("heads of Losses must have no parameters: put their layers before them")

    def loss(self, h: Any, ts: Any, keep: bool = True) -> Array:
        """Weighed sum of the losses; outputs and targets are tuples."""
        for name, given in (("the outputs", h), ("ts", ts)):
            if not isinstance(given, (tuple, list)) or len(given) != len(self.heads):
                raise InputError(f"{name} must be a tuple of {len(self.heads)}, one for each head")
        losses = [head.loss(one, t, keep) for head, one, t in zip(self.heads, h, ts)]
        self._saved = () if keep else None
        return sum((loss * w for loss, w in zip(losses, self.weights)), xp.zeros((), xp.float64))

    def backward(self, dout: Any = 1) -> Any:
        """Gradients of the outputs, a tuple."""
        self._restore()
        self._done()
        return tuple(head.backward(dout * w) for head, w in zip(self.heads, self.weights))

    def scores(self, h: Any) -> Any:
        """The outputs themselves."""
        self._done()
        return h
