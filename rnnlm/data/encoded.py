"""Encoded corpora: word ids and their words in one file, which is read a window at a time and never loaded.

    offset  type      what
    0       8 bytes   89 "rnnlm" 0D 0A: no UTF-8 begins so, and a change of line ends shows
    8       uint32    version, 1
    12      uint32    bytes of an id: 2 for at most 65,536 words, else 4
    16      uint64    ids
    24      uint64    how many of them are words of the text that the vocabulary has not
    32      uint64    words
    40      uint64    bytes of the words
    48      32 bytes  SHA-256 of the ids
    80      32 bytes  SHA-256 of bytes 0 to 79 and of all from 112 to the ids
    112     UTF-8     the words, each ended by a line feed; then zeros up to a multiple of 64
    ...     uint16/32 the ids

All numbers are little-endian. What opens a file checks all but the ids, whose SHA-256 `verify` checks.

The version is the format's number. A later format keeps the first 12 bytes, and has in bytes 16 to 31, in ASCII and
filled with zeros, the oldest version of rnnlm that reads it: what it is refused with here.
"""

import hashlib
import os
import re
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np

from rnnlm import __version__
from rnnlm.checks import path_of
from rnnlm.data.sources import InFile
from rnnlm.data.tokens import BLOCK, Tokens
from rnnlm.data.vocabulary import Vocabulary
from rnnlm.errors import DataError

__all__ = ["MAGIC", "Header", "header_and_ids", "is_encoded", "open_corpus", "read_header", "verify"]

MAGIC = b"\x89rnnlm\r\n"
VERSION = 1  # of the format
READER = slice(16, 32)  # of a later format: bytes with the oldest rnnlm that reads it
FIELDS = struct.Struct("<8sIIQQQQ32s")
WORDS_BEGIN = FIELDS.size + hashlib.sha256().digest_size
ALIGNMENT = 64
Path_ = str | os.PathLike[str]


@dataclass(frozen=True)
class Header:
    """All of a file but the ids.

    Attributes:
        vocabulary: the words.
        tokens: how many ids.
        unknown: how many of them are words of the text that the vocabulary has not.
        digest: SHA-256 of the ids.
        begin: offset of the first id.
    """

    vocabulary: Vocabulary
    tokens: int
    unknown: int
    digest: bytes
    begin: int

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the ids."""
        return id_type(len(self.vocabulary))


def id_type(words: int) -> np.dtype[Any]:
    """The smallest type of ids for so many words."""
    return np.dtype("<u2" if words <= 1 << 16 else "<u4")


def pack(vocabulary: Vocabulary, tokens: int, unknown: int, digest: bytes) -> bytes:
    """A file up to its ids."""
    words = vocabulary.to_bytes()
    fill = -(WORDS_BEGIN + len(words)) % ALIGNMENT
    width, sizes = id_type(len(vocabulary)).itemsize, (tokens, unknown, len(vocabulary), len(words))
    fields = FIELDS.pack(MAGIC, VERSION, width, *sizes, digest)
    rest = words + bytes(fill)
    return fields + hashlib.sha256(fields + rest).digest() + rest


def is_encoded(path: Path_) -> bool:
    """Whether a file is an encoded corpus, by its first bytes."""
    with open(path, "rb") as file:
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
        header = _header(path, file)
        ids = InFile.of(path, file, header.dtype, header.begin, header.tokens)
        return ids.within(0, len(header.vocabulary)), header


def read_header(path: Path_) -> Header:
    """All of a file but its ids; errors are those of `open_corpus`."""
    with _opened(path) as file:
        return _header(path, file)


def _opened(path: Path_) -> BinaryIO:
    given = path_of("path", path)
    if not given.is_file():
        raise DataError(f"{path} {'is not a file' if given.exists() else 'does not exist'}")
    return open(given, "rb")


def _header(path: Path_, file: BinaryIO) -> Header:
    """The header of a file that was opened just now."""
    size, head = os.fstat(file.fileno()).st_size, file.read(WORDS_BEGIN)
    if not head.startswith(MAGIC):
        raise DataError(
            f"{path} is not an encoded corpus: it must begin with {MAGIC!r}, got {head[: len(MAGIC)]!r}; "
            "encode a text by: rnnlm data encode TEXT"
        )
    if len(head) < WORDS_BEGIN:
        raise _damaged(path, f"its header must have {WORDS_BEGIN} bytes, the file has {size}")
    _, version, width, tokens, unknown, words, length, digest = FIELDS.unpack(head[: FIELDS.size])
    _expect_known_version(path, version, head)
    if width != id_type(words).itemsize:
        raise _damaged(path, f"ids of {words:,} words must have {id_type(words).itemsize} bytes, got {width}")
    begin = WORDS_BEGIN + length + -(WORDS_BEGIN + length) % ALIGNMENT
    if size != begin + tokens * width:
        raise _damaged(path, f"with {tokens:,} ids it must have {begin + tokens * width:,} bytes, got {size:,}")
    rest = file.read(begin - WORDS_BEGIN)
    if hashlib.sha256(head[: FIELDS.size] + rest).digest() != head[FIELDS.size :]:
        raise _damaged(path, "the SHA-256 of its header and words is not the one it says")
    vocabulary = Vocabulary.from_bytes(rest[:length], f"the words of {path}")
    if len(vocabulary) != words or not unknown <= tokens or not tokens:
        raise _damaged(
            path, f"it says {tokens:,} ids, {unknown:,} unknown, of {words:,} words; {len(vocabulary):,} are there"
        )
    return Header(vocabulary, tokens, unknown, digest, begin)


def _expect_known_version(path: Path_, version: int, head: bytes) -> None:
    """Check that a file, which begins with `head`, is of a format that this version of rnnlm reads."""
    if version > VERSION:
        name = head[READER].rstrip(b"\0")
        reader = f"rnnlm {name.decode()} or a later one" if re.fullmatch(rb"[0-9][0-9a-z.]*", name) else "a later rnnlm"
        raise DataError(
            f"{path} is an encoded corpus of format {version}, and this rnnlm {__version__} reads formats up to "
            f"{VERSION}: take {reader}, or encode the text again"
        )
    if version < 1:
        raise _damaged(path, f"its format must be at least 1, got {version}")


def verify(path: Path_, advance: Callable[[int], object] | None = None) -> Header:
    """Check a file to its last id: the header, that each id is a word's, and the SHA-256 of the ids.

    Args:
        path: an encoded corpus.
        advance: called with the number of bytes of each piece, once it is checked.

    Raises:
        DataError: as `open_corpus`, and for damaged ids.
    """
    found = hashlib.sha256()
    with _opened(path) as file:
        header = _header(path, file)
        file.seek(header.begin)
        while piece := file.read(BLOCK * header.dtype.itemsize):
            found.update(piece)
            if advance is not None:
                advance(len(piece))
            highest = int(np.frombuffer(piece, header.dtype).max())
            if highest >= len(header.vocabulary):
                raise _damaged(path, f"ids must be in [0, {len(header.vocabulary)}), got {highest}")
    if found.digest() != header.digest:
        raise _damaged(path, f"the SHA-256 of its ids must be {header.digest.hex()}, got {found.hexdigest()}")
    return header


def _damaged(path: Path_, why: str) -> DataError:
    return DataError(f"{path} is damaged or cut short: {why}; copy it or encode the text anew")
