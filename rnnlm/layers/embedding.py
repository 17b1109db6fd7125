"""Embedding: word ids to word vectors."""

from rnnlm.backend import Array, ops, xp
from rnnlm.layers.base import Layer, batch_first, expect, expect_ids, time_major

__all__ = ["TimeEmbedding"]


class TimeEmbedding(Layer):
    """Look up a word's vector.  ids (N, T) -> (N, T, D)

        x_t = W[id_t]        dW[v] = sum of dx_t over all t with id_t = v

    Only the rows of the words seen are touched: the gradient is dense, but `backward` clears just the rows that it
    wrote last time. A gradient scaled from outside (clipping) stays right, one written to from outside does not.

    Args:
        W: (V, D) word vectors.
    """

    names = ("W",)

    def __init__(self, W: Array) -> None:
        expect("W", W, ("V", "D"))
        super().__init__(W)
        self._written: Array | None = None  # ids of the rows of dW that are not zero

    def forward(self, ids: Array) -> Array:
        """Vectors (N, T, D) of the words `ids` (N, T), integers in [0, V).

        Raises:
            InputError: ids not an (N, T) integer array.
        """
        expect_ids("ids", ids)
        (W,) = self.params
        steps = time_major(ids)
        self._save(steps.copy())
        vectors = self._buffer("vectors", (*steps.shape, W.shape[1]), self.dtype)
        return batch_first(xp.take(W, steps, axis=0, out=vectors))

    def backward(self, dxs: Array) -> None:
        """Leave the gradient in `grads`. Ids have none, so nothing is returned."""
        (dW,) = self.grads
        (steps,) = self._restore()
        T, N = steps.shape
        expect("dxs", dxs, (N, T, dW.shape[1]), self.dtype)
        self._done()
        if self._written is not None:
            dW[self._written] = 0
        self._written = steps.reshape(-1)
        ops.add_rows_(dW, self._written, time_major(dxs).reshape(T * N, -1))
