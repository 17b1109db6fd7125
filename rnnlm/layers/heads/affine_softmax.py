"""Output and loss in one: hidden states to cross-entropy, without keeping scores and their gradient side by side."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnlm.backend import Array, accelerated, ops, xp
from rnnlm.checks import flag, instance_of
from rnnlm.layers.affine import TimeAffine
from rnnlm.layers.base import Shape, batch_first, expect, time_major
from rnnlm.layers.heads.base import Head, factor_of
from rnnlm.layers.heads.softmax import exp_scores

__all__ = ["TimeAffineWithLoss"]


@accelerated
def output_forward(x: Array, W: Array, b: Array, targets: Array, exps: Array, totals: Array, nats: Array) -> None:
    """Cross-entropy of each row in nats, and what its gradient is made of.

        s = x W + b        nats = log(sum exp(s - m)) + m - s[target]        m = max s, or any number near it

    At least 0, and finite for all finite scores of float32: a probability that underflows to 0 never meets a logarithm,
    and the difference of two large scores is taken in float64. Of float64 the difference itself must be finite.

    Args:
        x: (M, H).
        W, b: (H, V), (V,).
        targets: (M,) ids in [0, V).
        exps: (M, V), to be overwritten with exp(s - m).
        totals: (M,), to be overwritten with their sums.
        nats: (M,) float64, to be overwritten.
    """
    ops.matmul(x, W, out=exps)
    exp_scores(exps, b, targets, nats, totals)


@accelerated
def output_nats(
    x: Array, W: Array, b: Array, targets: Array, shares: Array, totals: Array, nats: Array, memory: Array
) -> None:
    """The cross-entropy alone, for no way back, of as many rows at a time as there is memory (rows, V) for.

    Rows whose share (M,) of the mean is 0 may be left out; all else is as `output_forward` has it.
    """
    for start in range(0, len(x), len(memory)):
        rows = slice(start, min(len(x), start + len(memory)))
        output_forward(x[rows], W, b, targets[rows], memory[: rows.stop - start], totals[rows], nats[rows])


@accelerated
def output_factors(
    exps: Array, targets: Array, weights: Array, totals: Array, x: Array, factors: Array, xf: Array
) -> None:
    """Leave in exps (M, V) the gradient of the scores but for a factor for each row, and the factors.

        ds = weights (exps / totals - onehot(target)) = factors (exps - totals onehot(target))

    `weights` is what a row counts in the loss, `totals` the sum of its exponentials, `factors` (M, 1) their quotient.
    That is put to x, as `xf` (M, H) = factors x, and later to dx, which are smaller than ds.
    """
    exps[xp.arange(len(x)), targets] -= totals
    xp.divide(weights, totals, out=factors[:, 0])
    xp.multiply(x, factors, out=xf)


@accelerated
def scale_rows(x: Array, factors: Array) -> None:
    """x *= factors, in place.  x (M, H), factors (M, 1)"""
    x *= factors


def output_backward(
    x: Array, W: Array, targets: Array, weights: Array, exps: Array, totals: Array,
    dx: Array, factors: Array, xf: Array,
) -> None:  # fmt: skip
    """Gradient of x, of the sum of weights * nats; and in exps, factors and xf what `weight_gradients` needs.

        p = exps / totals        ds = weights (p - onehot(target))        dx = ds Wᵀ    dW = xᵀ ds    db = sum of ds

    The factor weights / totals of a row is put to x and dx, which are smaller than ds.

    Args:
        x, W, targets, exps, totals: as `output_forward` took and left them.
        weights: (M,).
        dx: (M, H), to be overwritten.
        factors, xf: (M, 1) and (M, H), to be overwritten.
    """
    output_factors(exps, targets, weights, totals, x, factors, xf)
    ops.matmul(exps, W.T, out=dx)
    scale_rows(dx, factors)


def weight_gradients(exps: Array, factors: Array, xf: Array, dW: Array, db: Array, add: bool) -> None:
    """The others, after `output_backward`.

    Args:
        exps, factors, xf: as that left them.
        dW, db: (H, V) or its transposed memory, (V,), to be overwritten, or added to if `add`.
    """
    if dW.flags.c_contiguous:
        ops.matmul(xf.T, exps, out=dW, add=add)
    else:  # the transpose of an embedding's gradient
        ops.matmul(exps.T, xf, out=dW.T, add=add)
    ops.matmul(factors.T, exps, out=db[None], add=add)


class TimeAffineWithLoss(Head):
    """Affine, softmax and mean cross-entropy in nats.  (N, T, H), (N, T) -> ()

        s = x W + b        L = -1/n sum log softmax(s)[t]

    The same as `TimeSoftmaxWithLoss` after the `TimeAffine`, but what stands in memory is exp(s) alone, and of that so
    many rows as make `ops.SCORES` numbers: where a window has more, they are worked through block by block, and
    computed again on the way back.

    Args:
        affine: the layer whose weights these are; its gradients are written to.

    Attributes are those of `Head`.
    """

    repeatable = True
    called = "affine"

    def __init__(self, affine: TimeAffine) -> None:
        super().__init__()
        self._affine = instance_of("affine", affine, TimeAffine)
        self.params, self.grads, self.names = affine.params, affine.grads, affine.names

    def unigram_biases(self, logs: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
        """The bias is these logarithms themselves."""
        return {"b": logs}

    @property
    def takes(self) -> int:
        """H."""
        return len(self.params[0])

    def output_shape(self, shape: Shape) -> Shape:
        """(N, T, V), of the scores."""
        return *shape[:-1], self.params[0].shape[1]

    def loss(self, h: Array, ts: Array, keep: bool = True) -> Array:
        """As `Head` has it."""
        flag("keep", keep)
        W, b = self.params
        H, V = W.shape
        expect("xs", h, ("N", "T", H), self.dtype)
        N, T, _ = h.shape
        x = time_major(h).reshape(T * N, H)
        targets, shares, weights, totals, nats = self._weighed(ts, N, T, V, self.dtype)
        if keep:
            for rows, exps in self._blocks(T * N):
                output_forward(x[rows], W, b, targets[rows], exps, totals[rows], nats[rows])
        else:
            output_nats(x, W, b, targets, shares, totals, nats, self._memory(T * N, ops.SCORES_ONCE))
        self._saved = (x, targets, weights, totals, (N, T)) if keep else None
        return self._mean(nats, shares, N, T)

    def backward(self, dout: Any = 1) -> Array:
        """Gradient (N, T, H) of the hidden states; those of W and b are left in `grads`.

        Args:
            dout: gradient of the loss itself.
        """
        x, targets, weights, totals, (N, T) = self._restore()
        factor = factor_of(dout)
        self._done()
        (W, b), (dW, db) = self.params, self.grads
        dx, xf = (self._buffer(name, x.shape, self.dtype) for name in ("dx", "xf"))
        factors, nats = self._buffer("factors", (len(x), 1), self.dtype), self._buffer("again", (len(x),), xp.float64)
        if factor is not None:
            weights = (weights * factor).astype(self.dtype)
        for rows, exps in self._blocks(len(x)):
            if len(exps) < len(x):
                output_forward(x[rows], W, b, targets[rows], exps, totals[rows], nats[rows])
            of_rows = (x[rows], W, targets[rows], weights[rows], exps, totals[rows])
            output_backward(*of_rows, dx[rows], factors[rows], xf[rows])
            left = partial(weight_gradients, exps, factors[rows], xf[rows], dW, db, add=rows.start > 0)
            if len(exps) == len(x):
                ops.later(left)
            else:  # the next block has the memory of this one's scores
                left()
        return batch_first(dx.reshape(T, N, -1))

    def scores(self, h: Array) -> Array:
        """Scores (N, T, V) of the words after hidden states (N, T, H)."""
        self._done()
        return self._affine.forward(h)

    def next_scores(self, h: Array) -> Array:
        """Scores (N, V) after hidden states (N, H), the caller's to write to until the next call."""
        expect("xs", h, ("N", self.takes), self.dtype)
        return self.stepper(len(h))(h)

    def stepper(self, N: int) -> Callable[[Array], Array]:
        """As `Head.stepper`."""
        step = self._affine.stepper(N)

        def scores(h: Array) -> Array:
            self._done()
            return step(h)

        return scores

    def _blocks(self, rows: int) -> Iterator[tuple[slice, Array]]:
        """Slices of all rows, each with memory for its scores."""
        exps = self._memory(rows, ops.SCORES)
        for start in range(0, rows, len(exps)):
            stop = min(rows, start + len(exps))
            yield slice(start, stop), exps[: stop - start]

    def _memory(self, rows: int, scores: int) -> Array:
        """Memory (M, V) for scores of so many rows, or of fewer, if these are more than so many scores."""
        V = len(self.params[1])
        return self._buffer("exps", (min(rows, max(1, scores // V)), V), self.dtype)
