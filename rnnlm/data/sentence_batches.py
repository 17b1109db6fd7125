"""Windows of sentences, batched with others of similar length, in a new random order in each epoch."""

import numpy as np
from numpy.typing import NDArray

from rnnlm.checks import instance_of, whole_number
from rnnlm.concurrency import once
from rnnlm.data.sentences import Sentences, groups, side_by_side
from rnnlm.data.windows import Windows
from rnnlm.randomness import stream

__all__ = ["SentenceBatches"]

Ids = NDArray[np.int32]


class SentenceBatches(Windows):
    """Windows of lines that are sequences of their own: each begins with a zero state and predicts its `<eos>`.

    Lines of similar length are batched: as many as have, with padding, at most batch_size * time_size tokens, and at
    least batch_size lines if enough are similar, so that a window has about as much work as one of a stream. Lines
    longer than time_size are split into several windows, with the state carried over. Each epoch has every line once;
    which lines of equal length come together, and the order of the batches, are drawn anew.

    Args:
        sentences: the lines.
        batch_size: smallest number of lines in a batch, if so many are similar.
        time_size: T, the largest number of time steps of a window.
        seed: seed of the orders.
        lap: number of an independent sequence of orders for the same seed.
    """

    def __init__(self, sentences: Sentences, batch_size: int, time_size: int, seed: int = 0, lap: int = 0) -> None:
        self.sentences, self.lap = instance_of("sentences", sentences, Sentences), whole_number("lap", lap, 0, 2**64)
        self.batch_size = whole_number("batch_size", batch_size, 1)
        self.time_size = whole_number("time_size", time_size, 1)
        self.seed = whole_number("seed", seed, 0, 2**64)
        rising = np.sort(sentences.lengths)
        self._groups = groups(rising, self.batch_size * self.time_size, self.batch_size)  # the same in each epoch
        self._pieces = [-(-int(rising[end - 1]) // self.time_size) for _, end in self._groups]
        self._plan: tuple[int, NDArray[np.int64], list[tuple[int, int]]] | None = None
        self._group: tuple[tuple[int, int], Ids, Ids] | None = None  # (epoch, group), its inputs and its targets

    def __len__(self) -> int:
        """Windows in an epoch."""
        return sum(self._pieces)

    @property
    def size(self) -> int:
        """Tokens of a window, on average."""
        return max(1, round(self.sentences.tokens / len(self)))

    def expect_words(self, vocab_size: int) -> None:
        """Check that ids are in [0, vocab_size)."""
        self.sentences.within(vocab_size)

    def window(self, number: int) -> tuple[Ids, Ids]:
        """Return inputs and targets (N, T) of window `number`, from 0, on the host; padding has target -1."""
        _, group, piece = self._place(number)
        xs, ts = self._side_by_side(number // len(self), group)
        steps = -(-xs.shape[1] // self._pieces[group])
        part = slice(piece * steps, (piece + 1) * steps)
        return xs[:, part], ts[:, part]

    def weight(self, number: int) -> int:
        """Return the number of targets that are neither padding nor ignored."""
        ts = self.window(number)[1]
        return int(((ts >= 0) & (ts != self.ignored)).sum())

    def fresh(self, number: int) -> bool:
        """Whether the window is the first one of its lines."""
        return self._place(number)[2] == 0

    def identity(self) -> dict[str, int | str]:
        """Return what identifies these windows: sizes, seed, and a digest of the ids."""
        lines: dict[str, int | str] = {
            "lines": len(self.sentences),
            "tokens": self.sentences.tokens,
            "ids": self._digest,
        }
        sizes = {"batch_size": self.batch_size, "time_size": self.time_size}
        return {**lines, **sizes, "seed": self.seed, "lap": self.lap}

    @once
    def _digest(self) -> str:
        return self.sentences.ids.digest()

    def _place(self, number: int) -> tuple[NDArray[np.int64], int, int]:
        """Return the lines of an epoch in order, and the group and piece that make up a window."""
        epoch, place = divmod(number, len(self))
        if self._plan is None or self._plan[0] != epoch:
            rng = stream(self.seed, "order of samples", epoch, part=1, lap=self.lap)
            drawn = rng.permutation(len(self.sentences))
            order = drawn[self.sentences.lengths[drawn].argsort(kind="stable")]
            turns = rng.permutation(len(self._groups)).tolist()
            self._plan = epoch, order, [(group, k) for group in turns for k in range(self._pieces[group])]
        return self._plan[1], *self._plan[2][place]

    def _side_by_side(self, epoch: int, group: int) -> tuple[Ids, Ids]:
        """Return inputs and targets of all lines of a group."""
        if self._group is None or self._group[0] != (epoch, group):
            order, (begin, end) = self._place(epoch * len(self))[0], self._groups[group]
            lines = [self.sentences[number] for number in order[begin:end].tolist()]
            self._group = ((epoch, group), *side_by_side(lines))
            self.sentences.ids.release()
        return self._group[1:]
