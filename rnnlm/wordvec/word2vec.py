"""word2vec: word vectors trained to predict nearby words, with the full softmax or negative sampling.

CBOW predicts a word from the mean of its context's vectors, skip-gram the context from the word's own vector.

    CBOW       h = 1/C sum of W_in[c] over the context      L = -1/N sum log P(target | h)
    skip-gram  h = W_in[target]                             L = -1/N sum over n and its context log P(c | h)

The `Simple` models compute P by a softmax over all words, for small vocabularies. The others classify the right word
and a few sampled ones as right or wrong (`NegativeSamplingLoss`).

Sources: Mikolov, Chen, Corrado and Dean, Efficient estimation of word representations in vector space, 2013, and
Distributed representations of words and phrases and their compositionality, NIPS 2013. Names and shapes are those of
Deep Learning from Scratch 2, chapters 3 and 4.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnlm.backend import Array, ops, xp
from rnnlm.checks import array_of, size
from rnnlm.errors import InputError
from rnnlm.layers.affine import MatMul
from rnnlm.layers.base import Layer
from rnnlm.layers.embedding import Embedding
from rnnlm.layers.heads.base import Head
from rnnlm.layers.heads.each import EachTarget
from rnnlm.layers.heads.negative_sampling import NegativeSamplingLoss
from rnnlm.layers.heads.softmax import SoftmaxWithLoss
from rnnlm.layers.mean import MeanOverTime
from rnnlm.models.ids import checked_ids
from rnnlm.models.sequential import Sequential
from rnnlm.models.stacked import Stacked
from rnnlm.randomness import stream

__all__ = ["CBOW", "SimpleCBOW", "SimpleSkipGram", "SkipGram"]


class Word2vec(Stacked):
    """Base class of the four models: word vectors and a loss on them.

    A subclass passes the layers after the vectors and the head.

    Args:
        vocab_size: V, at least 2.
        hidden_size: H, length of the vectors.
        seed: seed of the initial weights, normal with the book's standard deviation of 0.01.
    """

    window_size: int | None = None  # words on each side of a target; None for any
    skip_gram = False  # whether the contexts are predicted from the target, not the target from them

    def __init__(self, vocab_size: int, hidden_size: int, layers: list[Layer], head: Head, seed: int) -> None:
        self.vocab_size, self.hidden_size = size("vocab_size", vocab_size, 2), size("hidden_size", hidden_size)
        W = drawn(seed, 0, vocab_size, hidden_size)
        self.set_stack(Sequential([Embedding(W), *layers], head, seed=seed))

    @property
    def word_vecs(self) -> NDArray[Any]:
        """The word vectors, (V, H), of the input side: a copy on the host."""
        return ops.asnumpy(self.params[0]).copy()

    def forward(self, contexts: Any, target: Any) -> Array:
        """Return the loss.

        Args:
            contexts: ids (N, C) of the words around each target, or one-hot (N, C, V).
            target: ids (N,), or one-hot (N, V).
        """
        around, ids = self._ids("contexts", contexts, 2), self._ids("target", target, 1)
        if len(around) != len(ids):
            raise InputError(f"contexts and target must be of one length, got {len(around)} and {len(ids)}")
        if self.window_size is not None and around.shape[1] != 2 * self.window_size:
            raise InputError(
                f"contexts must be {2 * self.window_size} words of each target, as window_size is {self.window_size}, "
                f"got {around.shape[1]}"
            )
        return self.stack.loss(ids, around) if self.skip_gram else self.stack.loss(around, ids)

    def _ids(self, name: str, given: Any, ndim: int) -> Array:
        """Return checked ids from ids or one-hot rows."""
        if not isinstance(given, xp.ndarray) or isinstance(given, np.ndarray):
            given = array_of(name, given)
        if given.ndim == ndim + 1:
            if given.shape[-1] != self.vocab_size:
                raise InputError(f"one-hot {name} must have {self.vocab_size} columns, got shape {given.shape}")
            if isinstance(given, np.ndarray) and ((given != 0).sum(axis=-1) != 1).any():
                raise InputError(f"one-hot {name} must have one entry in each row that is not 0")
            given = given.argmax(axis=-1)
        if given.ndim != ndim:
            raise InputError(f"{name} must be ids {'(N, C)' if ndim == 2 else '(N,)'}, or one-hot, got {given.shape}")
        if ndim == 2:
            return checked_ids(name, given, self.vocab_size)
        return checked_ids(name, given[:, None], self.vocab_size)[:, 0]


def drawn(seed: int, part: int, vocab_size: int, hidden_size: int, turned: bool = False) -> Array:
    """Return float32 normal weights (V, H), or (H, V) if `turned`, with standard deviation 0.01."""
    shape = size("vocab_size", vocab_size, 2), size("hidden_size", hidden_size)
    normal = stream(seed, "initial weights", part=part).standard_normal(shape[::-1] if turned else shape)
    return ops.asarray(0.01 * normal, "float32")


class SimpleCBOW(Word2vec):
    """CBOW with the full softmax: predicts a word from the mean of its context's vectors.

    Args:
        vocab_size: V.
        hidden_size: H.
        seed: seed of the initial weights.
    """

    def __init__(self, vocab_size: int, hidden_size: int, seed: int = 0) -> None:
        output = MatMul(drawn(seed, 1, vocab_size, hidden_size, turned=True))
        super().__init__(vocab_size, hidden_size, [MeanOverTime(), output], SoftmaxWithLoss(), seed)


class SimpleSkipGram(Word2vec):
    """Skip-gram with the full softmax: predicts the context from a word's vector. Arguments as of `SimpleCBOW`."""

    skip_gram = True

    def __init__(self, vocab_size: int, hidden_size: int, seed: int = 0) -> None:
        output = MatMul(drawn(seed, 1, vocab_size, hidden_size, turned=True))
        super().__init__(vocab_size, hidden_size, [output], EachTarget(SoftmaxWithLoss()), seed)


class CBOW(Word2vec):
    """CBOW with negative sampling: predicts a word from the mean of its context's vectors.

    Args:
        vocab_size: V.
        hidden_size: H.
        window_size: number of words on each side of a target.
        corpus: ids (tokens,); negative samples are drawn in proportion to their counts to the power 0.75.
        sample_size: number of negative samples for each target.
        seed: seed of the initial weights and the negative samples.
    """

    def __init__(
        self, vocab_size: int, hidden_size: int, window_size: int, corpus: Any, sample_size: int = 5, seed: int = 0
    ) -> None:
        self.window_size = size("window_size", window_size)
        head = NegativeSamplingLoss(drawn(seed, 1, vocab_size, hidden_size), corpus, 0.75, sample_size, seed)
        super().__init__(vocab_size, hidden_size, [MeanOverTime()], head, seed)


class SkipGram(Word2vec):
    """Skip-gram with negative sampling: predicts the context from a word's vector. Arguments are those of `CBOW`."""

    skip_gram = True

    def __init__(
        self, vocab_size: int, hidden_size: int, window_size: int, corpus: Any, sample_size: int = 5, seed: int = 0
    ) -> None:
        self.window_size = size("window_size", window_size)
        head = NegativeSamplingLoss(drawn(seed, 1, vocab_size, hidden_size), corpus, 0.75, sample_size, seed)
        super().__init__(vocab_size, hidden_size, [], EachTarget(head), seed)
