"""NumPy: what it spells or speeds differently from CuPy."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

xp = np
NDArrayAny = NDArray[Any]
SMALL = 2e8  # operations of a step below which a second thread costs more than it brings: 1.5 times the time at 1e7
PIECE = 1 << 15  # elements: 128 kB of float32, so that a few arrays of temporaries stay in the second-level cache


def trouble() -> str | None:
    """Why this backend can't run here; None if it can."""
    return None


def describe() -> str:
    """Library and device in words."""
    return f"NumPy {np.__version__}"


def asarray(a: Any, dtype: Any = None) -> NDArrayAny:
    """A host array as an array of this backend."""
    return np.asarray(a, dtype)


def asnumpy(a: Any) -> NDArrayAny:
    """An array of this backend as a NumPy array."""
    return np.asarray(a)


def synchronize() -> None:
    """Wait until all work is done; here it always is."""


@contextmanager
def threads_for(operations: float) -> Iterator[None]:
    """One BLAS thread for steps of so few operations that waking others takes longer than the work; else as it is."""
    if operations >= SMALL:
        yield
        return
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1, "blas"):
        yield


def quiet() -> np.errstate:
    """A context in which overflow and NaN give no warning, because they are looked for or meant."""
    return np.errstate(over="ignore", invalid="ignore")


def scale_(a: NDArrayAny, factor: float) -> None:
    """a *= factor, in place; nothing to do for 1."""
    if factor != 1:
        a *= factor


def add_rows_(out: NDArrayAny, ids: NDArrayAny, rows: NDArrayAny) -> None:
    """out[ids[m]] += rows[m] for every m, ids repeated or not.  out (V, D), ids (M,), rows (M, D)

    Rows of one id are brought together by a stable sort and summed in the order they came: np.add.at does the same
    one element at a time.
    """
    order = ids.argsort(kind="stable")
    sorted_ids = ids[order]
    first = np.flatnonzero(np.concatenate(([True], sorted_ids[1:] != sorted_ids[:-1])))
    out[sorted_ids[first]] += np.add.reduceat(rows[order], first, axis=0)


def pieces(*arrays: NDArrayAny) -> Iterator[tuple[NDArrayAny, ...]]:
    """Arrays of one shape cut alike into flat views, for an elementwise update whose temporaries stay in the cache."""
    if not all(a.flags.c_contiguous for a in arrays):
        yield arrays
        return
    flat = [a.reshape(-1) for a in arrays]
    for start in range(0, flat[0].size, PIECE):
        yield tuple(a[start : start + PIECE] for a in flat)
