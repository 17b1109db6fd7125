"""Layers with the book's interface: inputs of any numeric dtype, arguments in its places."""

from typing import Any

import numpy

from rnnlm.backend import Array, ops, xp
from rnnlm.layers import affine, dropout
from rnnlm.layers.affine import TimeAffine
from rnnlm.layers.heads.losses import SigmoidWithLoss
from rnnlm.layers.heads.softmax import TimeSoftmaxWithLoss

__all__ = [
    "Affine", "Dropout", "MatMul", "Simple_TimeAffine", "Simple_TimeSoftmaxWithLoss", "TimeSigmoidWithLoss",
    "cross_entropy_error",
]  # fmt: skip

Simple_TimeAffine = TimeAffine  # the book's slow and simple versions give the same results
Simple_TimeSoftmaxWithLoss = TimeSoftmaxWithLoss


class MatMul(affine.MatMul):
    """`rnnlm.MatMul` for inputs of any numeric dtype, such as one-hot rows of integers."""

    def forward(self, xs: Any) -> Array:
        """Return the products of inputs, which are converted to the weights' dtype."""
        return super().forward(_like(xs, self.dtype))


class Affine(affine.Affine):
    """`rnnlm.Affine` for inputs of any numeric dtype."""

    def forward(self, xs: Any) -> Array:
        """Return the outputs for inputs, which are converted to the weights' dtype."""
        return super().forward(_like(xs, self.dtype))


class Dropout(dropout.Dropout):
    """`rnnlm.Dropout` with `train_flg` as an argument of forward."""

    def forward(self, x: Array, train_flg: bool | None = None) -> Array:
        """Return the inputs, with some of them set to zero if `train_flg`; by default as the attribute says."""
        if train_flg is not None:
            self.train_flg = train_flg
        return super().forward(x)


class TimeSigmoidWithLoss(SigmoidWithLoss):
    """`rnnlm.SigmoidWithLoss` for scores (N, T) and answers 0 or 1 of the same shape: the mean over both axes."""


def cross_entropy_error(y: Any, t: Any) -> Any:
    """Return the mean cross-entropy in nats of probabilities (N, V) or (V,) for classes: ids (N,) or one-hot (N, V)."""
    y, t = xp.atleast_2d(ops.asarray(y)), ops.asarray(t)
    ids = t.reshape(y.shape).argmax(axis=1) if t.size == y.size else t.reshape(-1)
    return -xp.log(y[xp.arange(len(y)), ids] + 1e-7).mean()


def _like(xs: Any, dtype: Any) -> Array:
    """Return an array of the backend with this dtype; host arrays are moved."""
    xs = ops.asarray(numpy.asarray(xs)) if isinstance(xs, (list, numpy.ndarray)) else xs
    return xs.astype(dtype, copy=False)
