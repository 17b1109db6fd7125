"""Windows of a corpus for truncated back-propagation through time."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rnnlm.backend import ops
from rnnlm.checks import whole_number
from rnnlm.errors import DataError, InputError

__all__ = ["Batches"]


class Batches:
    """Successive windows (N, T) of inputs and targets, N rows reading the corpus side by side.

    Row i begins at offset i * (len(xs) // N); window k reads T steps from k * T on in every row, so that the state of
    window k - 1 is the right one to begin with. Reading wraps at the end of the data.

    Args:
        xs: ids of the inputs.
        ts: ids of the targets, as many.
        batch_size: N.
        time_size: T.

    Raises:
        DataError: fewer than N * T pairs.
        InputError: sizes below 1, or xs and ts that are not two lists of ids of one length.
    """

    def __init__(self, xs: ArrayLike, ts: ArrayLike, batch_size: int, time_size: int) -> None:
        self.xs, self.ts = _ids("xs", xs), _ids("ts", ts)
        if len(self.xs) != len(self.ts):
            raise InputError(f"xs and ts must be of one length, got {len(self.xs)} and {len(self.ts)}")
        whole_number("batch_size", batch_size, 1)
        whole_number("time_size", time_size, 1)
        if len(self.xs) < batch_size * time_size:
            raise DataError(
                f"the corpus is too short: one window of batch_size {batch_size} x time_size {time_size} needs "
                f"{batch_size * time_size} pairs of words, it has {len(self.xs)}; take smaller sizes or more text"
            )
        self.batch_size, self.time_size = batch_size, time_size

    def __len__(self) -> int:
        """Windows in an epoch."""
        return len(self.xs) // (self.batch_size * self.time_size)

    def window(self, number: int) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Inputs and targets (N, T) of window `number` from 0; views of time-major memory."""
        size = len(self.xs)
        jump = size // self.batch_size
        both = np.empty((2, self.time_size, self.batch_size), np.int32)
        for i in range(self.batch_size):
            start = (i * jump + number * self.time_size) % size
            ahead = min(self.time_size, size - start)
            for steps, data in zip(both, (self.xs, self.ts)):
                steps[:ahead, i] = data[start : start + ahead]
                steps[ahead:, i] = data[: self.time_size - ahead]
        return both[0].T, both[1].T


def _ids(name: str, ids: ArrayLike) -> NDArray[np.integer]:
    array = ops.asnumpy(ids)
    if array.ndim != 1 or array.dtype.kind not in "iu":
        raise InputError(f"{name} must be a list of integer ids, got {array.dtype} of shape {array.shape}")
    if array.size and not -1 <= array.min() <= array.max() < 2**31:
        raise InputError(f"{name} must hold ids in [-1, 2**31), got {array.min()} to {array.max()}")
    return array
