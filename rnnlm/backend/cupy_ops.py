"""CuPy: what it spells or speeds differently from NumPy."""

from collections.abc import Iterator
from typing import Any

import cupy as xp

Array = Any
LOOK = 20  # training steps between two looks at whether all is finite: each look waits for the device


def trouble() -> str | None:
    """Why this backend can't run here; None if it can."""
    if xp.is_available():
        return None
    try:
        return f"{xp.cuda.runtime.getDeviceCount()} devices"
    except Exception as error:  # CuPy has one exception for each way that a driver can be missing
        return str(error)


def describe() -> str:
    """Library and device in words."""
    device = xp.cuda.runtime.getDeviceProperties(xp.cuda.Device().id)["name"].decode()
    return f"CuPy {xp.__version__} on {device}"


def asarray(a: Any, dtype: Any = None) -> Array:
    """A host array as an array of this backend: a copy to the device."""
    return xp.asarray(a, dtype)


def asnumpy(a: Any) -> Any:
    """An array of this backend as a NumPy array: waits for the device."""
    return xp.asnumpy(a)


def synchronize() -> None:
    """Wait until the device has done all it was given."""
    xp.cuda.get_current_stream().synchronize()


class quiet:
    """A context in which overflow and NaN give no warning: on a GPU they never do."""

    def __enter__(self) -> None: ...

    def __exit__(self, *exception: object) -> None: ...


def scale_(a: Array, factor: Array) -> None:
    """a *= factor in place; a factor that is NaN clears `a`, whatever it holds. Does not wait to look at it."""
    a[...] = xp.where(xp.isnan(factor), 0, a * factor)


def add_rows_(out: Array, ids: Array, rows: Array) -> None:
    """out[ids[m]] += rows[m] for every m, ids repeated or not.  out (V, D), ids (M,), rows (M, D)

    An atomic add of all rows would give other bits on every run, because floating-point addition keeps no order. So a
    product with the (M, M) matrix of equal ids sums the rows of one id in a fixed order, the first row of each id is
    kept, and only zeros are left for the atomic add to put together: x + 0 is x in any order.
    """
    same = ids[:, None] == ids[None, :]
    totals = xp.matmul(same.astype(rows.dtype), rows)
    first = same.argmax(axis=1) == xp.arange(len(ids))
    xp.add.at(out, ids, xp.where(first[:, None], totals, 0))


def pieces(*arrays: Array) -> Iterator[tuple[Array, ...]]:
    """Arrays of one shape cut alike for an elementwise update: on a GPU one piece is best."""
    yield arrays
