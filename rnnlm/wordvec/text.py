"""From short texts to ids, and to contexts and targets for word2vec.

Names, shapes and results are those of Deep Learning from Scratch 2, chapters 2 to 4.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rnnlm.checks import array_of, size, text as string
from rnnlm.data.ids import expect_words
from rnnlm.data.sources import tokens_of
from rnnlm.errors import DataError, InputError

__all__ = ["convert_one_hot", "create_contexts_target", "preprocess"]


def preprocess(text: str) -> tuple[NDArray[np.int64], dict[str, int], dict[int, str]]:
    """Convert a text to ids of its lower-case words, in the order of first appearance; full stops are words.

    Returns:
        corpus: (tokens,) ids.
        word_to_id, id_to_word: the vocabulary.

    Raises:
        DataError: the text has no word.
    """
    words = string("text", text).lower().replace(".", " .").split()
    if not words:
        raise DataError("text must have at least one word, got none")
    word_to_id: dict[str, int] = {}
    for word in words:
        word_to_id.setdefault(word, len(word_to_id))
    corpus = np.array([word_to_id[word] for word in words])
    return corpus, word_to_id, {i: word for word, i in word_to_id.items()}


def create_contexts_target(corpus: ArrayLike, window_size: int = 1) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return all words with `window_size` words on each side as targets, with these as contexts.

    Args:
        corpus: ids (tokens,).
        window_size: number of words on each side.

    Returns:
        contexts: (M, 2 window_size) ids, those before the target first.
        target: (M,) ids, M = tokens - 2 window_size.

    Raises:
        InputError: a window of 0, or too long for the text.
    """
    ids = np.asarray(tokens_of("corpus", corpus))
    window_size = expect_window(window_size, len(ids))
    target = ids[window_size : len(ids) - window_size]
    offsets = [k for k in range(-window_size, window_size + 1) if k]
    contexts = [ids[window_size + k : len(ids) - window_size + k] for k in offsets]
    return np.stack(contexts, axis=1).astype(np.int64), target.astype(np.int64)


def convert_one_hot(corpus: ArrayLike, vocab_size: int) -> NDArray[np.int32]:
    """Convert ids (M,) or (M, C) to one-hot rows (M, V) or (M, C, V).

    Raises:
        InputError: ids outside [0, vocab_size).
    """
    ids = array_of("corpus", corpus)
    size("vocab_size", vocab_size)
    if ids.ndim not in (1, 2) or ids.dtype.kind not in "iu":
        raise InputError(f"corpus must be ids (M,) or (M, C), got {ids.dtype} of shape {ids.shape}")
    expect_words("corpus", ids, vocab_size)
    return (ids[..., None] == np.arange(vocab_size)).astype(np.int32)


def expect_window(window_size: int, tokens: int) -> int:
    """Check that a text has a word with `window_size` words on each side; returns `window_size`.

    Raises:
        InputError: it has none, or the window is below 1.
    """
    window_size = size("window_size", window_size)
    if tokens <= 2 * window_size:
        raise InputError(
            f"window_size must be less than half the {tokens} words of the corpus, got {window_size}: take a smaller "
            "one"
        )
    return window_size
