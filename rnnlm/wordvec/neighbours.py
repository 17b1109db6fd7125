"""Similarity of words: cosines of word vectors, nearest words, analogies."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnlm.checks import array_of, did_you_mean, listed, not_negative, shown, text, whole_number
from rnnlm.errors import InputError

__all__ = ["analogy", "cos_similarity", "most_similar", "nearest", "normalize"]

TINY = 1e-300  # divisor in place of a length of 0


def cos_similarity(x: Any, y: Any, eps: float = 1e-8) -> float:
    """Return the cosine of the angle between two vectors (D,); 0 if one of them is zero."""
    x, y = array_of("x", x).astype(np.float64), array_of("y", y).astype(np.float64)
    not_negative("eps", eps)
    if x.shape != y.shape or x.ndim != 1:
        raise InputError(f"x and y must be vectors of one length, got shapes {x.shape} and {y.shape}")
    return float(x / max(np.sqrt((x * x).sum()) + eps, TINY) @ (y / max(np.sqrt((y * y).sum()) + eps, TINY)))


def normalize(x: Any) -> NDArray[Any]:
    """Return a vector (D,), or each row of (V, D), divided by its length; zeros stay zeros."""
    x = array_of("x", x)
    if not x.ndim:
        raise InputError(f"x must be a vector (D,) or rows (V, D), got {shown(x)}")
    x = x if x.dtype.kind == "f" else x.astype(np.float64)
    largest = np.abs(x).max(axis=-1, keepdims=True, initial=0)
    scaled = x / np.where(largest > 0, largest, 1)  # whose squares neither overflow nor vanish
    lengths = np.sqrt((scaled * scaled).sum(axis=-1, keepdims=True))
    return scaled / np.where(lengths > 0, lengths, 1)


def nearest(vector: Any, word_matrix: Any, top: int = 5, leave_out: Sequence[int] = ()) -> list[tuple[int, float]]:
    """Return ids and cosines of the `top` words whose vectors have the largest cosines with a vector.

    Equal cosines are sorted by id.

    Args:
        vector: (D,).
        word_matrix: (V, D).
        top: how many; fewer if there are no more.
        leave_out: ids to leave out.
    """
    whole_number("top", top, 1)
    W, x = dense(word_matrix), array_of("vector", vector)
    if x.shape != W.shape[1:]:
        raise InputError(f"vector must be of length {W.shape[1]}, as those of word_matrix, got shape {x.shape}")
    left = {whole_number("each id of leave_out", i, 0) for i in listed("leave_out", leave_out, "ids")}
    cosines = normalize(W) @ normalize(x.astype(W.dtype))
    order = [int(i) for i in np.argsort(-cosines.round(12), kind="stable") if i not in left]
    return [(i, float(cosines[i])) for i in order[:top]]


def most_similar(
    query: str,
    word_to_id: Mapping[str, int],
    id_to_word: Mapping[int, str] | Sequence[str],
    word_matrix: Any,
    top: int = 5,
) -> list[tuple[str, float]]:
    """Return the words whose vectors are most similar to that of `query`, with their cosines.

    Args:
        query: a word.
        word_to_id, id_to_word: the vocabulary.
        word_matrix: (V, D) vectors, or rows of counts.
        top: number of words.

    Raises:
        InputError: the word is not in the vocabulary; the message suggests similar ones.
    """
    place, W = id_of("query", query, word_to_id), dense(word_matrix)
    expect_fit(word_to_id, id_to_word, W)
    return [(id_to_word[i], cosine) for i, cosine in nearest(W[place], W, top, [place])]


def analogy(
    a: str,
    b: str,
    c: str,
    word_to_id: Mapping[str, int],
    id_to_word: Mapping[int, str] | Sequence[str],
    word_matrix: Any,
    top: int = 5,
) -> list[tuple[str, float]]:
    """Return the words that relate to c as b does to a, "a : b = c : ?", with their cosines.

    They are the nearest to vec(b) - vec(a) + vec(c) of normalised vectors, except a, b and c. Source: Mikolov, Yih and
    Zweig, Linguistic regularities in continuous space word representations, NAACL 2013.

    Raises:
        InputError: a word is not in the vocabulary; the message suggests similar ones.
    """
    places = [id_of(name, word, word_to_id) for name, word in (("a", a), ("b", b), ("c", c))]
    W = normalize(dense(word_matrix))
    expect_fit(word_to_id, id_to_word, W)
    one, two, three = (W[i] for i in places)
    return [(id_to_word[i], cosine) for i, cosine in nearest(two - one + three, W, top, places)]


def id_of(name: str, word: str, word_to_id: Mapping[str, int]) -> int:
    """Return the id of a word.

    Raises:
        InputError: it is not in the vocabulary; the message suggests similar words.
    """
    if not isinstance(word_to_id, Mapping):
        raise InputError(f"word_to_id must give the id of a word, got {shown(word_to_id)}")
    if text(name, word) not in word_to_id:
        hint = did_you_mean(word, (known for known in word_to_id if isinstance(known, str)), 3)
        raise InputError(f"{name} must be one of the {len(word_to_id):,} words that have a vector, got {word!r}{hint}")
    return word_to_id[word]


def expect_fit(word_to_id: Mapping[str, int], id_to_word: Any, W: NDArray[Any]) -> None:
    """Check that a matrix has one row for each word.

    Raises:
        InputError: it has not.
    """
    if not isinstance(id_to_word, (Mapping, Sequence)) or isinstance(id_to_word, str):
        raise InputError(f"id_to_word must give the word of an id, got {shown(id_to_word)}")
    for name, words in (("word_to_id", word_to_id), ("id_to_word", id_to_word)):
        if len(words) != len(W):
            raise InputError(
                f"{name} must have a word for each of the {len(W):,} rows of word_matrix, got {len(words):,}"
            )


def dense(matrix: Any) -> NDArray[Any]:
    """Return a matrix, dense or scipy sparse, as an array of floats of at least 32 bits.

    Raises:
        InputError: it is not a matrix of numbers.
    """
    a = array_of("word_matrix", matrix.toarray() if hasattr(matrix, "toarray") else matrix)
    if a.ndim != 2 or not a.size:
        raise InputError(f"word_matrix must be (V, D), got shape {a.shape}")
    return a if a.dtype.kind == "f" and a.dtype.itemsize >= 4 else a.astype(np.float64)
