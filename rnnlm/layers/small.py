"""Quantised matrices of int8 or float16, for inference only: lookups and products, no training.

    W ~ codes * scales

int8: each column (each row, in a matrix of word vectors) has its own scale, its largest magnitude divided by 127, so
the error of an entry is at most half a scale. float16 needs no scales: it has 11 bits of precision and a largest number
of 65,504. Products are computed in the activations' dtype; only storage is small. A product converts its weights
temporarily.

Source: symmetric quantisation by channel is that of Krishnamoorthi, Quantizing deep convolutional networks for
efficient inference, 2018, section 3.
"""

from typing import Any, Self

import numpy as np

from rnnlm.backend import Array, accelerated, ops, xp
from rnnlm.errors import InputError

__all__ = ["KINDS", "SmallMatrix", "small_product", "widen"]

KINDS = ("int8", "float16")
LARGEST = 127  # int8 code; codes are symmetric, so -128 is not used
ROWS = 1 << 20  # entries quantised at once, which bounds the temporary memory


@accelerated
def widen(codes: Array, scales: Array | None, out: Array) -> None:
    """Write codes * scales to out.  codes, out (K, N), scales (1, N), (K, 1), or None for ones"""
    out[...] = codes
    if scales is not None:
        out *= scales


@accelerated
def small_product(x: Array, codes: Array, scales: Array | None, out: Array) -> None:
    """Write x (codes * scales) to out, applying the scales to the product, which is smaller than the weights.

    Args:
        x: (M, K).
        codes: (K, N), finite; may be the transpose of a matrix of word vectors.
        scales: (1, N), or None for ones.
        out: (M, N), overwritten.
    """
    ops.matmul(x, codes.astype(x.dtype), out=out)
    if scales is not None:
        out *= scales


class SmallMatrix:
    """A quantised matrix (K, N).

    Args:
        codes: (K, N) int8 or float16.
        scales: of columns (1, N) or of rows (K, 1); None for ones.
    """

    def __init__(self, codes: Array, scales: Array | None) -> None:
        self.codes, self.scales = codes, scales

    @classmethod
    def zeros(cls, shape: tuple[int, int], kind: str, dtype: Any, axis: int = 0) -> Self:
        """Return a quantised matrix of zeros.

        Args:
            shape: (K, N).
            kind: int8 or float16.
            dtype: of the activations and the scales.
            axis: along which entries share a scale: 0 for one scale a column, 1 for one a row.
        """
        of_scales = (1, shape[1]) if axis == 0 else (shape[0], 1)
        return cls(xp.zeros(shape, kind), xp.zeros(of_scales, dtype) if kind == "int8" else None)

    @property
    def T(self) -> "SmallMatrix":
        """The transpose, a view of the same memory."""
        return SmallMatrix(self.codes.T, None if self.scales is None else self.scales.T)

    @property
    def shape(self) -> tuple[int, int]:
        """(K, N)"""
        K, N = self.codes.shape
        return K, N

    def arrays(self, name: str) -> dict[str, Array]:
        """Return its arrays by name: the codes as `name`, the scales, if any, as `name`_scales."""
        scales = {} if self.scales is None else {f"{name}_scales": self.scales}
        return {name: self.codes, **scales}

    def fill(self, name: str, W: Array) -> None:
        """Quantise a matrix of finite numbers into this one, rounding to nearest.

        Raises:
            InputError: a number beyond the range of float16.
        """
        if self.scales is None:
            self._expect_within(name, W)
        else:
            tiny = xp.finfo(self.scales.dtype).tiny  # the scale of columns of zeros, against division by 0
            axis = 0 if self.scales.shape[0] == 1 else 1
            top = xp.maximum(W.max(axis=axis, keepdims=True), -W.min(axis=axis, keepdims=True))
            self.scales[...] = xp.maximum(top / LARGEST, tiny)
        rows = max(1, ROWS // W.shape[1])
        for i in range(0, len(W), rows):
            self._fill_rows(W[i : i + rows], slice(i, i + rows))

    def _fill_rows(self, W: Array, rows: slice) -> None:
        if self.scales is None:
            self.codes[rows] = W.astype(self.codes.dtype)
            return
        scales = self.scales if self.scales.shape[0] == 1 else self.scales[rows]
        self.codes[rows] = xp.rint(W / scales).astype(self.codes.dtype)

    def _expect_within(self, name: str, W: Array) -> None:
        top, most = max(float(W.max()), -float(W.min())), float(np.finfo(np.float16).max)
        if top > most:
            raise InputError(f"{name} must be within {most:,.0f} to be kept as float16, got {top:g}: take int8")

    def rows(self, ids: Array, out: Array) -> None:
        """Write the rows (M, N) of ids (M,) to `out`."""
        scales = self.scales
        if scales is not None and scales.shape[1] == 1:
            scales = xp.take(scales, ids, axis=0)
        widen(xp.take(self.codes, ids, axis=0), scales, out)

    def product(self, x: Array, out: Array) -> None:
        """Write the product (M, N) of x (M, K) with this matrix to `out`; scales must be of columns, or None."""
        small_product(x, self.codes, self.scales, out)

    def whole(self, out: Array) -> Array:
        """Write the dequantised matrix to `out` (K, N) and return it."""
        widen(self.codes, self.scales, out)
        return out
