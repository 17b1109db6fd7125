"""NumPy: scores, softmax and cross-entropy, with each thread's share of the scores in its cache.

Fast versions of `output_forward` and `output_nats` in layers/heads/output.py, which explains equations and arguments.
At 700 rows of 10,000 words, 100 hidden units and two threads the first takes 10 ms on a Zen 5 with AVX-512, 7 of them
for the product, where the plain version takes 16 to 22; 9 ms on a Sapphire Rapids; with Haswell kernels 27 ms, 14 of
them for the product and 10 for the exponentials.
"""

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnlm.backend.cpu.machine import processor
from rnnlm.backend.cpu.products import few_rows, small_kernels, worth_sharing
from rnnlm.backend.cpu.threads import in_parallel, scratch

__all__ = ["output_forward", "output_nats"]

Array = NDArray[Any]
CACHE = 1 << 18  # scores: 1 MiB of float32, a second-level cache
MEMORY = 1 << 22  # scores of a product, of each thread: 16 MiB of float32, 419 rows of 10,000 words
SMALL = 500  # hidden units up to which small kernels multiply a few rows at a time
SAFE = 30.0  # largest |maximum| of a row that need not be subtracted before exp: no overflow, no harmful underflow


def output_forward(x: Array, W: Array, b: Array, targets: Array, exps: Array, totals: Array, nats: Array) -> None:
    """As the plain version, except that m is 0 in blocks of rows whose maxima are all within [-SAFE, SAFE]."""
    _output(x, W, b, targets, exps, totals, nats)


def output_nats(
    x: Array, W: Array, b: Array, targets: Array, shares: Array, totals: Array, nats: Array, _memory: Array
) -> None:
    """As the plain version, in each thread's own memory, and only for rows that count."""
    counted = shares.nonzero()[0]
    if len(counted) == len(x):
        _output(x, W, b, targets, None, totals, nats)
    else:
        found = np.zeros(len(counted))
        _output(x[counted], W, b, targets[counted], None, totals[: len(counted)], found)
        nats[...] = 0
        nats[counted] = found


def _output(x: Array, W: Array, b: Array, targets: Array, exps: Array | None, totals: Array, nats: Array) -> None:
    """Compute both: exp(s - m) is written to `exps`, or not kept if that is None."""
    V = len(b)
    ones = np.ones(V, x.dtype)
    cached = max(1, CACHE // V)  # rows
    small = W.flags.c_contiguous and W.shape[0] <= SMALL and few_at_a_time()
    together = max(16, cached if small else MEMORY // V)

    def part(start: int, stop: int) -> None:
        for i in range(start, stop, together):
            k = min(together, stop - i)
            own = scratch("scores", (k, V), x.dtype) if small or exps is None else exps[i : i + k]
            few_rows(x[i : i + k], W, own)
            for j in range(0, k, cached):
                rows, s = slice(i + j, min(i + j + cached, i + k)), own[j : j + cached]
                nats[rows] = _exps(s, b, targets[rows], ones, s if exps is None else exps[rows], totals[rows])

    in_parallel(part, len(x), worth=worth_sharing(2.0 * x.size * V))


@cache
def few_at_a_time() -> bool:
    """Return whether a few rows are multiplied at a time, so that their scores stay in the cache.

    That pays where small kernels are about as fast as large ones, as on AMD's Zen 5. On Intel's Sapphire Rapids they
    take 1.8 times as long, and the whole 14 ms instead of 9.
    """
    return small_kernels() and "AMD" in (processor() or "")


def _exps(s: Array, b: Array, targets: Array, ones: Array, exps: Array, totals: Array) -> Array:
    """Write exp(s - m) and its row sums for scores without bias (M, V), which are overwritten; return the nats (M,)."""
    s += b
    top = s.max(axis=1)
    own = s[np.arange(len(s)), targets].astype(np.float64)
    if np.abs(top).max() <= SAFE:
        own = -own
    else:
        with np.errstate(over="ignore", invalid="ignore"):
            own = top - own
            s -= top[:, None]
    np.exp(s, out=exps)
    np.matmul(exps, ones, out=totals)  # a sum over rows, 3 times faster than sum
    own += np.log(totals.astype(np.float64))
    return np.maximum(own, 0, out=own)  # with m = 0, rounding may lead below 0
