"""Embedding layers: word ids to word vectors."""

from collections.abc import Callable
from typing import Self

from rnnlm.backend import Array, accelerated, ops, xp
from rnnlm.checks import size
from rnnlm.layers.base import Layer, Shape, expect, expect_ids, time_major
from rnnlm.layers.dropout import DropoutMask
from rnnlm.layers.expected import expect_dtype
from rnnlm.layers.initialization import draw_embedding
from rnnlm.layers.rows import from_rows, to_rows
from rnnlm.randomness import fresh_seed

__all__ = ["Embedding", "TimeEmbedding", "add_rows"]


@accelerated
def add_rows(out: Array, ids: Array, rows: Array) -> None:
    """Do out[ids[m]] += rows[m] for every m; ids may repeat.  out (V, D), ids (M,), rows (M, D)

    On a GPU this plain version adds in no fixed order, so the last bits may differ between runs; the fused one is
    deterministic.
    """
    xp.add.at(out, ids, rows)


class Embedding(Layer):
    """Look up word vectors.  ids (N,) -> (N, D), or ids (N, T) -> (N, T, D)

        x_n = W[id_n]        dW[v] = sum of dx_n over all n with id_n = v

    The gradient is dense: `backward` sets all of it.

    Args:
        W: (V, D) word vectors.
        dropout_ratio: probability with which, while training, a word has a zero vector throughout a window. Source:
            Gal and Ghahramani, A theoretically grounded application of dropout in recurrent neural networks, NIPS 2016.

    Attributes:
        add_to_gradient: True if another layer shares W and runs backward first: `backward` then adds to its gradient.
    """

    names = ("W",)
    repeatable = True

    def __init__(self, W: Array, dropout_ratio: float = 0.0) -> None:
        expect("W", W, ("V", "D"))
        super().__init__(W)
        self.mask = DropoutMask(dropout_ratio)
        self.add_to_gradient = False

    @classmethod
    def of_size(cls, words: int, length: int, dtype: str = "float32", dropout_ratio: float = 0.0) -> Self:
        """Return a layer of V vectors of length D, drawn uniformly in [-0.05, 0.05) as Keras does.

        Within a `Sequential` they are drawn from its seed, otherwise from a fresh one.
        """
        V, D, kind = size("words", words), size("length", length), expect_dtype("dtype", dtype)
        layer = cls(xp.zeros((V, D), kind), dropout_ratio)
        layer.draws = True
        layer.draw(fresh_seed(), 0)
        return layer

    draws = False  # whether the layer draws its own weights

    def draw(self, seed: int, number: int) -> None:
        """Draw the vectors again, if the layer draws its own."""
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
        """Return the vectors (N, D) or (N, T, D) of the words `ids`, integers in [0, V).

        Raises:
            InputError: ids not an (N,) or (N, T) integer array, or, if on the host, not in [0, V).
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
        self.save_for_backward(rows, kept, ids.shape)
        vectors = self._buffer("vectors", (len(rows), W.shape[1]), self.dtype)
        xp.take(W, rows, axis=0, out=vectors)
        if kept is not None:
            vectors *= kept
        return from_rows(vectors, ids.shape)

    def stepper(self, _N: int) -> Callable[[Array], Array]:
        """As `Layer.stepper`, from ids (N,) to vectors (N, D); errors as `forward`."""

        def step(ids: Array) -> Array:
            (W,) = self.params
            expect_ids("ids", ids, ("N",), len(W))
            self.clear_saved_values()
            vectors: Array = W[ids]
            return vectors

        return step

    def backward(self, dxs: Array) -> None:
        """Write the gradient of W to `grads`. Ids have none, so nothing is returned."""
        (dW,) = self.grads
        ids, kept, like = self.saved_values()
        rows = to_rows("dxs", dxs, dW.shape[1], self.dtype, like)
        self.clear_saved_values()
        if kept is not None:
            rows = xp.multiply(rows, kept, out=self._buffer("rows", rows.shape, self.dtype))
        self._leave(ids, rows)

    def _leave(self, ids: Array, rows: Array) -> None:
        """Write the gradient, rows (M, D) of the words ids (M,), to `grads`, or add it if `add_to_gradient`."""
        (dW,) = self.grads
        if self.add_to_gradient:
            ops.join()  # wait until the other layer's gradient is there
        else:
            ops.elementwise(_clear, dW)
        add_rows(dW, ids, rows)


class TimeEmbedding(Embedding):
    """Look up the vectors of a window's words.  ids (N, T) -> (N, T, D). All else is as in `Embedding`."""

    repeatable = True

    def forward(self, ids: Array) -> Array:
        """Return the vectors (N, T, D) of the words `ids` (N, T), integers in [0, V); errors as `Embedding`."""
        expect_ids("ids", ids)
        return super().forward(ids)

    stepper = Embedding.stepper


def _clear(part: Array) -> None:
    part[...] = 0
