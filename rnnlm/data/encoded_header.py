"""The file format of encoded corpora.

    offset  type      what
    0       8 bytes   89 "rnnlm" 0D 0A: not valid UTF-8, and changed line ends are noticed
    8       uint32    format version, 2
    12      uint32    bytes per id: 2 for at most 65,536 words, else 4
    16      16 bytes  the oldest version of rnnlm that reads it, in ASCII, filled with zeros
    32      uint64    number of ids
    40      uint64    number of ids that stand for words outside the vocabulary
    48      uint64    number of words
    56      uint64    bytes of the words
    64      32 bytes  SHA-256 of the ids
    96      32 bytes  SHA-256 of bytes 0 to 95, of bytes 128 up to the ids, and of the checksums
    128     UTF-8     the words, each ended by a line feed; then zeros up to a multiple of 64
    ...     uint16/32 the ids
    ...     uint32    the checksums: CRC-32 of each 65,536 bytes of ids; the last block may be shorter

All numbers are little-endian. Opening a file verifies all but the ids; these are verified in blocks of 65,536 bytes,
each when part of it is first read. `verify` checks all of them, also against their SHA-256.

Later formats will keep the meaning of the first 12 bytes and of bytes 16 to 31, so that this version can refuse them
and name the version that reads them. Format 1 had neither bytes 16 to 31 nor checksums: up to 64 MiB of its ids are
verified by their SHA-256 on opening, larger files only by `verify`.
"""

import hashlib
import os
import re
import struct
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from rnnlm import __version__
from rnnlm.data.blocks import BLOCK
from rnnlm.data.vocabulary import Vocabulary, read_words
from rnnlm.errors import DataError
from rnnlm.opening import size_of

__all__ = ["MAGIC", "Header", "damaged", "header_of", "id_type", "pack"]

MAGIC = b"\x89rnnlm\r\n"
VERSION = 2  # of the format
OLDEST = b"0.2.0"  # oldest version of rnnlm that reads it
READER = slice(16, 32)  # bytes of the file with OLDEST
LAYOUTS = {1: struct.Struct("<8sIIQQQQ32s"), VERSION: struct.Struct("<8sII16sQQQQ32s")}
FIELDS = LAYOUTS[VERSION]
DIGEST = hashlib.sha256().digest_size
WORDS_BEGIN = FIELDS.size + DIGEST
ALIGNMENT = 64
CHECK = np.dtype("<u4")  # checksum of a block
Path_ = str | os.PathLike[str]


@dataclass(frozen=True)
class Header:
    """All of an encoded corpus except the ids.

    Attributes:
        vocabulary: the words.
        tokens: number of ids.
        unknown: number of ids that stand for words outside the vocabulary.
        digest: SHA-256 of the ids.
        begin: offset of the first id.
        checks: (blocks,) CRC-32 of each block of ids; None for format 1.
    """

    vocabulary: Vocabulary
    tokens: int
    unknown: int
    digest: bytes
    begin: int
    checks: NDArray[np.uint32] | None

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the ids in the file."""
        return id_type(len(self.vocabulary))


def id_type(words: int) -> np.dtype[Any]:
    """Return the smallest type of ids for a vocabulary of `words` words."""
    return np.dtype("<u2" if words <= 1 << 16 else "<u4")


def pack(vocabulary: Vocabulary, tokens: int, unknown: int, digest: bytes, checks: bytes) -> bytes:
    """Return the bytes of a file up to its ids, given their SHA-256 and the checksums that follow them."""
    words = vocabulary.to_bytes()
    fill = -(WORDS_BEGIN + len(words)) % ALIGNMENT
    width, sizes = id_type(len(vocabulary)).itemsize, (tokens, unknown, len(vocabulary), len(words))
    fields = FIELDS.pack(MAGIC, VERSION, width, OLDEST, *sizes, digest)
    rest = words + bytes(fill)
    return fields + hashlib.sha256(fields + rest + checks).digest() + rest


def header_of(path: Path_, file: BinaryIO) -> Header:
    """Read and verify the header of a file just opened, piece by piece, refusing it at the first inconsistency.

    Raises:
        DataError: another kind of file, cut short, or damaged outside the ids.
    """
    size, head = size_of(file), file.read(WORDS_BEGIN)
    if not head.startswith(MAGIC):
        raise DataError(
            f"{path} is not an encoded corpus: it must begin with {MAGIC!r}, got {head[: len(MAGIC)]!r}; "
            "encode a text by: rnnlm data encode TEXT"
        )
    fields = LAYOUTS[_known_version(path, head)]
    words_begin = fields.size + DIGEST
    if len(head) < words_begin:
        raise damaged(path, f"its header must have {words_begin} bytes, the file has {size}")
    _, version, width, *_, tokens, unknown, words, length, digest = fields.unpack(head[: fields.size])
    if width != id_type(words).itemsize:
        raise damaged(path, f"ids of {words:,} words must have {id_type(words).itemsize} bytes, got {width}")
    begin = words_begin + length + -(words_begin + length) % ALIGNMENT
    end = begin + tokens * width
    blocks = 0 if version == 1 else -(-tokens * width // BLOCK)
    if size != end + blocks * CHECK.itemsize:
        raise damaged(path, f"with {tokens:,} ids it must have {end + blocks * CHECK.itemsize:,} bytes, got {size:,}")
    file.seek(words_begin)
    content = read_words(file, length, words, f"the words of {path}")
    rest = content + file.read(begin - words_begin - length)
    file.seek(end)
    checks = file.read(blocks * CHECK.itemsize)
    if hashlib.sha256(head[: fields.size] + rest + checks).digest() != head[fields.size : words_begin]:
        raise damaged(path, "the SHA-256 of its header and words is not the one it says")
    vocabulary = Vocabulary.from_bytes(content, f"the words of {path}")
    if len(vocabulary) != words or not unknown <= tokens or not tokens:
        raise damaged(
            path, f"it says {tokens:,} ids, {unknown:,} unknown, of {words:,} words; {len(vocabulary):,} are there"
        )
    return Header(vocabulary, tokens, unknown, digest, begin, None if version == 1 else np.frombuffer(checks, CHECK))


def _known_version(path: Path_, head: bytes) -> int:
    """Return the format version of a file that begins with `head`, after checking that it can be read."""
    version = int.from_bytes(head[8:12], "little")
    if len(head) < READER.stop:
        raise damaged(path, f"its header must have {WORDS_BEGIN} bytes, the file has {len(head)}")
    if version > VERSION:
        name = head[READER].rstrip(b"\0")
        reader = f"rnnlm {name.decode()} or a later one" if re.fullmatch(rb"[0-9][0-9a-z.]*", name) else "a later rnnlm"
        raise DataError(
            f"{path} is an encoded corpus of format {version}, and this rnnlm {__version__} reads formats up to "
            f"{VERSION}: take {reader}, or encode the text again"
        )
    if version < 1:
        raise damaged(path, f"its format must be at least 1, got {version}")
    return version


def damaged(path: Path_, why: str) -> DataError:
    """Return the error for an encoded corpus that is damaged."""
    return DataError(f"{path} is damaged or cut short: {why}; copy it or encode the text anew")
