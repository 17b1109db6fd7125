"""Output layer and loss fused: hidden states to cross-entropy, without holding both scores and their gradient."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnlm.backend import Array, ops, xp
from rnnlm.checks import flag, instance_of
from rnnlm.layers.affine import TimeAffine
from rnnlm.layers.base import Shape, batch_first, expect, time_major
from rnnlm.layers.heads.base import Head, factor_of
from rnnlm.layers.heads.output import output_backward, output_forward, output_nats, weight_gradients

__all__ = ["TimeAffineWithLoss"]


class TimeAffineWithLoss(Head):
    """Affine, softmax and mean cross-entropy in nats.  (N, T, H), (N, T) -> ()

        s = x W + b        L = -1/n sum log softmax(s)[t]

    Equals `TimeSoftmaxWithLoss` after the `TimeAffine`, but holds only exp(s) in memory, and at most about `ops.SCORES`
    numbers of it. A larger window is processed in blocks of rows, which backward computes again.

    Args:
        affine: the output layer; its weights are used, and its gradients written.

    Attributes are those of `Head`.
    """

    repeatable = True
    called = "affine"
    ignores = True

    def __init__(self, affine: TimeAffine) -> None:
        super().__init__()
        self._affine = instance_of("affine", affine, TimeAffine)
        self.params, self.grads, self.names = affine.params, affine.grads, affine.names

    def unigram_biases(self, logs: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
        """Return the biases that, with zero weights, give words the log-probabilities `logs` (V,): b = logs."""
        return {"b": logs}

    @property
    def takes(self) -> int:
        """H."""
        return len(self.params[0])

    def output_shape(self, shape: Shape) -> Shape:
        """(N, T, V), of the scores."""
        return *shape[:-1], self.params[0].shape[1]

    def loss(self, h: Array, ts: Array, keep: bool = True) -> Array:
        """As `Head.loss`."""
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
        """Return the gradient (N, T, H) of the hidden states and write those of W and b to `grads`.

        Args:
            dout: gradient of the loss.
        """
        x, targets, weights, totals, (N, T) = self.saved_values()
        factor = factor_of(dout)
        self.clear_saved_values()
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
            else:  # now, because the next block overwrites this one's scores
                left()
        return batch_first(dx.reshape(T, N, -1))

    def scores(self, h: Array) -> Array:
        """Return the scores (N, T, V) of the words after hidden states (N, T, H)."""
        self.clear_saved_values()
        return self._affine.forward(h)

    def stepper(self, N: int) -> Callable[[Array], Array]:
        """As `Head.stepper`."""
        step = self._affine.stepper(N)

        def scores(h: Array) -> Array:
            self.clear_saved_values()
            return step(h)

        return scores

    def _blocks(self, rows: int) -> Iterator[tuple[slice, Array]]:
        """Yield slices that cover all rows, each with memory for its scores."""
        exps = self._memory(rows, ops.SCORES)
        for start in range(0, rows, len(exps)):
            stop = min(rows, start + len(exps))
            yield slice(start, stop), exps[: stop - start]

    def _memory(self, rows: int, scores: int) -> Array:
        """Return memory (M, V), with M = `rows`, or fewer so that M V is at most `scores` (but M at least 1)."""
        V = len(self.params[1])
        return self._buffer("exps", (min(rows, max(1, scores // V)), V), self.dtype)
