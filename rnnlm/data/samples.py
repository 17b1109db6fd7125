"""Batches of samples for networks without time, in a new random order in each epoch."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rnnlm.checks import array_of, dtype_of, whole_number
from rnnlm.data.windows import Windows
from rnnlm.errors import InputError
from rnnlm.randomness import stream

__all__ = ["Samples"]

if TYPE_CHECKING:
    from rnnlm.backend import Array

Arrays = Any  # an array (samples, ...), or a tuple with one for each input or output


class Samples(Windows):
    """Batches of samples. Each epoch uses all of them once in a new random order; its last batch may be smaller.

    The samples are kept on the backend, where batches are selected.

    Args:
        x: inputs (samples, ...), or a tuple of such arrays for a network with several inputs.
        t: targets (samples, ...), or a tuple of them for several outputs.
        batch_size: samples of a batch.
        seed: seed of the orders.
        dtype: dtype of the inputs (default: unchanged).
        lap: number of an independent sequence of orders for the same seed.
        counts: (samples,) weight of each sample in mean losses, such as its number of targets that count; by default 1.

    Raises:
        InputError: no samples, different numbers of inputs and targets, or a batch size below 1.
    """

    unit, figure = "samples", "loss"
    highest = float("inf")

    def __init__(
        self,
        x: Arrays,
        t: Arrays,
        batch_size: int = 32,
        seed: int = 0,
        dtype: Any = None,
        lap: int = 0,
        counts: NDArray[np.integer] | None = None,
    ) -> None:
        self.x, self.t = arrays("x", x, dtype), arrays("t", t)
        self.samples = count_of(self.x)
        if count_of(self.t) != self.samples:
            raise InputError(f"x and t must have one entry for each sample, got {self.samples} and {count_of(self.t)}")
        self.batch_size = min(whole_number("batch_size", batch_size, 1), self.samples)
        self.seed, self.lap = whole_number("seed", seed, 0, 2**64), whole_number("lap", lap, 0, 2**64)
        self.counts = np.ones(self.samples, np.int64) if counts is None else counts
        self._order: tuple[int, Any] | None = None  # the current epoch and its order

    def __len__(self) -> int:
        """Batches in an epoch."""
        return -(-self.samples // self.batch_size)

    @property
    def size(self) -> int:
        """Samples of a batch; each batch counts as one step, whatever its size."""
        return self.batch_size

    def told(self, loss: float) -> str:
        """Return a loss as text."""
        return f"loss {loss:.4g}"

    def expect_words(self, vocab_size: int) -> None:
        """Do nothing: samples are not words."""

    def window(self, number: int) -> "tuple[Array, Array]":
        """Return inputs and targets of batch `number`, from 0: arrays of the backend, or tuples of them."""
        from rnnlm.backend import ops  # imported only for batches

        chosen = ops.asarray(self._chosen(number))
        return taken(self.x, chosen), taken(self.t, chosen)

    def weight(self, number: int) -> int:
        """Return the sum of the `counts` of a batch."""
        return int(self.counts[self._chosen(number)].sum())

    def _chosen(self, number: int) -> NDArray[np.integer]:
        """Return the numbers of a batch's samples."""
        epoch, begin = number // len(self), number % len(self) * self.batch_size
        if self._order is None or self._order[0] != epoch:
            rng = stream(self.seed, "order of samples", epoch, lap=self.lap)
            self._order = epoch, rng.permutation(self.samples)
        found: NDArray[np.integer] = self._order[1][begin : begin + self.batch_size]
        return found

    def fresh(self, number: int) -> bool:
        """Always: no sample goes on from one of the batch before."""
        return True

    def identity(self) -> dict[str, int | str]:
        """Return the numbers that identify these batches."""
        return {"samples": self.samples, "batch_size": self.batch_size, "seed": self.seed, "lap": self.lap}


def arrays(name: str, given: Arrays, dtype: Any = None) -> Arrays:
    """Return samples as arrays of the backend, converted to `dtype` if given.

    Raises:
        InputError: not an array of numbers.
    """
    from rnnlm.backend import ops, xp

    if isinstance(given, tuple):
        return tuple(arrays(f"{name}[{i}]", one, dtype) for i, one in enumerate(given))
    on_device = isinstance(given, xp.ndarray) and not isinstance(given, np.ndarray)
    array = given if on_device else ops.asarray(array_of(name, given))
    if array.dtype.kind not in "biuf" or array.ndim == 0 or not array.size:
        raise InputError(f"{name} must be an array of numbers, one row a sample, got {array.dtype} {array.shape}")
    return array if dtype is None else array.astype(dtype_of("dtype", dtype))


def expect_finite(name: str, given: Arrays) -> None:
    """Check that no number is NaN or infinite.

    Raises:
        InputError: one is; the message names the first such sample.
    """
    from rnnlm.backend import xp

    if isinstance(given, tuple):
        for i, one in enumerate(given):
            expect_finite(f"{name}[{i}]", one)
    elif given.dtype.kind == "f":
        finite = xp.isfinite(given).reshape(len(given), -1).all(axis=1)
        if not bool(finite.all()):
            raise InputError(f"{name} must be finite, and sample {int((~finite).argmax())} has NaN or an infinity")


def count_of(given: Arrays) -> int:
    """Return the number of samples.

    Raises:
        InputError: an empty tuple, or arrays with different numbers of samples.
    """
    counts = {len(one) for one in (given if isinstance(given, tuple) else (given,))}
    if not counts:
        raise InputError("x and t must have an array at least, got an empty tuple")
    if len(counts) != 1:
        raise InputError(f"all inputs must have one number of samples, got {', '.join(map(str, sorted(counts)))}")
    return counts.pop()


def taken(given: Arrays, chosen: Any) -> Arrays:
    """Return samples, selected by indices or a slice."""
    return tuple(one[chosen] for one in given) if isinstance(given, tuple) else given[chosen]
