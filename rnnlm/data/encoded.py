"""Encoded corpora: word ids and their words in one file, which is read a window at a time and never loaded.

`encoded_header.py` says what is in it, `encoding.py` writes it.
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

AT_ONCE = 1 << 26  # bytes of ids without checks that are digested when they are opened: a quarter of a second at most
Path_ = str | os.PathLike[str]


def is_encoded(path: Path_) -> bool:
    """Whether a file is an encoded corpus, by its first bytes; errors are those of `open_corpus`."""
    with _opened(path) as file:
        return file.read(len(MAGIC)) == MAGIC


def open_corpus(path: Path_) -> tuple[Tokens, Vocabulary]:
    """Ids and words of an encoded corpus. The ids stay in the file until they are read.

    Returns:
        ids: (tokens,), which `RnnlmTrainer.fit`, `Batches` and `evaluate` take. A slice reads nothing and
            `np.asarray(ids[:1000])` reads what it says, as uint16 or uint32. Each must be the id of a word, which is
            checked whenever some are read.
        vocabulary: the words.

    Raises:
        DataError: no such file, another kind of file, cut short, or damaged before the ids.
    """
    ids, header = header_and_ids(path)
    return ids, header.vocabulary


def header_and_ids(path: Path_) -> tuple[Tokens, Header]:
    """The ids (tokens,) of a file and all else, of one file even if another one takes its place meanwhile; errors are
    those of `open_corpus`."""
    with _opened(path) as file:
        header = header_of(path, file)
        if header.checks is None:
            _expect_ids_of_first_format(path, file, header)
        ids = InFile.of(path, file, header.dtype, header.begin, header.tokens, header.checks)
        return ids.within(0, len(header.vocabulary)), header


def read_header(path: Path_) -> Header:
    """All of a file but its ids; errors are those of `open_corpus`."""
    with _opened(path) as file:
        return header_of(path, file)


def _opened(path: Path_) -> BinaryIO:
    try:
        return regular_file(path_of("path", path), DataError)
    except FileNotFoundError as error:
        raise DataError(f"{path} does not exist") from error


def _expect_ids_of_first_format(path: Path_, file: BinaryIO, header: Header) -> None:
    """Check ids that have no checks, if that takes no time to speak of; if it does, say that they are not checked."""
    if header.tokens * header.dtype.itemsize > AT_ONCE:
        note(f"{path} is of format 1, whose ids are checked by `rnnlm data check` alone: encode the text again")
        return
    _expect_digest(path, file, header, lambda piece: None)


def _expect_digest(path: Path_, file: BinaryIO, header: Header, look: Callable[[bytes], object]) -> None:
    """Check the SHA-256 of the ids, and look at each piece of them."""
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
    """Check a file to its last id: the header, that each id is a word's, and the SHA-256 of the ids.

    Args:
        path: an encoded corpus.
        advance: called with the number of bytes of each piece, once it is checked.

    Raises:
        DataError: as `open_corpus`, and for damaged ids.
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
