"""Softmax with cross-entropy loss."""

from typing import Any

from rnnlm.backend import Array, accelerated, ops, xp
from rnnlm.layers.base import Layer, batch_first, expect, expect_ids, time_major

__all__ = ["TimeSoftmaxWithLoss", "exp_scores", "expect_targets", "mean_loss", "weigh_targets"]


@accelerated
def exp_scores(scores: Array, b: Array | None, targets: Array, nats: Array, totals: Array) -> None:
    """Leave exp(s - max s) in place of scores (M, V), where s is scores + b.

        nats = -log softmax(s)[target] = log(sum exp(s - max s)) + max s - s[target]

    Finite for all finite scores: a probability that underflows to 0 never meets a logarithm, and the difference of two
    large scores is taken in float64.

    Args:
        b: (V,), or None for zeros.
        targets: (M,) ids in [0, V).
        nats: (M,) float64, to be overwritten with the cross-entropy of each row.
        totals: (M,), to be overwritten with the sums of the exponentials.
    """
    if b is not None:
        scores += b
    top = scores.max(axis=1, keepdims=True)
    with ops.quiet():
        gap = top[:, 0].astype(xp.float64) - scores[xp.arange(len(targets)), targets].astype(xp.float64)
        scores -= top
    xp.exp(scores, out=scores)
    scores.sum(axis=1, out=totals)
    xp.add(xp.log(totals.astype(xp.float64)), gap, out=nats)


@accelerated
def softmax_gradient(exps: Array, targets: Array, weights: Array, totals: Array) -> None:
    """Leave d(sum of weights * nats) / ds in place of what `exp_scores` left: weights (softmax(s) - onehot(target))."""
    exps *= (weights / totals)[:, None]
    exps[xp.arange(len(targets)), targets] -= weights


def expect_targets(ts: Array, N: int, T: int, V: int) -> Array:
    """Check the targets of a window; their ids (T N,) in time-major order.

    Args:
        ts: (N, T) ids in [0, V) or an ignored label; one-hot (N, T, V), of any number type, too.
    """
    if getattr(ts, "ndim", 2) == 3:
        expect("one-hot ts", ts, (N, T, V), ts.dtype if ts.dtype.kind in "biu" else None)
        ts = ts.argmax(axis=2)
    expect_ids("ts", ts, (N, T))
    return time_major(ts).reshape(-1)


@accelerated
def weigh_targets(ts: Array, ignore_label: int, targets: Array, shares: Array, weights: Array) -> None:
    """How much each of the targets ts (M,) counts in the mean.

    Args:
        targets: (M,) int32, to be overwritten with the ids, 0 where ignored.
        shares: (M,) float64, to be overwritten with 1 / n for n targets that count, 0 where ignored.
        weights: (M,) of another dtype, to be overwritten with the same.
    """
    counted = ts != ignore_label
    targets[...] = xp.where(counted, ts, 0)
    xp.divide(counted, xp.maximum(counted.sum(), 1), out=shares)
    weights[...] = shares


@accelerated
def mean_loss(nats: Array, shares: Array) -> Array:
    """The mean of nats (M,) over the targets that count: a 0-d array of its own. Nats of the others become 0."""
    nats[...] = xp.where(shares > 0, nats, 0)
    return (nats * shares).sum()


class Loss(Layer):
    """What the layers that end in a mean cross-entropy share.

    Attributes:
        ignore_label: targets that do not count.
        nats: (N, T) float64 cross-entropy of each target at the last forward, 0 where ignored; until the next one.
    """

    def __init__(self) -> None:
        super().__init__()
        self.ignore_label = -1
        self.nats: Array | None = None

    def _weighed(self, ts: Array, N: int, T: int, V: int, dtype: Any) -> tuple[Array, ...]:
        """Targets, shares and weights (T N,) of `weigh_targets`, and memory for totals and nats (T N,)."""
        ids = expect_targets(ts, N, T, V)
        kinds = {"targets": xp.int32, "shares": xp.float64, "weights": dtype, "totals": dtype, "nats": xp.float64}
        targets, shares, weights, totals, nats = (self._buffer(name, ids.shape, kinds[name]) for name in kinds)
        weigh_targets(ids, self.ignore_label, targets, shares, weights)
        return targets, shares, weights, totals, nats

    def _mean(self, nats: Array, shares: Array, N: int, T: int) -> Array:
        """The loss; the nats are left for who asks."""
        self.nats = batch_first(nats.reshape(T, N))
        return mean_loss(nats, shares)

    def forget(self) -> None:
        """Give up the last forward: what it kept is about to be overwritten, and a backward would be wrong."""
        self._done()


class TimeSoftmaxWithLoss(Loss):
    """Mean cross-entropy in nats over all targets that are not `ignore_label`.  (N, T, V), (N, T) -> ()

        L = -1/n sum log softmax(x)[t]        dx = (softmax(x) - onehot(t)) / n

    n is the number of targets counted; with none the loss and all gradients are 0. A model whose last layer is affine
    takes `TimeAffineWithLoss` in place of the two. Attributes are those of `Loss`.
    """

    def forward(self, xs: Array, ts: Array, keep: bool = True) -> Array:
        """Mean loss in nats, a 0-d float64 array or scalar of the backend (on a GPU, `float` of it waits).

        Args:
            xs: (N, T, V) scores.
            ts: (N, T) ids of the targets in [0, V) or `ignore_label`; one-hot (N, T, V), of any number type, too.
            keep: False if no backward is to follow.
        """
        expect("xs", xs, ("N", "T", "V"))
        N, T, V = xs.shape
        targets, shares, weights, totals, nats = self._weighed(ts, N, T, V, xs.dtype)
        dxs = self._buffer("dxs", (T, N, V), xs.dtype)
        dxs[...] = xs.swapaxes(0, 1)
        rows = dxs.reshape(T * N, V)
        exp_scores(rows, None, targets, nats, totals)
        if keep:
            softmax_gradient(rows, targets, weights, totals)
        self._saved = (dxs,) if keep else None
        return self._mean(nats, shares, N, T)

    def backward(self, dout: Any = 1) -> Array:
        """Gradient (N, T, V) of the scores, for a loss whose own gradient is `dout`."""
        (dxs,) = self._restore()
        self._done()
        if not (isinstance(dout, (int, float)) and dout == 1):
            dxs *= dout
        return batch_first(dxs)
