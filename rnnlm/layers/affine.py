"""Affine layers: `MatMul` (no bias), `Affine`, `Dense`, which draws its own weights, and `TimeAffine`."""

from collections.abc import Callable
from math import sqrt
from typing import Literal

from rnnlm.backend import Array, ops, xp
from rnnlm.checks import one_of, size
from rnnlm.layers.base import Layer, Shape, expect
from rnnlm.layers.expected import expect_dtype
from rnnlm.layers.rows import from_rows, to_rows
from rnnlm.randomness import fresh_seed, stream

__all__ = ["Affine", "Dense", "MatMul", "TimeAffine"]


class MatMul(Layer):
    """A matrix product.  (N, D) -> (N, H), or (N, T, D) -> (N, T, H)

        y = x W        dW = xᵀ dy    dx = dy Wᵀ

    The rows of all sequences and time steps are stacked: one matrix product in forward, two in backward.

    Args:
        W: (D, H) weights.
    """

    names: tuple[str, ...] = ("W",)

    def __init__(self, W: Array) -> None:
        expect("W", W, ("D", "H"))
        super().__init__(W)

    @property
    def takes(self) -> int:
        """D."""
        return len(self.params[0])

    def output_shape(self, shape: Shape) -> Shape:
        """(..., H)"""
        return *shape[:-1], self.params[0].shape[1]

    def forward(self, xs: Array) -> Array:
        """Return the products (N, H) or (N, T, H)."""
        W = self.params[0]
        D, H = W.shape
        x = to_rows("xs", xs, D, self.dtype)
        ys = self._buffer("ys", (len(x), H), self.dtype)
        ops.matmul(x, W, out=ys)
        self.save_for_backward(x, xs.shape[:-1])
        return from_rows(ys, xs.shape[:-1])

    def backward(self, dys: Array) -> Array:
        """Return the gradient of the inputs, in their shape, and write that of the weights to `grads`."""
        W, dW = self.params[0], self.grads[0]
        D, H = W.shape
        x, like = self.saved_values()
        rows = to_rows("dys", dys, H, self.dtype, like)
        self.clear_saved_values()
        if dW.flags.c_contiguous:
            ops.matmul(x.T, rows, out=dW)
        else:  # the transpose of an embedding's gradient
            ops.matmul(rows.T, x, out=dW.T)
        self._bias_gradient(rows)
        dx = self._buffer("dx", (len(rows), D), self.dtype)
        ops.matmul(rows, W.T, out=dx)
        return from_rows(dx, like)

    def _bias_gradient(self, rows: Array) -> None:
        """Write the gradient of the bias, if there is one, to `grads`; rows (M, H) are the gradients of the outputs."""


class Affine(MatMul):
    """A matrix product and a bias.  (N, D) -> (N, H), or (N, T, D) -> (N, T, H)

        y = x W + b        dW = xᵀ dy    db = sum of dy    dx = dy Wᵀ

    Args:
        W: (D, H) weights; to tie them to an embedding's, the transpose of those. Source: Press and Wolf, Using the
            output embedding to improve language models, EACL 2017.
        b: (H,) bias.
    """

    names = ("W", "b")

    def __init__(self, W: Array, b: Array) -> None:
        expect("W", W, ("D", "H"))
        expect("b", b, (W.shape[1],), W.dtype)
        Layer.__init__(self, W, b)

    def forward(self, xs: Array) -> Array:
        """Return the products plus the bias, (N, H) or (N, T, H)."""
        ys = super().forward(xs)
        ys += self.params[1]
        return ys

    def stepper(self, N: int) -> Callable[[Array], Array]:
        """As `Layer.stepper`."""
        shape, dtype = (N, self.takes), self.dtype
        y = self._buffer("ys", (N, len(self.params[1])), dtype)

        def step(x: Array) -> Array:
            expect("xs", x, shape, dtype)
            self.clear_saved_values()
            W, b = self.params
            ops.matmul(x, W, out=y)
            return xp.add(y, b, out=y)

        return step

    def _bias_gradient(self, rows: Array) -> None:
        ones = self._ones(len(rows))
        ops.matmul(ones, rows, out=self.grads[1][None])  # a sum over rows, 4 times faster than rows.sum


class TimeAffine(Affine):
    """The same affine map at every time step.  (N, T, H) -> (N, T, V). Arguments are those of `Affine`."""

    repeatable = True

    def forward(self, xs: Array) -> Array:
        """Return the scores (N, T, V) of the inputs (N, T, H)."""
        expect("xs", xs, ("N", "T", self.takes), self.dtype)
        return super().forward(xs)

    stepper = Affine.stepper


class Dense(Affine):
    """`Affine` that draws its own weights: W normal, with a standard deviation set by `init`, and b zeros.

    Within a `Sequential` they are drawn from its seed, otherwise from a fresh one.

    Args:
        inputs: D.
        outputs: H.
        init: 'xavier' for a standard deviation of 1/sqrt(D), as in the book, 'he' for sqrt(2/D), which suits ReLU.
            Sources: Glorot and Bengio, Understanding the difficulty of training deep feedforward neural networks,
            AISTATS 2010, whose sqrt(2/(D+H)) is the same where H is D; He et al., Delving deep into rectifiers, ICCV
            2015.
        dtype: of the weights; a `Sequential` converts them to its own.
    """

    def __init__(
        self, inputs: int, outputs: int, init: Literal["xavier", "he"] = "xavier", dtype: str = "float32"
    ) -> None:
        D, H, kind = size("inputs", inputs), size("outputs", outputs), expect_dtype("dtype", dtype)
        scales = {"xavier": 1 / sqrt(D), "he": sqrt(2 / D)}
        self._scale = scales[one_of("init", init, scales)]
        super().__init__(xp.zeros((D, H), kind), xp.zeros(H, kind))
        self.draw(fresh_seed(), 0)

    def draw(self, seed: int, number: int) -> None:
        """Draw the weights again, from the random stream of this seed and layer number."""
        W, b = self.params
        W[...] = ops.asarray(stream(seed, "initial weights", part=number).standard_normal(W.shape) * self._scale)
        b[...] = 0
