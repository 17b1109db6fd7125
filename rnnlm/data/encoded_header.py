"""What an encoded corpus has beside its ids: which words it has, and how what is in it is checked.

    offset  type      what
    0       8 bytes   89 "rnnlm" 0D 0A: no UTF-8 begins so, and a change of line ends shows
    8       uint32    version, 2
    12      uint32    bytes of an id: 2 for at most 65,536 words, else 4
    16      16 bytes  the oldest version of rnnlm that reads it, in ASCII, filled with zeros
    32      uint64    ids
    40      uint64    how many of them are words of the text that the vocabulary has not
    48      uint64    words
    56      uint64    bytes of the words
    64      32 bytes  SHA-256 of the ids
    96      32 bytes  SHA-256 of bytes 0 to 95, of all from 128 to the ids, and of the checks
    128     UTF-8     the words, each ended by a line feed; then zeros up to a multiple of 64
    ...     uint16/32 the ids
    ...     uint32    the checks: the CRC-32 of each 65,536 bytes of ids, the last one of what is left

All numbers are little-endian. What opens a file checks all but the ids; these are checked in blocks of 65,536 bytes,
each when some of it is read for the first time. `verify` checks all of them, by their SHA-256 as well.

The version is the format's number. A later format keeps the first 12 bytes, and what bytes 16 to 31 say: it is refused
with that here. The first format had neither them nor checks: its ids are checked by their SHA-256 when a file of up to
64 MiB of them is opened, and else by `verify` alone.
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
OLDEST = b"0.2.0"  # version of rnnlm that reads it
READER = slice(16, 32)  # bytes that say so
LAYOUTS = {1: struct.Struct("<8sIIQQQQ32s"), VERSION: struct.Struct("<8sII16sQQQQ32s")}
FIELDS = LAYOUTS[VERSION]
DIGEST = hashlib.sha256().digest_size
WORDS_BEGIN = FIELDS.size + DIGEST
ALIGNMENT = 64
CHECK = np.dtype("<u4")  # of a block
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
        checks: (blocks,) CRC-32 of each block of ids; None of a file of the first format.
    """

    vocabulary: Vocabulary
    tokens: int
    unknown: int
    digest: bytes
    begin: int
    checks: NDArray[np.uint32] | None

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the ids."""
        return id_type(len(self.vocabulary))


def id_type(words: int) -> np.dtype[Any]:
    """The smallest type of ids for so many words."""
    return np.dtype("<u2" if words <= 1 << 16 else "<u4")


def pack(vocabulary: Vocabulary, tokens: int, unknown: int, digest: bytes, checks: bytes) -> bytes:
    """A file up to its ids, which have this SHA-256 and are followed by these checks."""
    words = vocabulary.to_bytes()
    fill = -(WORDS_BEGIN + len(words)) % ALIGNMENT
    width, sizes = id_type(len(vocabulary)).itemsize, (tokens, unknown, len(vocabulary), len(words))
    fields = FIELDS.pack(MAGIC, VERSION, width, OLDEST, *sizes, digest)
    rest = words + bytes(fill)
    return fields + hashlib.sha256(fields + rest + checks).digest() + rest


def header_of(path: Path_, file: BinaryIO) -> Header:
    """The header of a file that was opened just now, read in pieces, each of which is refused where it can't be right.

    Raises:
        DataError: another kind of file, cut short, or damaged before the ids or behind them.
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
    """The number of the format of a file that begins with `head`, which this version of rnnlm must read."""
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
    """The error for a file that was written by rnnlm, and is not what it was."""
    return DataError(f"{path} is damaged or cut short: {why}; copy it or encode the text anew")
