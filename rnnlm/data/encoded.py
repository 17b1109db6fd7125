"""Encoded corpora: word ids and vocabulary in one file, which is read window by window and never loaded whole.

`encoded_header.py` describes the format, `encoding.py` writes it.
"""

import hashlib
import os
from collections.abc import Callable
from typing import BinaryIO

import numpy as np

from rnnlm.checks import path_of
from rnnlm.data.blocks import Checks
from rnnlm.data.encoded_header import MAGIC, Header, damaged, header_of
from rnnlm.data.sources import InFile
from rnnlm.data.tokens import BLOCK, Tokens
from rnnlm.data.vocabulary import Vocabulary
from rnnlm.errors import DataError
from rnnlm.opening import regular_file
from rnnlm.progress import note

__all__ = ["header_and_ids", "is_encoded", "open_corpus", "read_header", "verify"]

AT_ONCE = 1 << 26  # bytes: larger files of format 1 are not verified on opening; takes a quarter of a second at most
Path_ = str | os.PathLike[str]


def is_encoded(path: Path_) -> bool:
    """Whether a file is an encoded corpus, judged by its first bytes; errors are those of `open_corpus`."""
    with _opened(path) as file:
        return file.read(len(MAGIC)) == MAGIC


def open_corpus(path: Path_) -> tuple[Tokens, Vocabulary]:
    """Open an encoded corpus; returns its ids and vocabulary. Ids stay in the file until they are read.

    Returns:
        ids: (tokens,), accepted by `RnnlmTrainer.fit`, `Batches` and `evaluate`. Slicing reads nothing;
            `np.asarray(ids[:1000])` reads these ids, as uint16 or uint32. Whenever ids are read, they are checked to be
            in the vocabulary.
        vocabulary: the words.

    Raises:
        DataError: no such file, another kind of file, cut short, or damaged outside the ids.
    """
    ids, header = header_and_ids(path)
    return ids, header.vocabulary


def header_and_ids(path: Path_) -> tuple[Tokens, Header]:
    """Open an encoded corpus; returns its ids (tokens,) and its header, both of the same file even if that is replaced
    meanwhile. Errors are those of `open_corpus`."""
    with _opened(path) as file:
        header = header_of(path, file)
        if header.checks is None:
            _expect_ids_of_first_format(path, file, header)
        ids = InFile.of(path, file, header.dtype, header.begin, header.tokens, header.checks)
        return ids.within(0, len(header.vocabulary)), header


def read_header(path: Path_) -> Header:
    """Read the header of an encoded corpus; errors are those of `open_corpus`."""
    with _opened(path) as file:
        return header_of(path, file)


def _opened(path: Path_) -> BinaryIO:
    try:
        return regular_file(path_of("path", path), DataError)
    except FileNotFoundError as error:
        raise DataError(f"{path} does not exist") from error


def _expect_ids_of_first_format(path: Path_, file: BinaryIO, header: Header) -> None:
    """Check the ids of a file of format 1 if it is small; otherwise print a note that they are not checked."""
    if header.tokens * header.dtype.itemsize > AT_ONCE:
        note(f"{path} is of format 1, whose ids are checked by `rnnlm data check` alone: encode the text again")
        return
    _expect_digest(path, file, header, lambda piece: None)


def _expect_digest(path: Path_, file: BinaryIO, header: Header, look: Callable[[bytes], object]) -> None:
    """Check the SHA-256 of the ids, calling `look` with each piece of them."""
    found = hashlib.sha256()
    file.seek(header.begin)
    left = header.tokens * header.dtype.itemsize
    while left and (piece := file.read(min(left, BLOCK * header.dtype.itemsize))):
        left -= len(piece)
        found.update(piece)
        look(piece)
    if found.digest() != header.digest:
        raise damaged(path, f"the SHA-256 of its ids must be {header.digest.hex()}, got {found.hexdigest()}")


def verify(path: Path_, advance: Callable[[int], object] | None = None) -> Header:
    """Check a whole file: its header, that each id is in the vocabulary, and the SHA-256 of the ids.

    Args:
        path: an encoded corpus.
        advance: called with the size in bytes of each piece after its check.

    Raises:
        DataError: as `open_corpus`, or damaged ids.
    """
    with _opened(path) as file:
        header = header_of(path, file)
        checks = Checks()

        def look(piece: bytes) -> None:
            checks.add(piece)
            if advance is not None:
                advance(len(piece))
            highest = int(np.frombuffer(piece, header.dtype).max())
            if highest >= len(header.vocabulary):
                raise damaged(path, f"ids must be in [0, {len(header.vocabulary)}), got {highest}")

        _expect_digest(path, file, header, look)
        if header.checks is not None and not np.array_equal(checks.array(), header.checks):
            raise damaged(path, "the checks of its blocks are not those of its ids")
    return header
