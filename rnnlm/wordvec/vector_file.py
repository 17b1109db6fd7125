"""Word vectors as a text file, in the format of word2vec, which gensim, fastText and GloVe's tools read and write.

    10000 100
    the 0.0123 -0.0456 ...
    of 0.0789 ...

The first line has the number of words and the length of the vectors; each further line a word and its vector.
"""

import io
import os
import re
from array import array
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from rnnlm.checks import array_of, instance_of, path_of
from rnnlm.data.vocabulary import Vocabulary
from rnnlm.errors import DataError, InputError
from rnnlm.files import atomic_file
from rnnlm.opening import lines_within, regular_file, size_of

__all__ = ["load_vectors", "save_vectors"]


def save_vectors(path: str | os.PathLike[str], words: Vocabulary, vectors: NDArray[np.floating]) -> None:
    """Save words and their vectors as a text file, atomically, replacing an existing file.

    Args:
        path: the file.
        words: V words, which contain no white space.
        vectors: (V, D), finite; written with nine digits, which are exact for float32.

    Raises:
        InputError: different numbers of words and vectors, or a vector that is not finite.
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
    """Load words and their vectors (V, D) from a file in word2vec's text format.

    Raises:
        DataError: no such file, or a line that contradicts the first one: a wrong count, a duplicate word, or a number
            that is invalid or not finite.
    """
    path = path_of("path", path)
    try:
        opened = regular_file(path, DataError)
    except OSError as error:
        raise DataError(f"{path} can't be read: {error.strerror}") from error
    with io.TextIOWrapper(opened, encoding="utf-8", newline="\n") as file:
        try:
            return _read(path, lines_within(file, path, DataError), size_of(file))
        except UnicodeDecodeError as error:
            raise DataError(f"{path} must be UTF-8, got byte {error.object[error.start]:#x}") from error


def _read(path: str | os.PathLike[str], lines: Iterator[str], size: int) -> tuple[Vocabulary, NDArray[np.float32]]:
    """Parse the lines of a file of `size` bytes."""
    head = next(lines, "").split()
    if len(head) != 2 or not all(re.fullmatch("[0-9]{1,18}", number) for number in head) or 0 in map(int, head):
        raise DataError(f"{path} must begin with two numbers, of words and of a vector's, got {' '.join(head)[:60]!r}")
    V, D = map(int, head)
    if size < 2 * V * D:  # a digit and a separator at least
        raise DataError(f"{path} says {V:,} vectors of {D:,} numbers, and has {size:,} bytes: it is cut short")
    words: dict[str, int] = {}
    rows = array("f")  # grows as lines are read: the first line can't be trusted with the size
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
            with np.errstate(over="ignore"):  # overflow gives infinity, which is an error below
                vector = np.array(values).astype(np.float32)
        except ValueError as error:
            raise DataError(f"{path}, line {number}: {word!r} must have numbers: {error}") from error
        if not np.isfinite(vector).all():
            raise DataError(f"{path}, line {number}: the vector of {word!r} must be finite, got NaN or infinity")
        words[word] = number
        rows.frombytes(vector.tobytes())
    if len(words) < V:
        raise DataError(
            f"{path} must have the {V:,} words that its first line says, got {len(words):,}: it is cut short"
        )
    return Vocabulary(words), np.frombuffer(rows, np.float32).reshape(V, D)
