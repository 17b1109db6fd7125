"""Embedding: word ids to word vectors."""

from rnnlm.backend import Array, accelerated, xp
from rnnlm.layers.base import Layer, batch_first, expect, expect_ids, time_major
from rnnlm.layers.dropout import DropoutMask

__all__ = ["TimeEmbedding", "add_rows", "clear_rows"]


@accelerated
def add_rows(out: Array, ids: Array, rows: Array) -> None:
    """out[ids[m]] += rows[m] for every m, ids repeated or not.  out (V, D), ids (M,), rows (M, D)

    This plain text leaves open in which order a GPU adds, and so the last bits of a rerun; fused ones do not.
    """
    xp.add.at(out, ids, rows)


@accelerated
def clear_rows(out: Array, ids: Array) -> None:
    """out[ids[m]] = 0 for every m.  out (V, D), ids (M,)"""
    out[ids] = 0


class TimeEmbedding(Layer):
    """Look up a word's vector.  ids (N, T) -> (N, T, D)

        x_t = W[id_t]        dW[v] = sum of dx_t over all t with id_t = v

    Only the rows of the words seen are touched: the gradient is dense, but `backward` clears just the rows that it
    wrote last time. A gradient scaled from outside (clipping) stays right, one written to from outside does not.

    Args:
        W: (V, D) word vectors.
        dropout_ratio: while training, so large a share of the words has zeros for a vector throughout a window. Source:
            Gal and Ghahramani, A theoretically grounded application of dropout in recurrent neural networks, NIPS 2016.

    Attributes:
        add_to_gradient: True where another layer shares W and runs backward first: its gradient is added to.
    """

    names = ("W",)

    def __init__(self, W: Array, dropout_ratio: float = 0.0) -> None:
        expect("W", W, ("V", "D"))
        super().__init__(W)
        self.mask = DropoutMask(dropout_ratio)
        self.add_to_gradient = False
        self._written: Array | None = None  # ids of the rows of dW that are not zero

    def forward(self, ids: Array) -> Array:
        """Vectors (N, T, D) of the words `ids` (N, T), integers in [0, V).

        Raises:
            InputError: ids not an (N, T) integer array.
        """
        expect_ids("ids", ids)
        (W,) = self.params
        steps = time_major(ids)
        mask = self.mask.draw((len(W), 1), self.dtype) if self.train_flg else None
        kept = None
        if mask is not None:
            kept = xp.take(mask, steps, axis=0, out=self._buffer("kept", (*steps.shape, 1), self.dtype))
        ids = self._buffer("ids", steps.shape, xp.int32)
        ids[...] = steps  # the caller may write to its own before backward
        self._save(ids, kept)
        vectors = self._buffer("vectors", (*steps.shape, W.shape[1]), self.dtype)
        xp.take(W, ids, axis=0, out=vectors)
        if kept is not None:
            vectors *= kept
        return batch_first(vectors)

    def backward(self, dxs: Array) -> None:
        """Leave the gradient in `grads`. Ids have none, so nothing is returned."""
        (dW,) = self.grads
        ids, kept = self._restore()
        T, N = ids.shape
        expect("dxs", dxs, (N, T, dW.shape[1]), self.dtype)
        self._done()
        rows = time_major(dxs)
        if kept is not None:
            rows = xp.multiply(rows, kept, out=self._buffer("rows", rows.shape, self.dtype))
        if not self.add_to_gradient:
            if self._written is not None:
                clear_rows(dW, self._written)
            self._written = self._buffer("written", (T * N,), xp.int32)
            self._written[...] = ids.reshape(-1)
        add_rows(dW, ids.reshape(-1), rows.reshape(T * N, -1))
