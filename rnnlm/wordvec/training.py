"""Fast word2vec on a whole text: blocks of words, shared negative samples, and updates of only the rows used.

The loss is that of `SkipGram` and `CBOW` except for the negative samples: instead of its own ones, each pair of words
uses all that were drawn for the block, with weights that sum to the same number, so that they need only one matrix
product. In CBOW each context vector takes the whole gradient of the mean, not its share of it, as in word2vec's own
program; the class `CBOW` divides it.

Source: Ji, Satish, Li and Dubey, Parallelizing word2vec in shared and distributed memory, 2016 (shared negatives).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from rnnlm.backend import Array, ops, xp
from rnnlm.cells.sigmoid import sigmoid_
from rnnlm.checks import function, size
from rnnlm.data.sources import tokens_of
from rnnlm.layers.embedding import add_rows
from rnnlm.layers.functions import sigmoid
from rnnlm.randomness import stream
from rnnlm.wordvec.options import Word2vecOptions, expect_options
from rnnlm.wordvec.text import expect_window

__all__ = ["train_word2vec"]

LOWEST = 1e-4  # fraction of the first learning rate at the end


def train_word2vec(
    corpus: Any,
    vocab_size: int,
    method: Literal["skip-gram", "cbow"] = "skip-gram",
    options: Word2vecOptions | None = None,
    advance: Callable[[int], object] | None = None,
) -> NDArray[np.float32]:
    """Train word vectors on a text.

    Args:
        corpus: ids (tokens,).
        vocab_size: V.
        method: 'skip-gram' (a word predicts its context) or 'cbow' (the context predicts the word).
        options: training options (default: `Word2vecOptions()`).
        advance: called with the number of words of each block after its step.

    Returns:
        vectors: (V, size) input vectors; words that are not in the text keep their random initial vectors.

    Raises:
        InputError: an option out of range, a window longer than the text, or ids outside the vocabulary.
    """
    options = expect_options(method, Word2vecOptions() if options is None else options)
    V = size("vocab_size", vocab_size, 2)
    if advance is not None:
        function("advance", advance)
    ids = np.asarray(tokens_of("corpus", corpus).within(0, V)).astype(np.int64)
    if options.window >= len(ids):
        expect_window(options.window, len(ids))
    counts = np.bincount(ids, minlength=V)
    vectors = _Vectors(V, method, options, counts)
    total, done = options.epochs * len(ids), 0.0
    with ops.one_blas_thread:
        for epoch in range(options.epochs):
            kept = _subsampled(ids, counts, options, epoch)
            share = len(ids) / max(len(kept), 1)
            for begin in range(0, len(kept), options.block):
                lr = options.lr * max(1 - done / total, LOWEST)
                words = min(options.block, len(kept) - begin)
                vectors.learn(kept, begin, words, lr)
                done += words * share
                if advance is not None:
                    advance(round(words * share))
    return ops.asnumpy(vectors.W_in).copy()


def _subsampled(ids: NDArray[np.int64], counts: NDArray[np.int64], o: Word2vecOptions, epoch: int) -> NDArray[np.int64]:
    """Return the text with some occurrences of frequent words left out at random.

    A word with share f of the text is kept with probability min(1, sqrt(s / f) + s / f), s = subsample, as in the
    original word2vec program.
    """
    if not o.subsample:
        return ids
    ratio = o.subsample * len(ids) / np.maximum(counts, 1)
    kept = stream(o.seed, "word vectors", epoch, part=0).random(len(ids)) < (np.sqrt(ratio) + ratio)[ids]
    return ids[kept]


class _Vectors:
    """Input and output vectors, and a training step on a block of a text."""

    def __init__(self, V: int, method: str, options: Word2vecOptions, counts: NDArray[np.int64]) -> None:
        self.skip_gram, self.options, self.steps = method == "skip-gram", options, 0
        start = stream(options.seed, "initial weights").uniform(-0.5, 0.5, (V, options.size)) / options.size
        self.W_in, self.W_out = ops.asarray(start, "float32"), xp.zeros((V, options.size), "float32")
        self.ends = (counts**0.75).cumsum()
        self.offsets = np.array([k for k in range(-options.window, options.window + 1) if k])

    def learn(self, text: NDArray[np.int64], begin: int, words: int, lr: float) -> None:
        """Make a step of stochastic gradient descent on `words` words from `begin` on.

        All pairs of the block take their gradient at the same vectors. To prevent overshooting of words that occur in
        very many pairs, the learning rates of a word's pairs sum to at most 1.
        """
        o, V = self.options, len(self.W_in)
        rng = stream(o.seed, "word vectors", self.steps, part=1)
        self.steps += 1
        place = np.arange(begin, begin + words)
        at = place[:, None] + self.offsets
        near = np.abs(self.offsets) <= rng.integers(1, o.window + 1, (words, 1))
        near &= (at >= 0) & (at < len(text))
        drawn = np.minimum(np.searchsorted(self.ends, rng.random(o.block) * self.ends[-1], side="right"), V - 1)
        if not near.any():
            return  # no word has any context: little of the text was kept
        center, around, which = text[place], text[at[near]], np.nonzero(near)[0]
        pairs = near.sum(axis=1, keepdims=True)
        inputs, outputs = (center, around) if self.skip_gram else (around, center)
        told = pairs if self.skip_gram else np.minimum(pairs, 1)  # targets of each of the B words
        share = o.negative * told.sum() / o.block  # negative targets for each word drawn
        each = (1 + o.negative) * (told[:, 0] if self.skip_gram else np.ones(len(inputs)))
        of_inputs = np.bincount(inputs, each, V)
        of_outputs = np.bincount(outputs, minlength=V) + share * np.bincount(drawn, minlength=V)
        rates = (np.minimum(lr, 1 / np.maximum(many, 1))[:, None] for many in (of_inputs, of_outputs))
        ids = map(ops.asarray, (center, around, which, drawn))
        batch = _Block(*ids, *(ops.asarray(numbers, "float32") for numbers in (pairs, told, *rates)))
        (self._skip_gram if self.skip_gram else self._cbow)(batch)

    def _skip_gram(self, b: "_Block") -> None:
        """Step with h = W_in[center], scored against W_out of each context word and of all negative samples."""
        h = xp.take(self.W_in, b.center, axis=0)
        rows, right = xp.take(h, b.which, axis=0), xp.take(self.W_out, b.around, axis=0)
        g = (1 - sigmoid(xp.einsum("pd,pd->p", right, rows)))[:, None]  # negative gradient by the score of a pair
        right *= g
        dh = self._against(h, b)
        add_rows(dh, b.which, right)
        rows *= g * b.rate_out[b.around]
        add_rows(self.W_out, b.around, rows)
        dh *= b.rate_in[b.center]
        add_rows(self.W_in, b.center, dh)

    def _cbow(self, b: "_Block") -> None:
        """Step with h = mean of W_in of the context, scored against W_out of the word and of all negative samples."""
        h, right = xp.zeros((len(b.center), self.W_in.shape[1]), "float32"), xp.take(self.W_out, b.center, axis=0)
        add_rows(h, b.which, xp.take(self.W_in, b.around, axis=0))
        h /= xp.maximum(b.pairs, 1)
        g = b.told * (1 - sigmoid(xp.einsum("bd,bd->b", right, h)))[:, None]
        dh = self._against(h, b)
        dh += g * right
        add_rows(self.W_out, b.center, g * h * b.rate_out[b.center])
        add_rows(self.W_in, b.around, xp.take(dh, b.which, axis=0) * b.rate_in[b.around])

    def _against(self, h: Array, b: "_Block") -> Array:
        """Update the vectors of the negative samples; returns their negative gradient by h, (B, D).

        Each of the S samples counts as negative / S of one for every target of h.
        """
        vectors = xp.take(self.W_out, b.drawn, axis=0)
        g, dh, of_words = xp.empty((len(h), len(b.drawn)), h.dtype), xp.empty_like(h), xp.empty_like(vectors)
        ops.matmul(h, vectors.T, out=g)
        sigmoid_(g)
        g *= (-self.options.negative / len(b.drawn)) * b.told
        ops.matmul(g, vectors, out=dh)
        ops.matmul(g.T, h, out=of_words)
        add_rows(self.W_out, b.drawn, of_words * b.rate_out[b.drawn])
        return dh


@dataclass(frozen=True)
class _Block:
    """A block of words of a text with what a training step needs.

    Attributes:
        center: (B,) words.
        around: (P,) their context words.
        which: (P,) index of the word in `center` that each belongs to.
        drawn: (S,) negative samples.
        pairs: (B, 1) number of context words of each word.
        told: (B, 1) number of targets that each h predicts.
        rate_in, rate_out: (V, 1) learning rates of the vectors.
    """

    center: Array
    around: Array
    which: Array
    drawn: Array
    pairs: Array
    told: Array
    rate_in: Array
    rate_out: Array
