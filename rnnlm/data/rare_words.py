"""Reading words that occur once in a text as `<unk>` in some epochs, so that a model learns how likely an unknown word
is and what follows it.

With a vocabulary built from the text itself, `<unk>` never occurs in it: a model would learn that there are no unknown
words, and give the first one a probability near zero.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnlm.checks import instance_of, share, whole_number
from rnnlm.data.vocabulary import UNK, Vocabulary
from rnnlm.data.windows import Windows
from rnnlm.errors import InputError
from rnnlm.randomness import stream

__all__ = ["RareUnknown", "rare_words", "words_of_training"]


def words_of_training(
    train: NDArray[np.integer], held_out: list[NDArray[np.integer]], words: Vocabulary
) -> tuple[list[NDArray[np.int32]], Vocabulary]:
    """Reduce a vocabulary to the words of the train part; the other words of the held-out parts become unknown.

    Args:
        train: ids (tokens,) of the train part.
        held_out: ids of the other parts.
        words: vocabulary of the whole text, with `<unk>`.

    Returns:
        parts: the ids of all parts in the reduced vocabulary.
        words: the reduced vocabulary, in the same order.
    """
    kept = np.bincount(train, minlength=len(words)) > 0
    special = [i for i in (words.unk_id, words.eos_id) if i is not None]
    kept[special] = True
    numbers = np.cumsum(kept) - 1
    table = np.where(kept, numbers, numbers[words.unk_id or 0]).astype(np.int32)
    left = Vocabulary([word for word, keep in zip(words.words, kept) if keep], words.reading)
    return [table[part] for part in (train, *held_out)], left


def rare_words(train: NDArray[np.integer], words: Vocabulary) -> NDArray[np.intp]:
    """Return the ids of the words that occur once in a text, except `<unk>` and `<eos>`."""
    once = np.bincount(train, minlength=len(words)) == 1
    once[[i for i in (words.unk_id, words.eos_id) if i is not None]] = False
    return np.flatnonzero(once)


class RareUnknown(Windows):
    """Windows of a stream in which a random choice of the rare words reads as `<unk>`, another one in each epoch.

    Within an epoch a word is replaced everywhere, as input and as target. The choice is a pure function of seed and
    epoch.

    Args:
        windows: windows of a stream.
        rare: ids of the rare words.
        words: the vocabulary.
        rate: fraction of the rare words that become `<unk>` in an epoch.
        seed: seed of the choice.

    Raises:
        InputError: a vocabulary without `<unk>`, or a rate outside [0, 1).
    """

    def __init__(self, windows: Windows, rare: NDArray[np.intp], words: Vocabulary, rate: float, seed: int) -> None:
        if words.unk_id is None:
            raise InputError(f"words must have {UNK} for rare ones to be read as that")
        self.windows, self.rare = instance_of("windows", windows, Windows), rare
        self.unk_id, self.vocab_size = words.unk_id, len(words)
        self.rate, self.seed = share("rate", rate), whole_number("seed", seed, 0, 2**64)
        self._epoch, self._table = -1, None  # current epoch, and its table on the backend

    def __len__(self) -> int:
        """Windows in an epoch."""
        return len(self.windows)

    @property
    def size(self) -> int:
        """Tokens of a window."""
        return self.windows.size

    def expect_words(self, vocab_size: int) -> None:
        """Check ids, as the wrapped windows do."""
        self.windows.expect_words(vocab_size)

    def window(self, number: int) -> tuple[Any, Any]:
        """Return inputs and targets (N, T) of a wrapped window, rare words replaced; views of time-major memory."""
        xs, ts = self.windows.window(number)
        table = self._words_of(number // len(self.windows))
        return table[xs.T].T, table[ts.T].T

    def _words_of(self, epoch: int) -> Any:
        """Return `table` of an epoch as an array of the backend."""
        from rnnlm.backend import ops  # imported only for windows

        if epoch != self._epoch:
            self._epoch, self._table = epoch, ops.asarray(self.table(epoch))
        return self._table

    def table(self, epoch: int) -> NDArray[np.int32]:
        """Return the id that each word reads as in an epoch, (V + 1,); the last one is that of -1."""
        found = np.append(np.arange(self.vocab_size, dtype=np.int32), np.int32(-1))
        unknown = stream(self.seed, "rare words", epoch).random(len(self.rare)) < self.rate
        found[self.rare[unknown]] = self.unk_id
        return found

    def weight(self, number: int) -> int:
        """Return the weight of the wrapped window."""
        return self.windows.weight(number)

    def ignore(self, label: int) -> None:
        """Leave targets with this label out of the weights, as the wrapped windows do."""
        self.windows.ignore(label)

    def fresh(self, number: int) -> bool:
        """Return `fresh` of the wrapped windows."""
        return self.windows.fresh(number)

    def scaled(self, lr: float, number: int) -> float:
        """Return `scaled` of the wrapped windows."""
        return self.windows.scaled(lr, number)

    def identity(self) -> dict[str, Any]:
        """Return what identifies these windows: that of the wrapped ones, rate and seed."""
        return {**self.windows.identity(), "unk_rate": self.rate, "unk_seed": self.seed}
