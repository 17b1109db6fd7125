"""Layers that take what the book's take: inputs of any numbers, arguments in its places."""

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

Simple_TimeAffine = TimeAffine  # the book's slow and simple ones give the same
Simple_TimeSoftmaxWithLoss = TimeSoftmaxWithLoss


class MatMul(affine.MatMul):
    """`rnnlm.MatMul`, whose inputs may be of any numbers, one-hot rows of integers, say."""

    def forward(self, xs: Any) -> Array:
        """The products of inputs, which become of the dtype of the weights."""
        return super().forward(_like(xs, self.dtype))


class Affine(affine.Affine):
    """`rnnlm.Affine`, whose inputs may be of any numbers."""

    def forward(self, xs: Any) -> Array:
        """The outputs for inputs, which become of the dtype of the weights."""
        return super().forward(_like(xs, self.dtype))


class Dropout(dropout.Dropout):
    """`rnnlm.Dropout`, which is told at each forward whether to drop."""

    def forward(self, x: Array, train_flg: bool = True) -> Array:
        """The inputs, some of which are zero if `train_flg`."""
        self.train_flg = train_flg
        return super().forward(x)


class TimeSigmoidWithLoss(SigmoidWithLoss):
    """`rnnlm.SigmoidWithLoss` of scores (N, T) and answers 0 or 1 of the same shape: the mean over both."""


def cross_entropy_error(y: Any, t: Any) -> Any:
    """Mean cross-entropy in nats of probabilities (N, V), or (V,), and classes: ids (N,) or one-hot (N, V)."""
    y, t = xp.atleast_2d(ops.asarray(y)), ops.asarray(t)
    ids = t.reshape(y.shape).argmax(axis=1) if t.size == y.size else t.reshape(-1)
    return -xp.log(y[xp.arange(len(y)), ids] + 1e-7).mean()


def _like(xs: Any, dtype: Any) -> Array:
    """An array of the backend of this dtype; numbers of the host are moved."""
    xs = ops.asarray(numpy.asarray(xs)) if isinstance(xs, (list, numpy.ndarray)) else xs
    return xs.astype(dtype, copy=False)
