"""Translating an encoded corpus to the vocabulary of a model while it is read."""

import os
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnlm.data.encoded import header_and_ids
from rnnlm.data.sources import Unread
from rnnlm.data.tokens import Tokens
from rnnlm.data.vocabulary import UNK, Vocabulary
from rnnlm.errors import DataError

__all__ = ["Translated", "in_words_of"]


@dataclass(frozen=True, kw_only=True, repr=False, eq=False)
class Translated(Unread):
    """Ids translated to another vocabulary.

    Attributes:
        ids: ids in the file's vocabulary.
        table: the other vocabulary's id for each word of the file's.
    """

    ids: Tokens
    table: NDArray[np.int32]

    @classmethod
    def of(cls, ids: Tokens, table: NDArray[np.int32]) -> "Translated":
        """Return `ids` translated by `table`, of which each must be an index."""
        return cls(name=ids.name, dtype=table.dtype, ids=ids.within(0, len(table)), table=table)

    def __len__(self) -> int:
        return len(self.ids)

    def part(self, begin: int, end: int) -> "Translated":
        """Return part of the ids, with the same table."""
        return replace(self, ids=self.ids.part(begin, end))

    def load(self, begin: int, end: int) -> NDArray[np.int32]:
        """Read ids, check them against the file's vocabulary, and translate them."""
        return self.table[self.ids.read(begin, end)]

    def release(self) -> None:
        """Release the memory that reading has taken."""
        self.ids.release()


def in_words_of(path: str | os.PathLike[str], words: Vocabulary) -> tuple[Tokens, int]:
    """Open an encoded corpus in the vocabulary of a model; returns its ids and how many of its tokens are unknown.

    If the vocabularies differ, the words in use are counted first, in one pass, and ids are translated when they are
    read. `<unk>` in the file may have been any word outside the file's vocabulary; so that must have all the model's
    words.

    Raises:
        DataError: the model splits or cleans texts, `<unk>` may stand for words that the model has, or a word is
            unknown to a model without `<unk>`.
    """
    ids, header = header_and_ids(path)
    own = header.vocabulary
    if own.words == words.words:
        return ids, header.unknown
    remedy = "encode the text in the model's words: rnnlm data encode TEXT --vocab MODEL"
    if not words.reading.plain:
        raise DataError(f"{path} holds whole words as they are written, and the model reads texts otherwise; {remedy}")
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
    return Translated.of(ids, np.array(table, np.int32)), int(counts[strange].sum()) + header.unknown


def _counts(ids: Tokens, words: int) -> NDArray[np.int64]:
    """Count how often each word occurs, (words,), reading piece by piece."""
    counts: NDArray[Any] = np.zeros(words, np.int64)
    for piece in ids.within(0, words).pieces():
        counts += np.bincount(piece, minlength=words)
    return counts
