"""Softmax with cross-entropy loss."""

from typing import Any

from rnnlm.backend import Array, accelerated, ops, xp
from rnnlm.errors import InputError
from rnnlm.layers.base import Layer, batch_first, expect, expect_ids, time_major

__all__ = ["TimeSoftmaxWithLoss"]


@accelerated
def softmax_cross_entropy_(scores: Array, targets: Array, weights: Array) -> Array:
    """Cross-entropy of each row in nats; the gradient of their weighted sum is left in place of the scores.

        p = softmax(s)    nats = -log p[target] = log(sum exp(s - max s)) + max s - s[target]
        d(sum of weights * nats) / ds = weights * (p - onehot(target))

    Finite for all finite scores: a probability that underflows to 0 never meets a logarithm, and the difference of two
    large scores is taken in float64.

    Args:
        scores: (M, V), overwritten.
        targets: (M,) ids in [0, V).
        weights: (M,) in the dtype of the scores.

    Returns:
        nats: (M,) float64, also where the weight is 0.
    """
    row = xp.arange(len(targets))
    top = scores.max(axis=1, keepdims=True)
    with ops.quiet():
        gap = top[:, 0].astype(xp.float64) - scores[row, targets].astype(xp.float64)
        scores -= top
    xp.exp(scores, out=scores)
    total = scores.sum(axis=1)
    scores *= (weights / total)[:, None]
    scores[row, targets] -= weights
    return xp.log(total.astype(xp.float64)) + gap


class TimeSoftmaxWithLoss(Layer):
    """Mean cross-entropy in nats over all targets that are not `ignore_label`.  (N, T, V), (N, T) -> ()

        L = -1/n sum log softmax(x)[t]        dx = (softmax(x) - onehot(t)) / n

    n is the number of targets counted; with none the loss and all gradients are 0.

    Args:
        overwrite: leave the gradient in place of the scores given to `forward`, which saves an (N, T, V) array and a
            copy. For a caller that has no more use for its scores and made them in the memory order of a layer.

    Attributes:
        nats: (N, T) float64 cross-entropy of each target at the last forward, 0 where ignored.
    """

    def __init__(self, overwrite: bool = False) -> None:
        super().__init__()
        self.ignore_label = -1
        self.overwrite = overwrite
        self.nats: Array | None = None

    def forward(self, xs: Array, ts: Array) -> Array:
        """Mean loss in nats, a 0-d float64 array or scalar of the backend (on a GPU, `float` of it waits).

        Args:
            xs: (N, T, V) scores.
            ts: (N, T) ids of the targets in [0, V) or `ignore_label`; one-hot (N, T, V), of any number type, too.
        """
        expect("xs", xs, ("N", "T", "V"))
        N, T, V = xs.shape
        targets = time_major(self._ids(ts, N, T, V)).reshape(-1)
        counted = targets != self.ignore_label
        weights = counted / xp.maximum(counted.sum(), 1)  # float64, (T N,)
        dxs = self._scores(xs)
        targets = xp.where(counted, targets, 0)
        nats = softmax_cross_entropy_(dxs.reshape(T * N, V), targets, weights.astype(xs.dtype))
        nats = xp.where(counted, nats, 0)
        self.nats = batch_first(nats.reshape(T, N))
        self._save(dxs)
        return (nats * weights).sum()

    def backward(self, dout: Any = 1) -> Array:
        """Gradient (N, T, V) of the scores, for a loss whose own gradient is `dout`."""
        (dxs,) = self._restore()
        self._done()
        if not (isinstance(dout, (int, float)) and dout == 1):
            dxs *= dout
        return batch_first(dxs)

    def forget(self) -> None:
        """Give up the last forward: its scores are about to be overwritten, and a backward would be wrong."""
        self._done()

    def _ids(self, ts: Array, N: int, T: int, V: int) -> Array:
        if getattr(ts, "ndim", 2) == 3:
            expect("one-hot ts", ts, (N, T, V), ts.dtype if ts.dtype.kind in "biu" else None)
            return ts.argmax(axis=2)
        expect_ids("ts", ts, (N, T))
        return ts

    def _scores(self, xs: Array) -> Array:
        """The (T, N, V) array to work in."""
        steps = xs.swapaxes(0, 1)
        if not self.overwrite:
            work = self._buffer("dxs", steps.shape, xs.dtype)
            work[...] = steps
            return work
        if not steps.flags.c_contiguous:
            raise InputError("scores to overwrite must be in time-major memory, as a layer makes them: overwrite=False")
        return steps
