"""NumPy: products with int8 or float16 weights, a block of columns at a time.

Fast versions of functions in layers/small.py. Each thread converts a block of weights into a buffer in its second-level
cache and multiplies there, so that main memory transfers only the small weights. NumPy converts float16 one number
after the other; four passes over the bits take a quarter of that time.
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
SIGN_AND_NUMBER = np.int32(-0x70000001)  # 0x8fffffff: clears the three exponent bits that hold copies of the sign
REBIAS = 2.0**112  # corrects the exponent from float16's bias to float32's


def widen(codes: Array, scales: Array | None, out: Array) -> None:
    """As the plain version, bit for bit."""

    def part(start: int, stop: int) -> None:
        rows = max(1, BLOCK // codes.shape[1])
        for i in range(start, stop, rows):
            here = slice(i, min(i + rows, stop))
            _cast(codes[here], out[here])
            if scales is not None:
                out[here] *= scales if len(scales) == 1 else scales[here]

    in_parallel(part, len(codes), worth=codes.size >= MANY)


def small_product(x: Array, codes: Array, scales: Array | None, out: Array) -> None:
    """As the plain version, in blocks of columns."""
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
    """Return codes converted to a dtype, in this thread's buffer and in the memory order of the codes."""
    if codes.strides[0] < codes.strides[1]:  # the transpose of word vectors
        return _block(codes.T, dtype).T
    block = scratch("weights", codes.shape, dtype)
    _cast(codes, block)
    return block


def _cast(codes: Array, out: Array) -> None:
    """Do out = codes; float16 codes must be finite."""
    if codes.dtype != np.float16 or out.dtype != np.float32:
        out[...] = codes
        return
    bits = out.view(np.int32)
    bits[...] = codes.view(np.int16)  # sign-extends: the upper 16 bits are copies of the sign
    bits <<= 13
    bits &= SIGN_AND_NUMBER
    out *= np.float32(REBIAS)
