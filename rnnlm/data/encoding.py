"""Writing encoded corpora, a piece at a time: memory does not grow with the text."""

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
from rnnlm.files import atomic_file, expect_new_file

__all__ = ["encode_corpus", "write_ids"]

UNKNOWN = -1  # stands for a word that the vocabulary has not, until it is written as <unk>


def encode_corpus(
    text: str | os.PathLike[str],
    out: str | os.PathLike[str],
    vocabulary: Vocabulary | None = None,
    max_words: int = 10_000,
    overwrite: bool = False,
    advance: Advance | None = None,
) -> Header:
    """Write a text as an encoded corpus, which `open_corpus` opens. It becomes ids as `read_corpus` has it.

    The text is read twice, to count its words and to encode it, or once if a vocabulary is given. Memory is that of
    the different words. The file is written under another name beside `out` and renamed in the end: an error or an
    interrupt leaves nothing behind.

    Args:
        text: a UTF-8 file.
        out: the file to write.
        vocabulary: the words to use; unless given, `<unk>`, `<eos>` and the most frequent ones of the text.
        max_words: of the text keep so many words, if no vocabulary is given; all others become `<unk>`.
        overwrite: replace what is at `out`.
        advance: called with the number of bytes of each line that was read.

    Returns:
        header: of the file written.

    Raises:
        InputError: `out` exists and is not to be replaced, or is the text itself.
        DataError: a missing or empty text, bytes that are not UTF-8, or a word outside a vocabulary without `<unk>`.
    """
    text, out, max_words = path_of("text", text), path_of("out", out), whole_number("max_words", max_words, 3)
    flag("overwrite", overwrite)
    if vocabulary is not None:
        instance_of("vocabulary", vocabulary, Vocabulary)
    if advance is not None:
        function("advance", advance)
    expect_new_file("out", out, overwrite)
    if out.exists() and text.exists() and out.samefile(text):
        raise InputError(f"out must not be the text itself, got {out}")
    if vocabulary is None:
        if text.is_fifo() or text.is_char_device():
            raise DataError(f"{text} is no file that can be read twice: save it as one, or name a vocabulary")
        vocabulary = frequent_words(text, max_words, advance)
    write_ids(out, vocabulary, _pieces(text, vocabulary, advance))
    return read_header(out)


def write_ids(path: str | os.PathLike[str], vocabulary: Vocabulary, pieces: Iterable[NDArray[np.integer]]) -> None:
    """Write ids as an encoded corpus; what is at `path` is replaced.

    Args:
        path: the file to write.
        vocabulary: the words.
        pieces: ids (any,), one array after the other; -1 stands for an unknown word and is written as `<unk>`.

    Raises:
        InputError: ids that are no words, or none at all; `path` is as it was.
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
    """The ids of a text, so many at once, with -1 for each word that the vocabulary has not."""
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
