"""Windows of a corpus for truncated back-propagation through time."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from rnnlm.checks import flag, size, whole_number
from rnnlm.concurrency import once
from rnnlm.data.ids import HIGH
from rnnlm.data.sentence_batches import SentenceBatches
from rnnlm.data.sentences import Sentences
from rnnlm.data.sources import InMemory, tokens_of
from rnnlm.data.tokens import Tokens
from rnnlm.data.windows import Windows
from rnnlm.errors import DataError, InputError
from rnnlm.randomness import stream

__all__ = ["Batches", "RandomBatches", "make_batches"]

if TYPE_CHECKING:
    from rnnlm.backend import Array

Ids = ArrayLike | Tokens
KEPT = 4  # windows between two releases of the memory that reading took
SHORTEST = 5  # steps of a random window, at least
SAMPLE = 1_000  # windows to estimate the mean length from


class Batches(Windows):
    """Successive windows (N, T) of inputs and targets; N rows read the corpus in parallel.

    Row i begins at offset i * (len(xs) // N), and window k has T steps of every row from k * T on, so the final state
    of window k - 1 is the initial state of window k. Reading wraps at the end of the data.

    Ids in memory are checked here and copied to the GPU, if there is one, where windows are cut. Ids in a file, which
    may be larger than memory, are read and checked window by window, on the host.

    Args:
        xs: ids of the inputs: an array, or `Tokens` as returned by `open_corpus`.
        ts: ids of the targets, of the same length.
        batch_size: N.
        time_size: T.

    Raises:
        DataError: fewer than N * T pairs.
        InputError: sizes below 1, or xs and ts are not lists of ids of equal length.
    """

    def __init__(self, xs: Ids, ts: Ids, batch_size: int, time_size: int) -> None:
        self.xs, self.ts = (tokens_of(name, ids).within(-1, HIGH) for name, ids in (("xs", xs), ("ts", ts)))
        if len(self.xs) != len(self.ts):
            raise InputError(f"xs and ts must be of one length, got {len(self.xs)} and {len(self.ts)}")
        batch_size, time_size = size("batch_size", batch_size), size("time_size", time_size)
        if len(self.xs) < batch_size * time_size:
            raise DataError(
                f"the corpus is too short: one window of batch_size {batch_size} x time_size {time_size} needs "
                f"{batch_size * time_size} pairs of words, it has {len(self.xs)}; take smaller sizes or more text"
            )
        self.batch_size, self.time_size = batch_size, time_size

    def __len__(self) -> int:
        """Windows in an epoch."""
        return len(self.xs) // self.size

    def __repr__(self) -> str:
        shape = f"({self.batch_size}, {self.time_size})"
        return f"<{type(self).__name__} of {len(self.xs):,} tokens: {len(self):,} windows {shape} in an epoch>"

    @property
    def size(self) -> int:
        """N * T."""
        return self.batch_size * self.time_size

    def expect_words(self, vocab_size: int) -> None:
        """Check that inputs are in [0, vocab_size) and targets in [-1, vocab_size); ids in a file when they are read.

        Raises:
            InputError: they are not.
        """
        self.xs, self.ts = self.xs.within(0, vocab_size), self.ts.within(-1, vocab_size)

    def window(self, number: int) -> "tuple[Array, Array]":
        """Return inputs and targets (N, T) of window `number`, from 0: int32 views of time-major memory.

        Ids in memory give arrays of the backend, ids in a file arrays on the host.

        Raises:
            DataError: an id read from a file is outside [-1, 2**31), or outside what `expect_words` has set.
        """
        begin, length = self.span(number)
        shape, jump = (length, self.batch_size), len(self.xs) // self.batch_size
        xs, ts = self.xs.window(jump, begin, shape), self.ts.window(jump, begin, shape)
        if number % KEPT == 0:
            self.xs.release()
            self.ts.release()
        return xs.T, ts.T

    def span(self, number: int) -> tuple[int, int]:
        """Return the start of window `number` within a row, and its length."""
        return number * self.time_size, self.time_size

    def weight(self, number: int) -> int:
        """Return the number of time steps of a window; if targets are ignored, that of the others in all rows."""
        begin, length = self.span(number)
        if not self._some_ignored:
            return length
        jump = len(self.ts) // self.batch_size
        if isinstance(self.ts, InMemory):
            rows = np.arange(self.batch_size)[:, None] * jump + np.arange(begin, begin + length)
            return int((self.ts.ids[rows % len(self.ts)] != self.ignored).sum())
        return int((self.ts.window(jump, begin, (length, self.batch_size)) != self.ignored).sum())

    def ignore(self, label: int) -> None:
        """Leave targets with this label out of the weights.

        Raises:
            InputError: all targets in memory have it.
        """
        if isinstance(self.ts, InMemory) and (self.ts.ids == label).all():
            raise InputError(f"ts must have a target that counts, and all are {label}, the ignored label")
        super().ignore(label)
        self.__dict__.pop("_some_ignored", None)

    @once
    def _some_ignored(self) -> bool:
        """Whether a target may be ignored: of a file, all of which is not read at once, if its dtype can hold it."""
        if isinstance(self.ts, InMemory):
            return bool((self.ts.ids == self.ignored).any())
        return self.ignored >= 0 or self.ts.dtype.kind == "i"

    def identity(self) -> dict[str, int | str]:
        """Return what identifies these windows: sizes, and digests of the ids."""
        numbers = {"tokens": len(self.xs), "batch_size": self.batch_size, "time_size": self.time_size}
        return {**numbers, **self._digests}

    @once
    def _digests(self) -> dict[str, str]:
        return {"inputs": self.xs.digest(), "targets": self.ts.digest()}


class RandomBatches(Batches):
    """Windows of random lengths, so that back-propagation is truncated at other places in every epoch.

    A length is drawn from a normal distribution with mean T (T / 2 in one window of 20) and standard deviation 5, and
    is at least 5. It is a pure function of seed, stream and the window's number. An epoch has the number of windows
    that covers the corpus once on average.

    Source: Merity, Keskar and Socher, Regularizing and optimizing LSTM language models, ICLR 2018, section 3.

    Args:
        xs, ts, batch_size: as in `Batches`.
        time_size: T, at least 10.
        seed: seed of the lengths.
        lap: number of an independent sequence of lengths for the same seed.
    """

    def __init__(self, xs: Ids, ts: Ids, batch_size: int, time_size: int, seed: int = 0, lap: int = 0) -> None:
        super().__init__(xs, ts, batch_size, whole_number("time_size of random windows", time_size, 2 * SHORTEST))
        self.seed, self.lap = whole_number("seed", seed, 0, 2**64), whole_number("lap", lap, 0, 2**64)
        self._begins = [0]  # starts of windows, computed on demand
        self._mean = sum(self.span(SAMPLE - 1)) / SAMPLE

    def __len__(self) -> int:
        """Return the average number of windows in an epoch."""
        return max(1, round(len(self.xs) / self.batch_size / self._mean))

    def span(self, number: int) -> tuple[int, int]:
        """Return the start of window `number` within a row, and its length."""
        while len(self._begins) <= number + 1:
            self._begins.append(self._begins[-1] + self._length(len(self._begins) - 1))
        return self._begins[number], self._begins[number + 1] - self._begins[number]

    def scaled(self, lr: float, number: int) -> float:
        """Return the learning rate in proportion to the window's length."""
        length = self.span(number)[1]
        return lr if length == self.time_size else lr * length / self.time_size

    def identity(self) -> dict[str, int | str]:
        """Return what identifies these windows, the random stream included."""
        return {**super().identity(), "seed": self.seed, "stream": self.lap}  # its name in checkpoints

    def _length(self, number: int) -> int:
        rng = stream(self.seed, "window lengths", number, lap=self.lap)
        mean = self.time_size if rng.random() < 0.95 else self.time_size / 2
        return min(max(SHORTEST, int(rng.normal(mean, 5))), len(self.xs) // self.batch_size)


def make_batches(
    xs: "Ids | Sentences",
    ts: Ids | None,
    batch_size: int,
    time_size: int,
    random_bptt: bool = False,
    seed: int = 0,
    lap: int = 0,
) -> Windows:
    """Return `SentenceBatches` for `Sentences`, which have targets of their own; for one text `RandomBatches` if
    `random_bptt`, else `Batches`. Without `ts` each id's target is the next one. Arguments and errors are theirs."""
    flag("random_bptt", random_bptt)
    whole_number("seed", seed, 0, 2**64)
    if isinstance(xs, Sentences):
        if ts is not None or random_bptt:
            raise InputError("sentences have targets of their own and whole lines: leave out ts and random_bptt")
        return SentenceBatches(xs, batch_size, time_size, seed, lap)
    inputs: Ids = xs
    if ts is None:
        corpus = tokens_of("xs", xs)
        if len(corpus) < 2:
            raise DataError(f"xs must have two ids at least, an input and its target, got {len(corpus)}")
        inputs, ts = corpus[:-1], corpus[1:]
    if random_bptt:
        return RandomBatches(inputs, ts, batch_size, time_size, seed, lap)
    return Batches(inputs, ts, batch_size, time_size)
