"""Softmax with cross-entropy loss."""

from typing import Any

from rnnlm.backend import Array, accelerated, ops, xp
from rnnlm.checks import flag
from rnnlm.layers.base import batch_first, expect, expect_ids
from rnnlm.layers.expected import expect_one_hot
from rnnlm.layers.heads.base import Head, factor_of

__all__ = ["SoftmaxWithLoss", "TimeSoftmaxWithLoss", "exp_scores"]


@accelerated
def exp_scores(scores: Array, b: Array | None, targets: Array, nats: Array, totals: Array) -> None:
    """Leave exp(s - max s) in place of scores (M, V), where s is scores + b.

        nats = -log softmax(s)[target] = log(sum exp(s - max s)) + max s - s[target]

    At least 0, and finite for all finite scores of float32: a probability that underflows to 0 never meets a logarithm,
    and the difference of two large scores is taken in float64. Of float64 the difference itself must be finite.

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


class TimeSoftmaxWithLoss(Head):
    """Mean cross-entropy in nats over all targets that are not `ignore_label`.  (N, T, V), (N, T) -> ()

        L = -1/n sum log softmax(x)[t]        dx = (softmax(x) - onehot(t)) / n

    n is the number of targets counted; with none the loss and all gradients are 0. A model whose last layer is affine
    takes `TimeAffineWithLoss` in place of the two. Attributes are those of `Head`.
    """

    repeatable = True

    def loss(self, h: Array, ts: Array, keep: bool = True) -> Array:
        """As `Head` has it; `h` are the scores (N, T, V) themselves."""
        flag("keep", keep)
        expect("xs", h, ("N", "T", "V"))
        N, T, V = h.shape
        targets, shares, weights, totals, nats = self._weighed(ts, N, T, V, h.dtype)
        dxs = self._buffer("dxs", (T, N, V), h.dtype)
        dxs[...] = h.swapaxes(0, 1)
        rows = dxs.reshape(T * N, V)
        exp_scores(rows, None, targets, nats, totals)
        if keep:
            softmax_gradient(rows, targets, weights, totals)
        self._saved = (dxs,) if keep else None
        return self._mean(nats, shares, N, T)

    def backward(self, dout: Any = 1) -> Array:
        """Gradient (N, T, V) of the scores, for a loss whose own gradient is `dout`."""
        (dxs,) = self._restore()
        factor = factor_of(dout)
        self._done()
        if factor is not None:
            dxs *= factor
        return batch_first(dxs)

    def scores(self, h: Array) -> Array:
        """The scores themselves."""
        self._done()
        return h

    def next_scores(self, h: Array) -> Array:
        """The scores (N, V), a copy: what a layer returns may be its state."""
        expect("xs", h, ("N", "V"))
        self._done()
        return h.copy()


class SoftmaxWithLoss(TimeSoftmaxWithLoss):
    """Mean cross-entropy in nats of scores (N, V) and targets, ids (N,) or one-hot (N, V).  -> ()

    Equations are those of `TimeSoftmaxWithLoss`, to which (N, V) is a window of one step; (N, T, V) will do too.
    """

    takes_classes = True

    def loss(self, h: Array, ts: Array, keep: bool = True) -> Array:
        """As `Head` has it, of scores (N, V)."""
        self._flat = isinstance(h, xp.ndarray) and h.ndim == 2
        if not self._flat:
            return super().loss(h, ts, keep)
        return super().loss(h[:, None], ts[:, None] if isinstance(ts, xp.ndarray) and ts.ndim else ts, keep)

    def backward(self, dout: Any = 1) -> Array:
        """Gradient of the scores, of their shape."""
        dxs = super().backward(dout)
        return dxs[:, 0] if self._flat else dxs

    def hits(self, h: Array, ts: Array) -> Array:
        """Whether each row's best score is that of its class, of the rows that count."""
        expect("the outputs", h, ("N", "V") if isinstance(h, xp.ndarray) and h.ndim == 2 else ("N", "T", "V"))
        if isinstance(ts, xp.ndarray) and ts.ndim == h.ndim:
            expect_one_hot("ts", ts, h.shape)
            ids = ts.argmax(axis=-1)
        else:
            expect_ids("ts", ts, h.shape[:-1], h.shape[-1], self.ignore_label)
            ids = ts
        return (h.argmax(axis=-1) == ids)[ids != self.ignore_label]
