"""Words that occur once in a text, read as `<unk>` now and then: a model learns from them how likely a word is that it
does not know, and what follows one.

Where the words are those of the text itself, `<unk>` never occurs in it: a model would learn that there are no unknown
words, and be infinitely surprised by the first one.
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
    """A text in those words alone that its train part has: what else its held-out parts have is unknown to a model.

    Args:
        train: ids (tokens,) of the train part.
        held_out: ids of the other parts.
        words: of the whole text, `<unk>` among them.

    Returns:
        parts: the ids of all parts, numbered anew.
        words: those that are left, in the order that they had.
    """
    kept = np.bincount(train, minlength=len(words)) > 0
    special = [i for i in (words.unk_id, words.eos_id) if i is not None]
    kept[special] = True
    numbers = np.cumsum(kept) - 1
    table = np.where(kept, numbers, numbers[words.unk_id or 0]).astype(np.int32)
    left = Vocabulary([word for word, keep in zip(words.words, kept) if keep], words.reading)
    return [table[part] for part in (train, *held_out)], left


def rare_words(train: NDArray[np.integer], words: Vocabulary) -> NDArray[np.intp]:
    """Ids of the words that occur once in a text, special ones left out."""
    once = np.bincount(train, minlength=len(words)) == 1
    once[[i for i in (words.unk_id, words.eos_id) if i is not None]] = False
    return np.flatnonzero(once)


class RareUnknown(Windows):
    """Windows of a stream in which rare words are `<unk>`, in each epoch other ones.

    As input and as target of the word before, a word is the same thing in an epoch. Which words are unknown then is a
    pure function of seed and epoch.

    Args:
        windows: of a stream.
        rare: ids of the rare words.
        words: all words.
        rate: share of the rare ones that are unknown in an epoch.
        seed: of the choice.

    Raises:
        InputError: words without `<unk>`, or a rate that is no share.
    """

    def __init__(self, windows: Windows, rare: NDArray[np.intp], words: Vocabulary, rate: float, seed: int) -> None:
        if words.unk_id is None:
            raise InputError(f"words must have {UNK} for rare ones to be read as that")
        self.windows, self.rare = instance_of("windows", windows, Windows), rare
        self.unk_id, self.vocab_size = words.unk_id, len(words)
        self.rate, self.seed = share("rate", rate), whole_number("seed", seed, 0, 2**64)
        self._epoch, self._table = -1, None  # the words of an epoch, where the backend computes

    def __len__(self) -> int:
        """Windows in an epoch."""
        return len(self.windows)

    @property
    def size(self) -> int:
        """Tokens of a window."""
        return self.windows.size

    def expect_words(self, vocab_size: int) -> None:
        """Check ids, as the windows do."""
        self.windows.expect_words(vocab_size)

    def window(self, number: int) -> tuple[Any, Any]:
        """Inputs and targets (N, T), views of time-major memory, as the windows have them but for the rare words."""
        xs, ts = self.windows.window(number)
        table = self._words_of(number // len(self.windows))
        return table[xs.T].T, table[ts.T].T

    def _words_of(self, epoch: int) -> Any:
        """What each word is read as in an epoch, (V,), an array of the backend."""
        from rnnlm.backend import ops  # for windows alone

        if epoch != self._epoch:
            self._epoch, self._table = epoch, ops.asarray(self.table(epoch))
        return self._table

    def table(self, epoch: int) -> NDArray[np.int32]:
        """What each word is read as in an epoch, (V,)."""
        found = np.arange(self.vocab_size, dtype=np.int32)
        unknown = stream(self.seed, "rare words", epoch).random(len(self.rare)) < self.rate
        found[self.rare[unknown]] = self.unk_id
        return found

    def weight(self, number: int) -> int:
        """As the windows have it."""
        return self.windows.weight(number)

    def fresh(self, number: int) -> bool:
        """As the windows have it."""
        return self.windows.fresh(number)

    def scaled(self, lr: float, number: int) -> float:
        """As the windows have it."""
        return self.windows.scaled(lr, number)

    def identity(self) -> dict[str, Any]:
        """What says which windows these are, and how many rare words are unknown."""
        return {**self.windows.identity(), "unk_rate": self.rate, "unk_seed": self.seed}
