"""What products of a lower precision cost in quality, without a GPU: `rnnlm train` with factors rounded.

    python -m benchmarks.precision bf16 --recipe book-lstm-cosine --seed 1 --out runs/bf16

The first word is the precision, all others are those of `rnnlm train`. Before each large product, those of inputs,
weights' gradients and the output layer, its float32 factors are rounded to the nearest number with the bits that tensor
cores take (of two equally near to that whose last bit is 0); products and sums stay in float32, as they do there. What
a recurrence multiplies at each time step stays as it is, as it does on a GPU in kernels of our own. It takes two to
three times as long as training without: nothing is measured here but perplexity.
"""

import os
import sys

import numpy as np

BITS = {"fp32": 23, "tf32": 10, "bf16": 7}  # of a factor, after the first, which is always 1
PIECE = 1 << 16  # numbers that are rounded at once: in the cache


def rounded(a, bits):
    """An array with numbers of so many bits; other dtypes than float32 as they are. Infinities and NumPy's NaN stay."""
    if a.dtype != np.float32 or bits == BITS["fp32"]:
        return a
    if a.T.flags.c_contiguous and not a.flags.c_contiguous:
        return rounded(a.T, bits).T
    source = np.ascontiguousarray(a).view(np.uint32)
    result = np.empty_like(source)
    drop = BITS["fp32"] - bits
    below_half, dropped = np.uint32((1 << (drop - 1)) - 1), np.uint32((1 << drop) - 1)
    flat, rounded_flat = source.reshape(-1), result.reshape(-1)
    for i in range(0, flat.size, PIECE):
        part, into = flat[i : i + PIECE], rounded_flat[i : i + PIECE]
        np.right_shift(part, np.uint32(drop), out=into)
        into &= np.uint32(1)  # the last bit that stays, so that halves become even
        into += below_half
        into += part
        into &= ~dropped
    return result.view(np.float32)


def main():
    """Train as the command line says."""
    precision, arguments = (sys.argv[1] if len(sys.argv) > 1 else ""), sys.argv[2:]
    if precision not in BITS:
        sys.exit(f"precision: the first argument must be one of {', '.join(BITS)}, got {precision!r}")
    os.environ["RNNLM_FUSED"] = "0"  # the plain text of layers, which has all products in ops.matmul
    from rnnlm.backend import ops
    from rnnlm.cli.main import run

    exact, bits = ops.matmul, BITS[precision]
    ops.matmul = lambda a, b, out, add=False: exact(rounded(a, bits), rounded(b, bits), out, add)
    return run(["train", *arguments])


if __name__ == "__main__":
    sys.exit(main())
