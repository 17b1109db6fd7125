"""Affine: hidden states to scores."""

from rnnlm.backend import Array, ops, xp
from rnnlm.layers.base import Layer, batch_first, expect, time_major

__all__ = ["TimeAffine"]


class TimeAffine(Layer):
    """The same affine map at every time step.  (N, T, H) -> (N, T, V)

        y = x W + b        dW = xᵀ dy    db = sum of dy    dx = dy Wᵀ

    with the rows of all sequences and time steps under each other: one matrix product forward, two back.

    Args:
        W: (H, V) weights; the transpose of an embedding's, if the two are to share them. Source: Press and Wolf, Using
            the output embedding to improve language models, EACL 2017.
        b: (V,) bias.
    """

    names = ("W", "b")

    def __init__(self, W: Array, b: Array) -> None:
        expect("W", W, ("H", "V"))
        expect("b", b, (W.shape[1],), W.dtype)
        super().__init__(W, b)

    def forward(self, xs: Array) -> Array:
        """Scores (N, T, V) of the inputs (N, T, H)."""
        W, b = self.params
        H, V = W.shape
        expect("xs", xs, ("N", "T", H), self.dtype)
        x = time_major(xs)
        ys = self._buffer("ys", (*x.shape[:2], V), self.dtype)
        rows = ys.reshape(-1, V)
        ops.matmul(x.reshape(-1, H), W, out=rows)
        rows += b
        self._save(x)
        return batch_first(ys)

    def backward(self, dys: Array) -> Array:
        """Gradient (N, T, H) of the inputs; those of W and b are left in `grads`."""
        W, _ = self.params
        dW, db = self.grads
        H, V = W.shape
        (x,) = self._restore()
        T, N, _ = x.shape
        expect("dys", dys, (N, T, V), self.dtype)
        self._done()
        rows = time_major(dys).reshape(T * N, V)
        if dW.flags.c_contiguous:
            ops.matmul(x.reshape(T * N, H).T, rows, out=dW)
        else:  # the transpose of an embedding's gradient
            ops.matmul(rows.T, x.reshape(T * N, H), out=dW.T)
        xp.matmul(self._ones(T * N), rows, out=db[None])  # sum over rows, 4 times faster than rows.sum
        dx = self._buffer("dx", x.shape, self.dtype)
        ops.matmul(rows, W.T, out=dx.reshape(T * N, H))
        return batch_first(dx)
