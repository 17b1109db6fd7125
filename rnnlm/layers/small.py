"""Matrices in one or two bytes a number, for inference: looked up in and multiplied with, never trained.

    W ~ codes * scales

int8: each column of a product (each row, in a matrix of word vectors) has a scale of its own, its largest magnitude
divided by 127, so that an entry is wrong by half a scale at most. float16 needs no scales: it has 11 bits, and its
largest number is 65,504. Products are of the activations' dtype: what is small is what lies in memory. A product makes
its weights larger where it needs them, and gives that memory up again.

Source: symmetric quantisation by channel is that of Krishnamoorthi, Quantizing deep convolutional networks for
efficient inference, 2018, section 3.
"""

from typing import Any, Self

import numpy as np

from rnnlm.backend import Array, accelerated, ops, xp
from rnnlm.errors import InputError

__all__ = ["KINDS", "SmallMatrix", "small_product", "widen"]

KINDS = ("int8", "float16")
LARGEST = 127  # code of int8: symmetric, so -128 is none
ROWS = 1 << 20  # entries that are made small at once


@accelerated
def widen(codes: Array, scales: Array | None, out: Array) -> None:
    """out = codes * scales.  codes, out (K, N), scales (1, N), (K, 1), or None for ones"""
    out[...] = codes
    if scales is not None:
        out *= scales


@accelerated
def small_product(x: Array, codes: Array, scales: Array | None, out: Array) -> None:
    """out = x (codes * scales), the scales put to the product, which is smaller than the weights.

    Args:
        x: (M, K).
        codes: (K, N), of finite numbers; the transpose of word vectors, too.
        scales: (1, N), or None for ones.
        out: (M, N), to be overwritten.
    """
    ops.matmul(x, codes.astype(x.dtype), out=out)
    if scales is not None:
        out *= scales


class SmallMatrix:
    """A matrix (K, N) of small numbers.

    Args:
        codes: (K, N) int8 or float16.
        scales: of columns (1, N) or of rows (K, 1); None for ones.
    """

    def __init__(self, codes: Array, scales: Array | None) -> None:
        self.codes, self.scales = codes, scales

    @classmethod
    def zeros(cls, shape: tuple[int, int], kind: str, dtype: Any, axis: int = 0) -> Self:
        """Zeros of a kind of `KINDS`.

        Args:
            shape: (K, N).
            kind: int8 or float16.
            dtype: of the activations, and of scales.
            axis: along which entries have one scale: 0 for one a column, 1 for one a row.
        """
        of_scales = (1, shape[1]) if axis == 0 else (shape[0], 1)
        return cls(xp.zeros(shape, kind), xp.zeros(of_scales, dtype) if kind == "int8" else None)

    @property
    def T(self) -> "SmallMatrix":
        """The transpose, in the same memory."""
        return SmallMatrix(self.codes.T, None if self.scales is None else self.scales.T)

    @property
    def shape(self) -> tuple[int, int]:
        """(K, N)"""
        K, N = self.codes.shape
        return K, N

    def arrays(self, name: str) -> dict[str, Array]:
        """What it is made of, by names."""
        scales = {} if self.scales is None else {f"{name}_scales": self.scales}
        return {name: self.codes, **scales}

    def fill(self, name: str, W: Array) -> None:
        """Take over a matrix of finite numbers, each rounded to the nearest that there is.

        Raises:
            InputError: one that is beyond float16.
        """
        if self.scales is None:
            self._expect_within(name, W)
        else:
            tiny = xp.finfo(self.scales.dtype).tiny  # of columns of zeros, and so no division by 0
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
        """Leave the rows (M, N) of ids (M,) in `out`."""
        scales = self.scales
        if scales is not None and scales.shape[1] == 1:
            scales = xp.take(scales, ids, axis=0)
        widen(xp.take(self.codes, ids, axis=0), scales, out)

    def product(self, x: Array, out: Array) -> None:
        """Leave the product (M, N) of x (M, K) with this matrix, which has scales of columns or none, in `out`."""
        small_product(x, self.codes, self.scales, out)

    def whole(self, out: Array) -> Array:
        """This matrix as it is meant, in `out` (K, N)."""
        widen(self.codes, self.scales, out)
        return out
