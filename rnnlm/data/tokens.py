"""Ids that stay in a file until they are read: neither to check nor to translate them does anyone go over them all."""

import mmap
import os
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnlm.data.encoded import CHUNK, map_ids, read_header
from rnnlm.data.ids import expect_read
from rnnlm.data.vocabulary import UNK, Vocabulary
from rnnlm.errors import DataError, InputError

__all__ = ["Translated", "host_ids", "in_words_of", "let_go", "on_file", "pieces"]


class Translated:
    """Ids of a file in the words of another vocabulary; a slice is an array, translated when it is taken.

    Args:
        ids: (tokens,), a memory map.
        table: the other vocabulary's id for each word of the file's.
    """

    ndim = 1

    def __init__(self, ids: Any, table: NDArray[np.int32]) -> None:
        self.ids, self.table, self.dtype, self.filename = ids, table, table.dtype, ids.filename

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, part: slice) -> NDArray[np.int32]:
        return self.table[self.ids[part]]


def on_file(ids: Any) -> bool:
    """Whether ids are read from a file only when they are asked for."""
    return isinstance(ids, (np.memmap, Translated))


def host_ids(name: str, ids: Any) -> Any:
    """Ids (tokens,) on the host; those on a file stay there.

    Raises:
        InputError: no list of whole numbers.
    """
    array = ids if on_file(ids) else _on_host(ids)
    if array.ndim != 1 or array.dtype.kind not in "iu":
        raise InputError(f"{name} must be a list of integer ids, got {array.dtype} of shape {array.shape}")
    return array


def _on_host(ids: Any) -> NDArray[Any]:
    """Ids in memory as a NumPy array."""
    if isinstance(ids, (np.ndarray, Sequence)):
        return np.asarray(ids)
    from rnnlm.backend import ops  # an array of the backend's: only it can tell

    return ops.asnumpy(ids)


def let_go(ids: Any) -> None:
    """Unmap what was read from a file, so that pages read long ago don't count as this process's memory.

    The system's cache keeps them: to map one again takes a microsecond. Where the system has no such call, and of maps
    that may be written to, whose changes could be lost, nothing is unmapped.
    """
    source = ids.ids if isinstance(ids, Translated) else ids
    if not isinstance(source, np.memmap) or source.mode != "r":
        return
    base: Any = source
    while isinstance(base, np.ndarray):
        base = base.base
    if isinstance(base, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
        base.madvise(mmap.MADV_DONTNEED)


def pieces(ids: Any) -> Iterator[Any]:
    """All ids, so many at a time."""
    for start in range(0, len(ids), CHUNK):
        yield ids[start : start + CHUNK]
        let_go(ids)


def in_words_of(path: str | os.PathLike[str], words: Vocabulary) -> tuple[Any, int]:
    """An encoded corpus in the words of a model, and how many words of its text are not among them.

    Where the vocabularies differ, the words in use are counted first, in one pass, and ids are translated as they are
    read. What the file has as `<unk>` may have been any word, so it must be one that the model hasn't either.

    Raises:
        DataError: `<unk>` may stand for words that the model has, or a word is strange to a model without `<unk>`.
    """
    header = read_header(path)
    own, ids = header.vocabulary, map_ids(path, header)
    if own.words == words.words:
        return ids, header.unknown
    remedy = "encode the text in the model's words: rnnlm data encode TEXT --vocab MODEL"
    if header.unknown and any(word not in own for word in words.words):
        raise DataError(
            f"{path} has other words than the model, and {header.unknown:,} of its tokens are {UNK} that the model may "
            f"know; {remedy}"
        )
    counts = _counts(ids, len(own))
    strange = [i for i, word in enumerate(own.words) if counts[i] and word not in words]
    if strange and words.unk_id is None:
        raise DataError(
            f"{path}: {own.words[strange[0]]!r} is not among the {len(words)} words of the model, which has no {UNK}"
        )
    table = [words.word_to_id.get(word, words.unk_id or 0) for word in own.words]
    return Translated(ids, np.array(table, np.int32)), int(counts[strange].sum()) + header.unknown


def _counts(ids: Any, words: int) -> NDArray[np.int64]:
    """How often each word occurs, (words,), read a piece at a time."""
    counts = np.zeros(words, np.int64)
    for piece in pieces(ids):
        expect_read(ids, piece, 0, words)
        counts += np.bincount(piece, minlength=words)
    return counts
