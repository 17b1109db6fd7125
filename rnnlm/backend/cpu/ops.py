"""NumPy: operations whose names or fast implementations differ from CuPy's."""

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
RECORDS = False  # whether launches can be recorded and replayed
PIECE = 1 << 16  # elements: 256 kB of float32, so that a few arrays of temporaries stay in the second-level cache
SCORES = 1 << 24  # most scores in memory at once: 64 MiB of float32, 1,677 rows of 10,000 words, 167 of 100,000
SCORES_ONCE = 1 << 21  # the same without a backward: 8 MiB, which stay in the cache
FEW_ROWS = 128  # up to which a product sums them fastest
OFTEN = 8  # occurrences of a word from which its rows are summed by one call
MANY = 1 << 19  # elements from which a second thread is worth waking


def trouble(_device: str, _precision: str) -> str | None:
    """Return why this backend can't run here; None if it can."""
    return None


def describe() -> str:
    """Return the library, its BLAS and the number of threads as text."""
    return f"NumPy {np.__version__}, {describe_blas()}, threads: {thread_count()}"


def remarks() -> list[str]:
    """Return warnings about what slows this backend down here."""
    forced = forced_kernels()
    return [] if forced is None else [forced]


def asarray(a: Any, dtype: Any = None) -> NDArrayAny:
    """Convert a host array to an array of this backend, without a copy if possible."""
    return np.asarray(a, dtype)


def resident(ids: NDArrayAny) -> NDArrayAny:
    """Return ids in the memory from which the backend reads windows: here unchanged."""
    return ids


def asnumpy(a: Any) -> NDArrayAny:
    """Convert an array of this backend to a NumPy array."""
    return np.asarray(a)


def synchronize() -> None:
    """Wait until all work is done; a no-op here."""


def quiet() -> np.errstate:
    """Return a context without warnings of overflow and NaN, for code that expects or checks them."""
    return np.errstate(over="ignore", invalid="ignore")


def beside(function: Callable[[], Any]) -> Any:
    """Return function(), whose effects are needed only after `join`; here it runs at once."""
    return function()


def place(a: NDArrayAny) -> tuple[int, tuple[int, ...]]:
    """Return the address of an array and its shape."""
    return a.__array_interface__["data"][0], a.shape


def scale_(a: NDArrayAny, factor: float) -> None:
    """Do a *= factor in place; nothing for 1."""
    if factor != 1:
        elementwise(lambda part: np.multiply(part, factor, out=part), a)


def add_rows(out: NDArrayAny, ids: NDArrayAny, rows: NDArrayAny) -> None:
    """Do out[ids[m]] += rows[m] for every m; ids may repeat.  out (V, D), ids (M,), rows (M, D)

    A stable sort groups the rows of each id, which are summed in their order: np.add.at does the same one element at a
    time, and np.add.reduceat takes up to three times as long if most ids come once or twice. Up to `FEW_ROWS` rows are
    summed by a product with a matrix of zeros and ones, which is faster still.
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
    """Return sums of groups of rows (M, D), in order: group k has counts[k] rows, numbered by `order` from first[k] on.

    Groups of at least `OFTEN` rows are summed one by one. Of all others the second rows are added in one operation,
    then the third rows, and so on.
    """
    sums: NDArrayAny = rows[order[first]]
    for n in (counts >= OFTEN).nonzero()[0]:
        sums[n] = rows[order[first[n] : first[n] + counts[n]]].sum(axis=0)
    for k in range(1, OFTEN - 1):
        left = ((counts > k) & (counts < OFTEN)).nonzero()[0]
        sums[left] += rows[order[first[left] + k]]
    return sums


def squares(a: NDArrayAny) -> Any:
    """Return the sum of the squares of an array's elements: partial sums by thread, then their sum."""
    if not a.flags.c_contiguous:
        return np.vdot(a, a)
    flat, found = a.reshape(-1), {}

    def part(start: int, stop: int) -> None:
        found[start] = np.dot(flat[start:stop], flat[start:stop])

    in_parallel(part, flat.size, PIECE, worth=flat.size >= MANY)
    return sum(found[start] for start in sorted(found))


def batch_matmul(a: NDArrayAny, b: NDArrayAny) -> NDArrayAny:
    """Return the N products of (N, M, K) and (N, K, L), (N, M, L)."""
    return np.matmul(a, b)


def elementwise(function: Callable[..., object], *arrays: NDArrayAny) -> None:
    """Call function(*parts) on corresponding pieces of arrays of one shape: flat views, small enough that temporaries
    stay in the cache. Large arrays are shared between the threads.
    """
    if not all(a.flags.c_contiguous for a in arrays):
        function(*arrays)
        return
    flat = [a.reshape(-1) for a in arrays]

    def part(start: int, stop: int) -> None:
        for i in range(start, stop, PIECE):
            function(*(a[i : min(i + PIECE, stop)] for a in flat))

    in_parallel(part, flat[0].size, PIECE, worth=flat[0].size >= MANY)


TWINS: dict[str, Callable[..., Any]] = {  # name of a plain function -> its faster version
    "add_rows": add_rows,
    "lstm_backward": lstm_backward,
    "lstm_forward": lstm_forward,
    "output_forward": output_forward,
    "output_nats": output_nats,
    "small_product": small_product,
    "squares": squares,
    "widen": widen,
}
ATTEMPTS: dict[str, Callable[..., bool]] = {}  # the same for some arguments only; False if it did nothing
