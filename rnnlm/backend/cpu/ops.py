"""NumPy: what it spells or speeds differently from CuPy."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnlm.backend.cpu.blas import describe_blas, forced_kernels
from rnnlm.backend.cpu.cells import lstm_backward, lstm_forward
from rnnlm.backend.cpu.limits import one_blas_thread, thread_count
from rnnlm.backend.cpu.machine import memory
from rnnlm.backend.cpu.output import output_forward, output_nats
from rnnlm.backend.cpu.products import matmul, multiplier
from rnnlm.backend.cpu.small import small_product, widen
from rnnlm.backend.cpu.threads import in_parallel, join, joined, later

__all__ = [
    "ATTEMPTS", "RECORDS", "SCORES", "SCORES_ONCE", "TWINS",
    "asarray", "asnumpy", "batch_matmul", "beside", "describe", "elementwise", "join", "joined", "later", "matmul",
    "memory", "multiplier", "one_blas_thread", "place", "quiet", "remarks", "resident", "scale_", "synchronize",
    "trouble", "xp",
]  # fmt: skip

xp = np
NDArrayAny = NDArray[Any]
RECORDS = False  # to launch is to compute
PIECE = 1 << 16  # elements: 256 kB of float32, so that a few arrays of temporaries stay in the second-level cache
SCORES = 1 << 24  # that stand in memory at once: 64 MiB of float32, 1,677 rows of 10,000 words, 167 of 100,000
SCORES_ONCE = 1 << 21  # where no gradient is to follow: 8 MiB, which stay in the cache
FEW_ROWS = 128  # up to which a product sums them fastest
OFTEN = 8  # rows from which those of a word are summed by themselves
MANY = 1 << 19  # elements from which a second thread is worth waking


def trouble(_device: str, _precision: str) -> str | None:
    """Why this backend can't run here; None if it can."""
    return None


def describe() -> str:
    """Library, its BLAS and threads in words."""
    return f"NumPy {np.__version__}, {describe_blas()}, threads: {thread_count()}"


def remarks() -> list[str]:
    """What slows this backend down here."""
    forced = forced_kernels()
    return [] if forced is None else [forced]


def asarray(a: Any, dtype: Any = None) -> NDArrayAny:
    """A host array as an array of this backend."""
    return np.asarray(a, dtype)


def resident(ids: NDArrayAny) -> NDArrayAny:
    """Ids in memory, to where the backend cuts windows from: here they are there."""
    return ids


def asnumpy(a: Any) -> NDArrayAny:
    """An array of this backend as a NumPy array."""
    return np.asarray(a)


def synchronize() -> None:
    """Wait until all work is done; here it always is."""


def quiet() -> np.errstate:
    """A context in which overflow and NaN give no warning, because they are looked for or meant."""
    return np.errstate(over="ignore", invalid="ignore")


def beside(function: Callable[[], Any]) -> Any:
    """The result of what nothing waits for before `join`: done at once."""
    return function()


def place(a: NDArrayAny) -> tuple[int, tuple[int, ...]]:
    """Where an array lies, and its shape."""
    return a.__array_interface__["data"][0], a.shape


def scale_(a: NDArrayAny, factor: float) -> None:
    """a *= factor, in place; nothing to do for 1."""
    if factor != 1:
        elementwise(lambda part: np.multiply(part, factor, out=part), a)


def add_rows(out: NDArrayAny, ids: NDArrayAny, rows: NDArrayAny) -> None:
    """out[ids[m]] += rows[m] for every m, ids repeated or not.  out (V, D), ids (M,), rows (M, D)

    Rows of one id are brought together by a stable sort and summed in the order they came: np.add.at does the same
    one element at a time, and np.add.reduceat takes up to three times as long where most ids come once or twice. A few
    rows are summed by a product with a matrix of zeros and ones, which takes less.
    """
    order = ids.argsort(kind="stable")
    sorted_ids = ids[order]
    is_first = np.concatenate(([True], sorted_ids[1:] != sorted_ids[:-1]))
    first = np.flatnonzero(is_first)
    if len(ids) <= FEW_ROWS:
        same = np.zeros((len(first), len(ids)), rows.dtype)
        same[is_first.cumsum() - 1, order] = 1
        sums = same @ rows
    else:
        sums = _sums(rows, order, first, np.diff(first, append=len(ids)))
    out[sorted_ids[first]] += sums


def _sums(rows: NDArrayAny, order: NDArrayAny, first: NDArrayAny, counts: NDArrayAny) -> NDArrayAny:
    """Sums of rows (M, D), in the order they came: of the counts[k] rows whose numbers stand in `order` from first[k]
    on.

    Sums of many rows are computed one by one. Of the others all second rows are added at once, then the third ones.
    """
    sums: NDArrayAny = rows[order[first]]
    for n in (counts >= OFTEN).nonzero()[0]:
        sums[n] = rows[order[first[n] : first[n] + counts[n]]].sum(axis=0)
    for k in range(1, OFTEN - 1):
        left = ((counts > k) & (counts < OFTEN)).nonzero()[0]
        sums[left] += rows[order[first[left] + k]]
    return sums


def squares(a: NDArrayAny) -> Any:
    """The sum of the squares of an array's numbers: each thread's share, then their sum."""
    if not a.flags.c_contiguous:
        return np.vdot(a, a)
    flat, found = a.reshape(-1), {}

    def part(start: int, stop: int) -> None:
        found[start] = np.dot(flat[start:stop], flat[start:stop])

    in_parallel(part, flat.size, PIECE, worth=flat.size >= MANY)
    return sum(found[start] for start in sorted(found))


def batch_matmul(a: NDArrayAny, b: NDArrayAny) -> NDArrayAny:
    """N products at once, (N, M, K) and (N, K, L) to (N, M, L)."""
    return np.matmul(a, b)


def elementwise(function: Callable[..., object], *arrays: NDArrayAny) -> None:
    """Call function(*parts) on arrays of one shape cut alike: flat views whose temporaries stay in the cache.

    In all threads, where the arrays are large.
    """
    if not all(a.flags.c_contiguous for a in arrays):
        function(*arrays)
        return
    flat = [a.reshape(-1) for a in arrays]

    def part(start: int, stop: int) -> None:
        for i in range(start, stop, PIECE):
            function(*(a[i : min(i + PIECE, stop)] for a in flat))

    in_parallel(part, flat[0].size, PIECE, worth=flat[0].size >= MANY)


TWINS: dict[str, Callable[..., Any]] = {  # plain functions that have a faster one here, and that
    "add_rows": add_rows,
    "lstm_backward": lstm_backward,
    "lstm_forward": lstm_forward,
    "output_forward": output_forward,
    "output_nats": output_nats,
    "small_product": small_product,
    "squares": squares,
    "widen": widen,
}
ATTEMPTS: dict[str, Callable[..., bool]] = {}  # plain functions that have one for some arguments, which says for which
