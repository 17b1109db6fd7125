"""Matrix products of the NumPy backend, shared between threads.

OpenBLAS is slow at the skinny products of a recurrence, N rows of states times a large matrix that is the same at every
time step, because it repacks the matrix for each product. Its AVX-512 kernels for small products, of at most a million
multiplications, take matrices as they are: with these, `multiplier` packs the matrix once, in blocks of that size.
Measured with one thread on a core that reaches 105 GFLOP/s on large products: (20, 650) times (650, 2600) 77 GFLOP/s,
in blocks 115; (20, 1150) times (1150, 4600) 53, in blocks 105. Haswell has no such kernels; there blocks take a tenth
longer than the matrix in one piece.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnlm.backend.cpu.blas import kernels
from rnnlm.backend.cpu.threads import in_parallel, scratch

__all__ = ["few_rows", "matmul", "multiplier", "worth_sharing"]

Array = NDArray[Any]
SMALL_KERNELS = ("SkylakeX", "Cooperlake", "SapphireRapids")  # architectures for which OpenBLAS has small kernels
SHARED = 1.5e7  # operations from which a second thread is worth waking
READ = 6.0  # operations in the time of reading one entry of b, which bounds products of one or two rows
BLOCKED = 4e6  # operations from which blocks are: smaller products are taken as they are anyway
BY_ROW = 3  # rows up to which one product a row is faster: large kernels take as long for two rows as for five
OFTEN = 8  # times from which laying W out in blocks pays: it takes as long as one to four products
TALL = 128  # rows for each thread from which rows are cut, else columns
FEW = 48  # rows up to which blocks help
COLUMNS = 64  # of a block: four registers of AVX-512
MULTIPLICATIONS = 1e6  # of a block at most
AT_ONCE = 1 << 18  # entries of a product computed at once before it is added


def matmul(a: Array, b: Array, out: Array, add: bool = False) -> None:
    """Do out = a b, or out += a b.  a (M, K), b (K, N), out (M, N)"""
    (M, K), N = a.shape, b.shape[1]
    if max(2.0 * M, READ) * K * N < SHARED:
        if add or 1 < M <= BY_ROW:
            _product(a, b, out, add)
        else:
            np.matmul(a, b, out=out)  # directly: generation does several small products for each word
    elif M >= 2 * TALL:
        in_parallel(lambda i, j: _product(a[i:j], b, out[i:j], add), M, 16)
    else:
        in_parallel(lambda i, j: _product(a, b[:, i:j], out[:, i:j], add), N, COLUMNS)


def _product(a: Array, b: Array, out: Array, add: bool) -> None:
    """Do out = a b, or out += a b for a block of columns at a time."""
    if not add:
        if 1 < len(a) <= BY_ROW:
            for row, of_row in zip(a, out):
                np.matmul(row, b, out=of_row)
        else:
            np.matmul(a, b, out=out)
        return
    width = max(COLUMNS, AT_ONCE // len(a))
    for i in range(0, b.shape[1], width):
        part = out[:, i : i + width]
        part += np.matmul(a, b[:, i : i + width], out=scratch("product", part.shape, part.dtype))


def worth_sharing(operations: float) -> bool:
    """Return whether so many floating-point operations are worth another thread."""
    return operations >= SHARED


@cache
def small_kernels() -> bool:
    """Return whether BLAS has kernels for small products, which do not repack matrices."""
    return kernels() in SMALL_KERNELS


def few_rows(a: Array, W: Array, out: Array) -> None:
    """Do out = a W in this thread for a few rows of `a`, by small kernels if blocks of at least 64 columns fit them.

    Blocks are not packed: for so few rows that is faster than repacking all of W.
    """
    (M, K), N = a.shape, W.shape[1]
    width = int(MULTIPLICATIONS / (M * K)) // 16 * 16
    whole = N // width * width if width >= COLUMNS and W.flags.c_contiguous and small_kernels() else 0
    if whole:
        blocks = W[:, :whole].reshape(K, -1, width).transpose(1, 0, 2)
        np.matmul(a, blocks, out=out[:, :whole].reshape(M, -1, width).transpose(1, 0, 2))
    if whole < N:
        np.matmul(a, W[:, whole:], out=out[:, whole:])


def multiplier(W: Array, rows: int, times: int) -> Callable[[Array, Array], None]:
    """Return multiply(a, out), which writes a W to `out`, for a (rows, K); it will be called `times` times.

    W (K, N), which must not change meanwhile, may be a transposed view.
    """
    K, N = W.shape
    worth = times >= OFTEN and 1 < rows <= FEW and N >= COLUMNS and 2.0 * rows * K * N >= BLOCKED
    if worth and small_kernels():
        return _Blocked(W, rows)
    if times > 1:
        W = np.ascontiguousarray(W)  # small products with a transposed operand take twice as long
    return lambda a, out: matmul(a, W, out)


class _Blocked:
    """W packed in blocks of 64 columns, with as many rows as OpenBLAS's small kernels accept."""

    def __init__(self, W: Array, rows: int) -> None:
        K, N = W.shape
        count = -int(-rows * K * COLUMNS // MULTIPLICATIONS)
        cuts = [K * i // count for i in range(count + 1)]
        self.whole = N // COLUMNS * COLUMNS
        self.rest = np.ascontiguousarray(W[:, self.whole :])
        self.blocks = [(k, m, np.empty((N // COLUMNS, m - k, COLUMNS), W.dtype)) for k, m in zip(cuts, cuts[1:])]
        self.partial = np.empty((rows, N if count > 1 else 0), W.dtype)
        self.worth = worth_sharing(2.0 * rows * K * N)
        in_parallel(lambda i, j: self._lay_out(W, i, j), self.whole, COLUMNS, self.worth)

    def __call__(self, a: Array, out: Array) -> None:
        in_parallel(lambda i, j: self._multiply(a, out, i, j), self.whole, COLUMNS, self.worth)
        if self.whole < out.shape[1]:
            np.matmul(a, self.rest, out=out[:, self.whole :])

    def _lay_out(self, W: Array, start: int, stop: int) -> None:
        for k, m, blocks in self.blocks:
            columns = W[k:m, start:stop].reshape(m - k, -1, COLUMNS)
            blocks[start // COLUMNS : stop // COLUMNS] = columns.transpose(1, 0, 2)

    def _multiply(self, a: Array, out: Array, start: int, stop: int) -> None:
        for k, m, blocks in self.blocks:
            own = (self.partial if k else out)[:, start:stop]
            view = own.reshape(len(own), -1, COLUMNS).transpose(1, 0, 2)
            np.matmul(a[:, k:m], blocks[start // COLUMNS : stop // COLUMNS], out=view)
            if k:
                out[:, start:stop] += own
