"""Word vectors as a text file, in the format of word2vec, which gensim, fastText and GloVe's tools read and write.

    10000 100
    the 0.0123 -0.0456 ...
    of 0.0789 ...

The first line has the number of words and the length of a vector; each line after it a word and its vector.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rnnlm.checks import array_of, instance_of, path_of
from rnnlm.data.vocabulary import Vocabulary
from rnnlm.errors import DataError, InputError
from rnnlm.files import atomic_file

__all__ = ["load_vectors", "save_vectors"]


def save_vectors(path: str | os.PathLike[str], words: Vocabulary, vectors: NDArray[np.floating]) -> None:
    """Write words and their vectors; what is at `path` is replaced, as a whole or not at all.

    Args:
        path: the file.
        words: V of them, none of which has white space, as no word of a vocabulary has.
        vectors: (V, D), finite. Nine digits are written, which give every float32 back as it was.

    Raises:
        InputError: another number of words than of vectors, or a vector that is not finite.
    """
    path, vectors = path_of("path", path), array_of("vectors", vectors)
    instance_of("words", words, Vocabulary)
    if vectors.ndim != 2 or len(vectors) != len(words) or not vectors.size:
        raise InputError(f"vectors must be (V, D) for {len(words)} words, got shape {vectors.shape}")
    if not np.isfinite(vectors).all():
        raise InputError("vectors must be finite, got NaN or infinity")
    with atomic_file(path) as file:
        file.write(f"{len(words)} {vectors.shape[1]}\n".encode())
        for word, vector in zip(words.words, vectors):
            file.write(f"{word} {' '.join(f'{x:.9g}' for x in vector.tolist())}\n".encode())


def load_vectors(path: str | os.PathLike[str]) -> tuple[Vocabulary, NDArray[np.float32]]:
    """Words and their vectors (V, D) from a file that word2vec, gensim or `save_vectors` wrote.

    Raises:
        DataError: no such file, or a line that is not what the first one says: a wrong count, a word twice, a number
            that is none or not finite.
    """
    path = path_of("path", path)
    try:
        file = open(path, encoding="utf-8", newline="\n")  # noqa: SIM115  closed below
    except OSError as error:
        raise DataError(f"{path} can't be read: {error.strerror}") from error
    with file:
        try:
            return _read(path, file)
        except UnicodeDecodeError as error:
            raise DataError(f"{path} must be UTF-8, got byte {error.object[error.start]:#x}") from error


def _read(path: Path, lines: Iterator[str]) -> tuple[Vocabulary, NDArray[np.float32]]:
    head = next(lines, "").split()
    if len(head) != 2 or not all(number.isdecimal() for number in head) or 0 in map(int, head):
        raise DataError(f"{path} must begin with two numbers, of words and of a vector's, got {' '.join(head)[:60]!r}")
    V, D = map(int, head)
    if path.stat().st_size < 2 * V * D:  # a number and what parts it from the next one
        raise DataError(
            f"{path} says {V:,} vectors of {D:,} numbers, and has {path.stat().st_size:,} bytes: it is cut short"
        )
    words: dict[str, int] = {}
    vectors = np.empty((V, D), np.float32)
    for number, line in enumerate(lines, 2):
        parts = line.rstrip().split(" ")
        if not line.strip():
            continue
        word, values = parts[0], parts[1:]
        if len(words) == V:
            raise DataError(f"{path}, line {number}: more than the {V:,} words that the first line says")
        if word in words:
            raise DataError(f"{path}, line {number}: {word!r} is there a second time, as in line {words[word]}")
        if len(values) != D:
            raise DataError(f"{path}, line {number}: {word!r} must have {D} numbers, got {len(values)}")
        try:
            with np.errstate(over="ignore"):  # becomes infinite, which is said below
                vectors[len(words)] = values
        except ValueError as error:
            raise DataError(f"{path}, line {number}: {word!r} must have numbers: {error}") from error
        if not np.isfinite(vectors[len(words)]).all():
            raise DataError(f"{path}, line {number}: the vector of {word!r} must be finite, got NaN or infinity")
        words[word] = number
    if len(words) < V:
        raise DataError(
            f"{path} must have the {V:,} words that its first line says, got {len(words):,}: it is cut short"
        )
    return Vocabulary(words), vectors
