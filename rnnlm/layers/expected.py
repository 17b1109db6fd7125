"""Checks of the arrays given to layers.

Shapes and dtypes are always checked. Ids are checked only on the host: unchecked, -1 would be the last word and 2^32
the first. On a device a check would wait for it, so ids must be checked before they are moved there.
"""

from typing import Any

import numpy as np

from rnnlm.backend import Array, xp
from rnnlm.checks import dtype_of, refused
from rnnlm.errors import InputError

__all__ = ["Shape", "expect", "expect_dtype", "expect_ids", "expect_one_hot", "expect_weights", "expect_within"]

Shape = tuple[int | str, ...]
UNSIGNED = {1: np.uint8, 2: np.uint16, 4: np.uint32, 8: np.uint64}


def expect(name: str, array: Any, shape: Shape, dtype: Any = None) -> None:
    """Check an argument's type, dtype and shape; letters in `shape` stand for any length but zero.

    Raises:
        InputError: naming the argument, the rule and what was given.
    """
    if type(array) is not xp.ndarray:
        _expect_kind(name, array)
    if not _fits(array.shape, shape):
        wanted = ", ".join(str(n) for n in shape) + ("," if len(shape) == 1 else "")
        raise InputError(f"{name} must have shape ({wanted}), got {array.shape}")
    if dtype is None and array.dtype.kind != "f":
        raise InputError(f"{name} must be of a floating-point dtype, got {array.dtype}")
    if dtype is not None and array.dtype != dtype:
        raise InputError(f"{name} must have the layer's dtype {dtype}, got {array.dtype}: use astype")


def _fits(given: tuple[int, ...], shape: Shape) -> bool:
    """Return whether a shape matches; a plain loop, because it runs several times a step."""
    if len(given) != len(shape):
        return False
    for n, m in zip(given, shape):  # noqa: SIM110 - a generator takes twice as long
        if n != m and (n == 0 or isinstance(m, int)):
            return False
    return True


def _expect_kind(name: str, array: Any) -> None:
    """Check that an array is the backend's own type: not masked, and not a matrix, whose * is a matrix product."""
    if not isinstance(array, xp.ndarray) or isinstance(array, (np.ma.MaskedArray, np.matrix)):
        kind = f"{type(array).__module__}.{type(array).__name__}"
        raise InputError(f"{name} must be an array of {xp.__name__}, got {kind}")


def expect_ids(
    name: str, ids: Any, shape: Shape = ("N", "T"), words: int | None = None, ignored: int | None = None
) -> None:
    """Check that `ids` is an integer array of the given shape and, on the host, its values; errors as `expect`.

    Args:
        words: V, if ids must be in [0, V); None not to check them.
        ignored: an id allowed outside that range.
    """
    if isinstance(ids, xp.ndarray) and ids.dtype.kind not in "iu":
        raise InputError(f"{name} must hold integer ids, got dtype {ids.dtype}")
    expect(name, ids, shape, getattr(ids, "dtype", None))
    if words is None or not isinstance(ids, np.ndarray):
        return
    if not _all_below(ids, words):
        outside = (ids < 0) | (ids >= words)
        wrong = ids[outside if ignored is None else outside & (ids != ignored)]
        if wrong.size:
            beside = "" if ignored is None else f", or {ignored}, which does not count"
            raise InputError(f"{name} must hold ids in [0, {words}){beside}, got {wrong[0]}")


def _all_below(ids: Any, words: int) -> bool:
    """Return whether host ids are all in [0, words), fast: as unsigned integers negative ones are large.

    False also for another byte order, whose ids have to be checked in another way.
    """
    if ids.size == 1:  # one word for one text: the reduction below takes several times as long
        return 0 <= ids.item() < words
    return bool(ids.dtype.isnative and ids.view(UNSIGNED[ids.itemsize]).max() < words)


def expect_one_hot(name: str, ts: Any, shape: Shape) -> None:
    """Check one-hot rows, of any numeric dtype; on the host also that each row has exactly one nonzero entry."""
    kind = ts.dtype.kind if isinstance(ts, xp.ndarray) else ""
    expect(f"one-hot {name}", ts, shape, ts.dtype if kind and kind in "biu" else None)
    if isinstance(ts, np.ndarray) and ((ts != 0).sum(axis=-1) != 1).any():
        raise InputError(f"one-hot {name} must have one entry in each row that is not 0")


def expect_within(name: str, array: Any, low: float, high: float) -> None:
    """Check that an array on the host is within [low, high]. NaN passes, and shows in what is computed from it."""
    if isinstance(array, np.ndarray) and (bool((array < low).any()) or bool((array > high).any())):
        raise InputError(
            f"{name} must be in [{low}, {high}], got {array.min() if (array < low).any() else array.max()}"
        )


def expect_dtype(name: str, dtype: Any) -> Any:
    """Return the NumPy dtype for weights that `dtype` names: float16, float32 or float64.

    Raises:
        InputError: another dtype, or not a dtype.
    """
    found = dtype_of(name, dtype)
    if found not in (np.float16, np.float32, np.float64):
        raise refused(name, "float16, float32 or float64", dtype)
    return found


def expect_weights(Wx: Array, Wh: Array, b: Array, gates: int, biases: int = 1) -> None:
    """Check the weights of a recurrent layer: Wx (D, gH), Wh (H, gH), b (gH,) for g gates, all of one dtype.

    With two biases, one for x Wx and one for h Wh, b is (2, gH).
    """
    expect("Wh", Wh, ("H", f"{gates}H" if gates > 1 else "H"))
    H = Wh.shape[0]
    expect("Wh", Wh, (H, gates * H))
    expect("Wx", Wx, ("D", gates * H), Wh.dtype)
    expect("b", b, (gates * H,) if biases == 1 else (biases, gates * H), Wh.dtype)
