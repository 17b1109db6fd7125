"""Softmax with cross-entropy loss."""

from typing import Any

from rnnlm.backend import Array, ops, xp
from rnnlm.layers.base import Layer, batch_first, expect, expect_ids, time_major

__all__ = ["TimeSoftmaxWithLoss", "counted_targets", "exp_scores_", "mean_loss"]


def exp_scores_(scores: Array, targets: Array) -> tuple[Array, Array]:
    """Leave exp(s - max s) in place of scores s (M, V).

        nats = -log softmax(s)[target] = log(sum exp(s - max s)) + max s - s[target]

    Finite for all finite scores: a probability that underflows to 0 never meets a logarithm, and the difference of two
    large scores is taken in float64.

    Returns:
        nats: (M,) float64 cross-entropy of each row.
        total: (M,) sums of the exponentials.
    """
    top = scores.max(axis=1, keepdims=True)
    with ops.quiet():
        gap = top[:, 0].astype(xp.float64) - scores[xp.arange(len(targets)), targets].astype(xp.float64)
        scores -= top
    xp.exp(scores, out=scores)
    total = scores.sum(axis=1)
    return xp.log(total.astype(xp.float64)) + gap, total


def softmax_cross_entropy_(scores: Array, targets: Array, weights: Array) -> Array:
    """Cross-entropy of each row in nats; the gradient of their weighted sum is left in place of the scores.

        p = softmax(s)    nats = -log p[target]    d(sum of weights * nats) / ds = weights * (p - onehot(target))

    Args:
        scores: (M, V), overwritten.
        targets: (M,) ids in [0, V).
        weights: (M,) in the dtype of the scores.

    Returns:
        nats: (M,) float64, also where the weight is 0.
    """
    nats, total = exp_scores_(scores, targets)
    scores *= (weights / total)[:, None]
    scores[xp.arange(len(targets)), targets] -= weights
    return nats


def counted_targets(ts: Array, N: int, T: int, V: int, ignore_label: int) -> tuple[Array, Array, Array]:
    """Targets of a window in time-major order, which of them count, and the weight of each in the mean.

    Args:
        ts: (N, T) ids in [0, V) or `ignore_label`; one-hot (N, T, V), of any number type, too.

    Returns:
        targets: (T N,) ids, 0 where ignored.
        counted: (T N,) bool.
        weights: (T N,) float64, 1 / n for n targets that count, else 0; all 0 with none.
    """
    if getattr(ts, "ndim", 2) == 3:
        expect("one-hot ts", ts, (N, T, V), ts.dtype if ts.dtype.kind in "biu" else None)
        ts = ts.argmax(axis=2)
    expect_ids("ts", ts, (N, T))
    targets = time_major(ts).reshape(-1)
    counted = targets != ignore_label
    return xp.where(counted, targets, 0), counted, counted / xp.maximum(counted.sum(), 1)


def mean_loss(nats: Array, counted: Array, weights: Array, N: int, T: int) -> tuple[Array, Array]:
    """The mean of (T N,) nats over those counted, and all of them as (N, T), 0 where ignored."""
    nats = xp.where(counted, nats, 0)
    return (nats * weights).sum(), batch_first(nats.reshape(T, N))


class TimeSoftmaxWithLoss(Layer):
    """Mean cross-entropy in nats over all targets that are not `ignore_label`.  (N, T, V), (N, T) -> ()

        L = -1/n sum log softmax(x)[t]        dx = (softmax(x) - onehot(t)) / n

    n is the number of targets counted; with none the loss and all gradients are 0. A model whose last layer is affine
    takes `TimeAffineWithLoss` in place of the two.

    Attributes:
        nats: (N, T) float64 cross-entropy of each target at the last forward, 0 where ignored.
    """

    def __init__(self) -> None:
        super().__init__()
        self.ignore_label = -1
        self.nats: Array | None = None

    def forward(self, xs: Array, ts: Array, keep: bool = True) -> Array:
        """Mean loss in nats, a 0-d float64 array or scalar of the backend (on a GPU, `float` of it waits).

        Args:
            xs: (N, T, V) scores.
            ts: (N, T) ids of the targets in [0, V) or `ignore_label`; one-hot (N, T, V), of any number type, too.
            keep: False if no backward is to follow.
        """
        expect("xs", xs, ("N", "T", "V"))
        N, T, V = xs.shape
        targets, counted, weights = counted_targets(ts, N, T, V, self.ignore_label)
        dxs = self._buffer("dxs", (T, N, V), xs.dtype)
        dxs[...] = xs.swapaxes(0, 1)
        nats = softmax_cross_entropy_(dxs.reshape(T * N, V), targets, weights.astype(xs.dtype))
        loss, self.nats = mean_loss(nats, counted, weights, N, T)
        self._saved = (dxs,) if keep else None
        return loss

    def backward(self, dout: Any = 1) -> Array:
        """Gradient (N, T, V) of the scores, for a loss whose own gradient is `dout`."""
        (dxs,) = self._restore()
        self._done()
        if not (isinstance(dout, (int, float)) and dout == 1):
            dxs *= dout
        return batch_first(dxs)

    def forget(self) -> None:
        """Give up the last forward: a backward would be of no use."""
        self._done()
