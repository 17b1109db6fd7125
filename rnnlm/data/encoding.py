"""Writing encoded corpora piece by piece, in memory that does not grow with the text."""

import hashlib
import os
from array import array
from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from rnnlm.checks import flag, function, instance_of, path_of, whole_number
from rnnlm.data.blocks import Checks
from rnnlm.data.encoded import read_header
from rnnlm.data.encoded_header import Header, id_type, pack
from rnnlm.data.lines import Advance
from rnnlm.data.text import EMPTY, frequent_words, lines_of, strange_word
from rnnlm.data.tokens import BLOCK
from rnnlm.data.vocabulary import Vocabulary
from rnnlm.errors import DataError, InputError
from rnnlm.files import atomic_file, expect_apart, expect_new_file

__all__ = ["encode_corpus", "write_ids"]

UNKNOWN = -1  # stands for words outside the vocabulary until they are written as <unk>


def encode_corpus(
    text: str | os.PathLike[str],
    out: str | os.PathLike[str],
    vocabulary: Vocabulary | None = None,
    max_words: int = 10_000,
    overwrite: bool = False,
    advance: Advance | None = None,
) -> Header:
    """Convert a text file to an encoded corpus for `open_corpus`, with the same ids as `read_corpus`.

    The text is read twice, for counting its words and for encoding, or once if a vocabulary is given. Memory grows with
    the number of different words only. The file is written under another name beside `out` and renamed at the end, so
    an error or an interrupt leaves nothing behind.

    Args:
        text: a UTF-8 file.
        out: the file to write.
        vocabulary: the vocabulary (default: `<unk>`, `<eos>` and the most frequent words of the text).
        max_words: size of the default vocabulary; all other words become `<unk>`.
        overwrite: replace an existing file.
        advance: called with the size in bytes of each line after it was read.

    Returns:
        header: header of the file written.

    Raises:
        InputError: `out` exists and `overwrite` is False, or `out` is the text itself.
        DataError: a missing or empty text, bytes that are not UTF-8, or a word outside a vocabulary without `<unk>`.
    """
    text, out, max_words = path_of("text", text), path_of("out", out), whole_number("max_words", max_words, 3)
    flag("overwrite", overwrite)
    if vocabulary is not None:
        instance_of("vocabulary", vocabulary, Vocabulary)
    if advance is not None:
        function("advance", advance)
    expect_new_file("out", out, overwrite)
    expect_apart("out", out, text)
    if vocabulary is None:
        if text.is_fifo() or text.is_char_device():
            raise DataError(f"{text} is no file that can be read twice: save it as one, or name a vocabulary")
        vocabulary = frequent_words(text, max_words, advance)
    write_ids(out, vocabulary, _pieces(text, vocabulary, advance))
    return read_header(out)


def write_ids(path: str | os.PathLike[str], vocabulary: Vocabulary, pieces: Iterable[NDArray[np.integer]]) -> None:
    """Write ids as an encoded corpus, replacing an existing file.

    Args:
        path: the file to write.
        vocabulary: the words.
        pieces: arrays of ids (any,), in order; -1 stands for an unknown word and is written as `<unk>`.

    Raises:
        InputError: ids outside the vocabulary, or none at all; `path` is left unchanged.
    """
    digest, checks, tokens, unknown = hashlib.sha256(), Checks(), 0, 0
    with atomic_file(path) as file:
        file.write(pack(vocabulary, tokens, unknown, digest.digest(), b""))
        for piece in pieces:
            strange = piece == UNKNOWN
            if strange.any():
                unknown += int(strange.sum())
                piece = np.where(strange, UNKNOWN if vocabulary.unk_id is None else vocabulary.unk_id, piece)
            if piece.size and not 0 <= piece.min() <= piece.max() < len(vocabulary):
                raise InputError(f"ids must be in [0, {len(vocabulary)}), got {piece.min()} to {piece.max()}")
            content = piece.astype(id_type(len(vocabulary))).tobytes()
            digest.update(content)
            checks.add(content)
            file.write(content)
            tokens += piece.size
        if not tokens:
            raise InputError(f"an encoded corpus must have at least one id, got none for {path}")
        file.write(checks.array().tobytes())
        file.seek(0)
        file.write(pack(vocabulary, tokens, unknown, digest.digest(), checks.array().tobytes()))


def _pieces(
    text: str | os.PathLike[str], vocabulary: Vocabulary, advance: Advance | None
) -> Iterator[NDArray[np.integer]]:
    """Yield the ids of a text in arrays, with -1 for each word outside the vocabulary."""
    known = {word.encode(): i for word, i in vocabulary.word_to_id.items()}
    ids, number = array("i"), 0
    for number, words in lines_of(text, advance, vocabulary.reading, in_pieces=True):
        line = [known.get(word, UNKNOWN) for word in words]
        if vocabulary.unk_id is None and UNKNOWN in line:
            raise strange_word(text, number, words, known)
        ids.extend(line)
        if len(ids) >= BLOCK:
            yield np.frombuffer(ids, np.int32)
            ids = array("i")
    if not number:
        raise DataError(EMPTY.format(text))
    if ids:
        yield np.frombuffer(ids, np.int32)
