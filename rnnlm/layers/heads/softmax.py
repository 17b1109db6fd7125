"""Softmax with cross-entropy loss."""

from typing import Any

from rnnlm.backend import Array, accelerated, ops, xp
from rnnlm.checks import flag
from rnnlm.errors import InputError
from rnnlm.layers.base import batch_first, expect, expect_ids
from rnnlm.layers.expected import expect_one_hot
from rnnlm.layers.heads.base import Head, factor_of

__all__ = ["SoftmaxWithLoss", "TimeSoftmaxWithLoss", "exp_scores"]


@accelerated
def exp_scores(scores: Array, b: Array | None, targets: Array, nats: Array, totals: Array) -> None:
    """Overwrite scores (M, V) with exp(s - max s), where s = scores + b, and compute each row's cross-entropy.

        nats = -log softmax(s)[target] = log(sum exp(s - max s)) + max s - s[target]

    Nats are at least 0, and finite for all finite float32 scores: no logarithm is taken of a probability, which may
    underflow to 0, and max s - s[target] is computed in float64. In float64 that difference must be finite.

    Args:
        b: (V,), or None for zeros.
        targets: (M,) ids in [0, V).
        nats: (M,) float64, overwritten with the cross-entropies.
        totals: (M,), overwritten with the row sums of the exponentials.
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
    """Overwrite the result of `exp_scores` with d sum(weights * nats) / ds = weights (softmax(s) - onehot(target))."""
    exps *= (weights / totals)[:, None]
    exps[xp.arange(len(targets)), targets] -= weights


class TimeSoftmaxWithLoss(Head):
    """Mean cross-entropy in nats over all targets that are not `ignore_label`.  (N, T, V), (N, T) -> ()

        L = -1/n sum log softmax(x)[t]        dx = (softmax(x) - onehot(t)) / n

    n is the number of targets counted; if it is 0, the loss and all gradients are 0. Models use `TimeAffineWithLoss`
    in place of an affine layer and this head. Attributes are those of `Head`.
    """

    repeatable = True
    takes_classes = ignores = True

    def loss(self, h: Array, ts: Array, keep: bool = True) -> Array:
        """As `Head.loss`, but `h` is the scores (N, T, V)."""
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
        """Return the gradient (N, T, V) of the scores; `dout` is the gradient of the loss."""
        (dxs,) = self.saved_values()
        factor = factor_of(dout)
        self.clear_saved_values()
        if factor is not None:
            dxs *= factor
        return batch_first(dxs)

    def scores(self, h: Array) -> Array:
        """Return the scores themselves."""
        self.clear_saved_values()
        return h

    def next_scores(self, h: Array) -> Array:
        """Return a copy of the scores (N, V): the array given may be a layer's state."""
        expect("xs", h, ("N", "V"))
        self.clear_saved_values()
        return h.copy()

    def expect_values(self, name: str, ts: Array, h: Array) -> None:
        """As `Head.expect_values`: one-hot, if they have as many axes as the scores."""
        if ts.ndim == h.ndim:
            expect_one_hot(name, ts, (len(ts), *h.shape[1:]))

    def hits(self, h: Array, ts: Array) -> Array:
        """Return whether each counted row's highest score is that of its class."""
        expect("the outputs", h, ("N", "V") if isinstance(h, xp.ndarray) and h.ndim == 2 else ("N", "T", "V"))
        if isinstance(ts, xp.ndarray) and ts.ndim == h.ndim:
            expect_one_hot("ts", ts, h.shape)
            ids = ts.argmax(axis=-1)
        else:
            expect_ids("ts", ts, h.shape[:-1], h.shape[-1], self.ignore_label)
            ids = ts
        return (h.argmax(axis=-1) == ids)[ids != self.ignore_label]


class SoftmaxWithLoss(TimeSoftmaxWithLoss):
    """Mean cross-entropy in nats of scores (N, V) and targets, ids (N,) or one-hot (N, V).  -> ()

    Equations are those of `TimeSoftmaxWithLoss`, with (N, V) as a window of one step. Scores may also be (N, T, V).
    """

    def loss(self, h: Array, ts: Array, keep: bool = True) -> Array:
        """As `Head.loss`, but `h` is the scores (N, V) or (N, T, V)."""
        flat = isinstance(h, xp.ndarray) and h.ndim == 2
        if flat and isinstance(ts, xp.ndarray) and ts.ndim == 2 and ts.shape != h.shape:
            raise InputError(f"ts must be ids ({len(h)},) or one-hot {h.shape}, got {ts.shape}: a column is ts[:, 0]")
        if flat:
            h, ts = h[:, None], ts[:, None] if isinstance(ts, xp.ndarray) and ts.ndim else ts
        loss = super().loss(h, ts, keep)
        self._flat = flat
        return loss

    def backward(self, dout: Any = 1) -> Array:
        """Return the gradient of the scores, in their shape."""
        dxs = super().backward(dout)
        return dxs[:, 0] if self._flat else dxs
