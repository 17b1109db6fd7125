"""Words that were read, with the hidden states before them: the memory of a neural cache."""

from typing import Any

from rnnlm.backend import Array, ops, xp
from rnnlm.errors import InputError
from rnnlm.inference.predictor import ROWS

__all__ = ["KeptWords"]


class KeptWords:
    """The last words of N texts, each with the hidden state before it.

    `len` is their number, K. The word at the very beginning is not kept, because the state before it is unknown.

    They stand in buffers that are longer, so that a call copies only what is new; when one is full, the last words move
    to the beginning of another.
    """

    def __init__(self) -> None:
        self._states: Any = None  # (N, capacity + 1, H), of which K + 1 are used: the last one has no word yet
        self._words: Any = None  # (N, capacity)
        self._count = 0

    @classmethod
    def of(cls, kept: Any, vocab_size: int) -> "KeptWords | None":
        """Return those of which `copies` gave the states and words; None if they can't be."""
        made = cls()
        if kept is None:
            return made
        if not isinstance(kept, tuple) or [getattr(one, "ndim", None) for one in kept] != [3, 2]:
            return None
        states, words = (ops.asarray(one) for one in kept)
        if states.shape[:2] != (len(words), words.shape[1] + 1) or states.dtype.kind != "f" or words.dtype.kind != "i":
            return None
        if words.size and not 0 <= int(words.min()) <= int(words.max()) < vocab_size:
            return None
        made._states, made._words, made._count = states.copy(), words.copy(), words.shape[1]
        return made

    def copies(self, size: int) -> tuple[Array, Array] | None:
        """Return copies of the last `size` words (N, K) and the states (N, K + 1, H), states first; None for none."""
        if self._states is None:
            return None
        begin = max(0, self._count - size)
        return self._states[:, begin : self._count + 1].copy(), self._words[:, begin : self._count].copy()

    def __len__(self) -> int:
        return self._count

    def add(self, xs: Array, states: Array, size: int) -> None:
        """Add words (N, T) and the states after them (N, T, H); only the last `size` words may be needed from now on,
        besides these.

        Raises:
            InputError: another number of texts, or of hidden units, than before.
        """
        N, T, H = states.shape
        if self._states is None:
            xs = xs[:, 1:]
        elif self._states.shape[::2] != (N, H):
            raise InputError(
                f"the state of a cache must be of {N} texts and {H} hidden units, got {self._states.shape[::2]}"
            )
        if self._states is None or self._count + T > self._words.shape[1]:
            self._move(xs, states, size)
        end = self._count + xs.shape[1]
        self._states[:, end + 1 - T : end + 1] = states
        self._words[:, self._count : end] = xs
        self._count = end

    def _move(self, xs: Array, states: Array, size: int) -> None:
        """Move the last `size` words to new buffers with room for as many more, or at least for the new ones."""
        (N, T, H), kept = states.shape, min(self._count, size)
        capacity = kept + T + min(size, max(kept, ROWS))
        before, begin = (self._states, self._words), self._count - kept
        self._states, self._words = xp.empty((N, capacity + 1, H), states.dtype), xp.empty((N, capacity), xs.dtype)
        if before[0] is not None:
            self._states[:, : kept + 1] = before[0][:, begin : self._count + 1]
            self._words[:, :kept] = before[1][:, begin : self._count]
        self._count = kept

    def predicted(self, states: Array, flatness: float, size: int, later: int = 0) -> tuple[Array, Array, Array]:
        """Return the probabilities of the kept words after states (N, T, H), which were added one after another.

        Args:
            states: the last ones, but for `later` ones that were added after them.
            flatness: factor of their products with the states before the words.
            size: number of words to be predicted after each.

        Returns:
            probs: (N, T, K) probabilities, 0 for words that came later, or more than `size` words before.
            words: (N, K) the words.
            known: (T,) whether any word had been kept by then.
        """
        T = states.shape[1]
        last = self._count - later  # number of words kept after the last of the states
        begin = max(0, last - T + 1 - size)
        ends, number = xp.arange(last - T + 1, last + 1)[:, None] - begin, xp.arange(last - begin)
        words = self._words[:, begin:last]
        if last == begin:
            return xp.zeros((*states.shape[:2], 0), states.dtype), words, ends[:, 0] > 0
        scores = ops.batch_matmul(flatness * states, self._states[:, begin:last].swapaxes(1, 2))
        scores = xp.where((number < ends) & (number >= ends - size), scores, -xp.inf)
        top = scores.max(axis=2, keepdims=True)
        scores -= xp.where(xp.isneginf(top), 0, top)
        probs = xp.exp(scores, out=scores)
        probs /= xp.maximum(probs.sum(axis=2, keepdims=True), 1e-30)
        return probs, words, ends[:, 0] + begin > 0
