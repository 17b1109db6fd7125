"""NumPy: products with weights in one or two bytes a number, some columns at a time.

Twins of functions in layers/small.py. A block of weights is made larger in memory of its thread that stays in the
second-level cache, and multiplied with there: from main memory come the small weights alone. NumPy converts float16 one
number after the other; four passes over its bits take a quarter of that time.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnlm.backend.cpu.products import COLUMNS, worth_sharing
from rnnlm.backend.cpu.threads import in_parallel, scratch

__all__ = ["small_product", "widen"]

Array = NDArray[Any]
BLOCK = 1 << 18  # weights: 1 MiB of float32
MANY = 1 << 19  # weights from which a second thread is worth waking
SIGN_AND_NUMBER = np.int32(-0x70000001)  # 0x8fffffff: all but three bits of the exponent, which copies of the sign fill
REBIAS = 2.0**112  # between the exponents of float16 and of float32


def widen(codes: Array, scales: Array | None, out: Array) -> None:
    """As the plain text, which it equals bit for bit."""

    def part(start: int, stop: int) -> None:
        rows = max(1, BLOCK // codes.shape[1])
        for i in range(start, stop, rows):
            here = slice(i, min(i + rows, stop))
            _cast(codes[here], out[here])
            if scales is not None:
                out[here] *= scales if len(scales) == 1 else scales[here]

    in_parallel(part, len(codes), worth=codes.size >= MANY)


def small_product(x: Array, codes: Array, scales: Array | None, out: Array) -> None:
    """As the plain text, in blocks of columns."""
    K, N = codes.shape
    width = max(COLUMNS, BLOCK // K // COLUMNS * COLUMNS)

    def part(start: int, stop: int) -> None:
        for i in range(start, stop, width):
            columns = slice(i, min(i + width, stop))
            own = out[:, columns]
            np.matmul(x, _block(codes[:, columns], x.dtype), out=own)
            if scales is not None:
                own *= scales[:, columns]

    in_parallel(part, N, COLUMNS, worth=codes.size >= MANY or worth_sharing(2.0 * x.size * N))


def _block(codes: Array, dtype: Any) -> Array:
    """Codes as numbers of a dtype, in this thread's memory and in the order in which they lie."""
    if codes.strides[0] < codes.strides[1]:  # the transpose of word vectors
        return _block(codes.T, dtype).T
    block = scratch("weights", codes.shape, dtype)
    _cast(codes, block)
    return block


def _cast(codes: Array, out: Array) -> None:
    """out = codes, of which those of float16 are finite."""
    if codes.dtype != np.float16 or out.dtype != np.float32:
        out[...] = codes
        return
    bits = out.view(np.int32)
    bits[...] = codes.view(np.int16)  # sign and number, 16 bits, the sign copied in front of them
    bits <<= 13
    bits &= SIGN_AND_NUMBER
    out *= np.float32(REBIAS)
