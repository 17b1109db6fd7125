"""Embedding: word ids to word vectors."""

from collections.abc import Callable, Mapping
from typing import Any, Self

from rnnlm.backend import Array, accelerated, ops, xp
from rnnlm.checks import size
from rnnlm.layers.base import Layer, Shape, expect, expect_ids, time_major
from rnnlm.layers.drawn import draw_embedding
from rnnlm.layers.dropout import DropoutMask
from rnnlm.layers.expected import expect_dtype
from rnnlm.layers.rows import from_rows, to_rows
from rnnlm.randomness import fresh_seed

__all__ = ["Embedding", "TimeEmbedding", "add_rows", "clear_rows"]


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


class Embedding(Layer):
    """Look up a word's vector.  ids (N,) -> (N, D), or ids (N, T) -> (N, T, D)

        x_n = W[id_n]        dW[v] = sum of dx_n over all n with id_n = v

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
    repeatable = True

    def __init__(self, W: Array, dropout_ratio: float = 0.0) -> None:
        expect("W", W, ("V", "D"))
        super().__init__(W)
        self.mask = DropoutMask(dropout_ratio)
        self.add_to_gradient = False
        self._written: Array | None = None  # ids of the rows of dW that are not zero

    @classmethod
    def of_size(cls, words: int, length: int, dtype: str = "float32", dropout_ratio: float = 0.0) -> Self:
        """Vectors that are drawn, uniformly in [-0.05, 0.05), as Keras does: V of them, of length D.

        Within a `Sequential` they are drawn from its seed, otherwise with fresh randomness.
        """
        V, D, kind = size("words", words), size("length", length), expect_dtype("dtype", dtype)
        layer = cls(xp.zeros((V, D), kind), dropout_ratio)
        layer.draws = True
        layer.draw(fresh_seed(), 0)
        return layer

    draws = False  # whether the layer draws its own weights

    def draw(self, seed: int, number: int) -> None:
        """Draw the vectors anew, if they are the layer's own to draw."""
        if self.draws:
            draw_embedding(self.params[0], seed, number)

    @property
    def takes_ids(self) -> int:
        """V."""
        return len(self.params[0])

    def output_shape(self, shape: Shape) -> Shape:
        """(..., D)"""
        return *shape, self.params[0].shape[1]

    def forward(self, ids: Array) -> Array:
        """Vectors (N, D) or (N, T, D) of the words `ids`, integers in [0, V).

        Raises:
            InputError: ids not an (N,) or (N, T) integer array, or on the host not in [0, V).
        """
        (W,) = self.params
        expect_ids("ids", ids, ("N",) if getattr(ids, "ndim", 2) == 1 else ("N", "T"), len(W))
        given = (ids if ids.ndim == 1 else time_major(ids)).reshape(-1)
        mask = self.mask.draw((len(W), 1), self.dtype) if self.train_flg else None
        kept = None
        if mask is not None:
            kept = xp.take(mask, given, axis=0, out=self._buffer("kept", (len(given), 1), self.dtype))
        rows = self._buffer("ids", given.shape, xp.int32)
        rows[...] = given  # the caller may write to its own before backward
        self._save(rows, kept, ids.shape)
        vectors = self._buffer("vectors", (len(rows), W.shape[1]), self.dtype)
        xp.take(W, rows, axis=0, out=vectors)
        if kept is not None:
            vectors *= kept
        return from_rows(vectors, ids.shape)

    def stepper(self, _N: int) -> Callable[[Array], Array]:
        """As `Layer.stepper`, from ids (N,) to vectors (N, D); errors are those of `forward`."""

        def step(ids: Array) -> Array:
            (W,) = self.params
            expect_ids("ids", ids, ("N",), len(W))
            self._done()
            vectors: Array = W[ids]
            return vectors

        return step

    def backward(self, dxs: Array) -> None:
        """Leave the gradient in `grads`. Ids have none, so nothing is returned."""
        (dW,) = self.grads
        ids, kept, like = self._restore()
        rows = to_rows("dxs", dxs, dW.shape[1], self.dtype, like)
        self._done()
        if kept is not None:
            rows = xp.multiply(rows, kept, out=self._buffer("rows", rows.shape, self.dtype))
        self._leave(ids, rows)

    def as_found(self, found: Mapping[str, Any]) -> None:
        """No rows of dW but those that were written then, or none."""
        now, then = self._written, found["_written"]
        if now is not None and (then is None or ops.place(now) != ops.place(then)):
            clear_rows(self.grads[0], now)

    def _leave(self, ids: Array, rows: Array) -> None:
        """Leave the gradient, rows (M, D) of the words ids (M,), in `grads`."""
        (dW,) = self.grads
        if not self.add_to_gradient:
            if self._written is not None:
                clear_rows(dW, self._written)
            self._written = self._buffer("written", ids.shape, xp.int32)
            self._written[...] = ids
        else:
            ops.join()  # the other layer's gradient is there
        add_rows(dW, ids, rows)


class TimeEmbedding(Embedding):
    """Look up the vectors of a window's words.  ids (N, T) -> (N, T, D). All else is as `Embedding` has it."""

    repeatable = True

    def forward(self, ids: Array) -> Array:
        """Vectors (N, T, D) of the words `ids` (N, T), integers in [0, V); errors as `Embedding`."""
        expect_ids("ids", ids)
        return super().forward(ids)

    stepper = Embedding.stepper
