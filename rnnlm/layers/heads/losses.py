"""Losses of feed-forward networks, each a mean over rows: squared error and cross-entropies.

Classes named ...CrossEntropy take probabilities, the outputs of `Sigmoid` or `Softmax`. `SigmoidWithLoss` and
`SoftmaxWithLoss` include that layer and take scores; they are finite for all finite scores whose differences are.
"""

from math import inf
from typing import Any

from rnnlm.backend import Array, xp
from rnnlm.checks import flag
from rnnlm.layers import functions
from rnnlm.layers.base import expect_ids
from rnnlm.layers.expected import expect_within
from rnnlm.layers.heads.base import Head, factor_of
from rnnlm.layers.rows import from_rows, to_rows

__all__ = [
    "BinaryCrossEntropy", "CategoricalCrossEntropy", "MeanSquaredError", "SigmoidWithLoss",
    "SparseCategoricalCrossEntropy",
]  # fmt: skip

TINY = 1e-7  # probabilities below it count as this, so a target of probability 0 has a finite loss and gradient


class RowLoss(Head):
    """Base class: the mean of a loss for each row.  (N, D), targets -> ()

        L = 1/N sum l(y_n, t_n)        dy_n = dl/dy_n / N

    A subclass implements `_values` and `_slopes`. Outputs may also be (N,), one number a row, or (N, T, D).

    Attributes:
        lowest, highest: range of targets.
    """

    scores_words = False
    lowest, highest = -inf, inf

    def loss(self, h: Array, ts: Array, keep: bool = True) -> Array:
        """Return the mean loss of the outputs h (N, D), (N,) or (N, T, D), a 0-d float64 array or scalar.

        Args:
            h: outputs of the last layer.
            ts: targets, of the shape that the class describes.
            keep: False if no backward will follow.
        """
        flag("keep", keep)
        y, t, like = self._checked(h, ts)
        self.nats = self._values(y, t).astype(xp.float64)
        self._saved = (self._slopes(y, t) / len(y), like, h.ndim) if keep else None
        return self.nats.mean()

    def backward(self, dout: Any = 1) -> Array:
        """Return the gradient of the outputs, in their shape; `dout` is the gradient of the loss."""
        dy, like, ndim = self.saved_values()
        factor = factor_of(dout)
        self.clear_saved_values()
        dy = dy if factor is None else (dy * factor).astype(dy.dtype)
        return dy[:, 0] if ndim == 1 else from_rows(dy, like)

    def scores(self, h: Array) -> Array:
        """Return the outputs themselves."""
        self.clear_saved_values()
        return h

    def expect_values(self, name: str, ts: Array, h: Array) -> None:
        """As `Head.expect_values`: within `lowest` and `highest`."""
        if self.highest < inf:
            expect_within(name, ts, self.lowest, self.highest)

    def _checked(self, h: Array, ts: Any) -> tuple[Array, Array, tuple[int, ...]]:
        """Return the checked outputs (M, D), the targets, and (N,) or (N, T), the shape of the rows."""
        given = h[:, None] if isinstance(h, xp.ndarray) and h.ndim == 1 else h
        y = to_rows("the outputs", given)
        return y, self._targets(ts, y, given.shape[:-1]), given.shape[:-1]

    def _targets(self, ts: Any, y: Array, like: tuple[int, ...]) -> Array:
        """Return checked targets (M, D) of the outputs' dtype; if D is 1 they may be given as (N,) or (N, T)."""
        ts = ts.astype(y.dtype) if isinstance(ts, xp.ndarray) and ts.dtype.kind in "biuf" else ts
        if y.shape[1] == 1 and isinstance(ts, xp.ndarray) and ts.shape == like:
            ts = ts[..., None]
        t = to_rows("ts", ts, y.shape[1], y.dtype, like)
        expect_within("ts", t, self.lowest, self.highest)
        return t

    def _values(self, y: Array, t: Array) -> Array:
        """Return the loss (M,) of each row."""
        raise NotImplementedError

    def _slopes(self, y: Array, t: Array) -> Array:
        """Return the gradient (M, D) of each row's loss, not divided by the number of rows."""
        raise NotImplementedError


class MeanSquaredError(RowLoss):
    """l = 1/D sum (y - t)²        dl/dy = 2 (y - t) / D. Targets are of the outputs' shape."""

    def _values(self, y: Array, t: Array) -> Array:
        return ((y - t) ** 2).mean(axis=1)

    def _slopes(self, y: Array, t: Array) -> Array:
        return (y - t) * (2 / y.shape[1])


class _YesOrNo(RowLoss):
    """Binary classification: targets are 0 or 1, or probabilities, of the outputs' shape."""

    lowest, highest = 0, 1
    half = 0.5  # outputs above it mean yes

    def hits(self, h: Array, ts: Array) -> Array:
        """Return whether each output is on the same side of the threshold as its target."""
        self._checked(h, ts)
        return (h > self.half).reshape(-1) == (ts > 0.5).reshape(-1)


class BinaryCrossEntropy(_YesOrNo):
    """l = -1/D sum (t log p + (1 - t) log(1 - p))        dl/dp = (p - t) / (p (1 - p)) / D, p output of `Sigmoid`"""

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
    """l = -sum t log p        dl/dp = -t / p, p the output of `Softmax`, t one-hot or a distribution"""

    lowest, highest = 0, 1

    def _values(self, y: Array, t: Array) -> Array:
        return -(t * xp.log(xp.maximum(y, TINY))).sum(axis=1)

    def _slopes(self, y: Array, t: Array) -> Array:
        return -t / xp.maximum(y, TINY)

    def hits(self, h: Array, ts: Array) -> Array:
        """Return whether each row's largest probability is that of its class."""
        self._checked(h, ts)
        return (h.argmax(axis=-1) == ts.argmax(axis=-1)).reshape(-1)


class SparseCategoricalCrossEntropy(RowLoss):
    """l = -log p[t]        dl/dp[t] = -1 / p[t], p the output of `Softmax`, t the id of the right class"""

    takes_classes = True

    def _targets(self, ts: Any, y: Array, like: tuple[int, ...]) -> Array:
        expect_ids("ts", ts, like, y.shape[1])
        return ts.reshape(-1) if ts.ndim == 1 else ts.T.reshape(-1)

    def _values(self, y: Array, t: Array) -> Array:
        return -xp.log(xp.maximum(y[xp.arange(len(y)), t], TINY))

    def _slopes(self, y: Array, t: Array) -> Array:
        rows, slopes = xp.arange(len(y)), xp.zeros_like(y)
        slopes[rows, t] = -1 / xp.maximum(y[rows, t], TINY)
        return slopes

    def hits(self, h: Array, ts: Array) -> Array:
        """Return whether each row's largest probability is that of its class."""
        self._checked(h, ts)
        return (h.argmax(axis=-1) == ts).reshape(-1)
