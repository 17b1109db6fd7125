"""What layers say of arrays that they can't take.

Shapes and dtypes are looked at always. Ids are looked at where they lie on the host: -1 would be the last word, and
2^32 the first. On a device a look would wait for it, so there whoever moved them has to have looked before.
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
    """Whether a shape is as asked for; a plain loop, since this is asked several times a step."""
    if len(given) != len(shape):
        return False
    for n, m in zip(given, shape):  # noqa: SIM110 - a generator takes twice as long
        if n != m and (n == 0 or isinstance(m, int)):
            return False
    return True


def _expect_kind(name: str, array: Any) -> None:
    """Check that an array is one of the backend's whose numbers all count, and whose * is not a matrix product."""
    if not isinstance(array, xp.ndarray) or isinstance(array, (np.ma.MaskedArray, np.matrix)):
        kind = f"{type(array).__module__}.{type(array).__name__}"
        raise InputError(f"{name} must be an array of {xp.__name__}, got {kind}")


def expect_ids(
    name: str, ids: Any, shape: Shape = ("N", "T"), words: int | None = None, ignored: int | None = None
) -> None:
    """Check that `ids` is an integer array of the given shape, and on the host what is in it; see `expect`.

    Args:
        words: V, where they must be in [0, V).
        ignored: one that need not be.
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
    """Whether ids on the host are known to be in [0, words); less than 0 is a large number without a sign."""
    if ids.size == 1:  # one word for one text: the reduction below takes several times as long
        return 0 <= ids.item() < words
    return bool(ids.dtype.isnative and ids.view(UNSIGNED[ids.itemsize]).max() < words)


def expect_one_hot(name: str, ts: Any, shape: Shape) -> None:
    """Check one-hot rows, of any type of number; on the host, that each has just one entry that is not 0."""
    kind = ts.dtype.kind if isinstance(ts, xp.ndarray) else ""
    expect(f"one-hot {name}", ts, shape, ts.dtype if kind and kind in "biu" else None)
    if isinstance(ts, np.ndarray) and ((ts != 0).sum(axis=-1) != 1).any():
        raise InputError(f"one-hot {name} must have one entry in each row that is not 0")


def expect_within(name: str, array: Any, low: float, high: float) -> None:
    """Check that numbers on the host are in [low, high]. NaN passes, and is seen in what comes of it."""
    if isinstance(array, np.ndarray) and (bool((array < low).any()) or bool((array > high).any())):
        raise InputError(
            f"{name} must be in [{low}, {high}], got {array.min() if (array < low).any() else array.max()}"
        )


def expect_dtype(name: str, dtype: Any) -> Any:
    """`dtype` as one of weights: float16, float32 or float64, by name or otherwise.

    Raises:
        InputError: another one, or none at all.
    """
    found = dtype_of(name, dtype)
    if found not in (np.float16, np.float32, np.float64):
        raise refused(name, "float16, float32 or float64", dtype)
    return found


def expect_weights(Wx: Array, Wh: Array, b: Array, gates: int, biases: int = 1) -> None:
    """Check the weights of a recurrent layer: Wx (D, gH), Wh (H, gH), b (gH,) for g gates, all of one dtype.

    With two biases, of the input's and of the state's product, b is (2, gH).
    """
    expect("Wh", Wh, ("H", f"{gates}H" if gates > 1 else "H"))
    H = Wh.shape[0]
    expect("Wh", Wh, (H, gates * H))
    expect("Wx", Wx, ("D", gates * H), Wh.dtype)
    expect("b", b, (gates * H,) if biases == 1 else (biases, gates * H), Wh.dtype)
