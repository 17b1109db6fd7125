"""Words and their ids."""

import copy
import os
from codecs import BOM_UTF8
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import BinaryIO, overload

import numpy as np
from numpy.typing import NDArray

from rnnlm.checks import instance_of, listed, path_of, sequence, whole_number
from rnnlm.data.cleaning import TextOptions
from rnnlm.data.ids import ids_of
from rnnlm.data.reading import PLAIN, Reading
from rnnlm.errors import DataError, InputError, UnknownWord
from rnnlm.files import write_atomic
from rnnlm.opening import regular_file, size_of

__all__ = ["EOS", "LONGEST_WORD", "MOST", "UNK", "Vocabulary", "read_words"]

EOS = "<eos>"  # ends every line of a corpus
UNK = "<unk>"  # for every word that is not in the vocabulary
LONGEST_WORD = 1 << 20  # bytes
MOST = 1 << 31  # words: ids are 32-bit numbers
SHOWN, LONGEST_SHOWN = 8, 20  # words that a repr shows, and characters of one


class Vocabulary:
    """A list of distinct words; a word's id is its index.

    Words are non-empty, have at most 2**20 bytes, and contain no ASCII white space, which separates them in a text.

    A vocabulary is a sequence of its words that also maps words to ids: `words["cat"]` is an id, `words[3]` a word, and
    `in` and `for` are about words. `encode` is for texts, in which unknown words become `<unk>`.

    Args:
        words: the words, in the order of their ids.
        reading: how a text is split into these words (or characters, or byte pairs).

    Attributes:
        words: list of the words.
        word_to_id, id_to_word: the book's two dictionaries.
    """

    def __init__(self, words: Iterable[str], reading: Reading = PLAIN) -> None:
        self.words: list[str] = []
        self.reading = instance_of("reading", reading, Reading)
        self.word_to_id: dict[str, int] = {}
        for i, word in enumerate(listed("words", words, "words")):
            if not isinstance(word, str) or not _is_word(word):
                raise DataError(
                    f"word {i} of a vocabulary must be a non-empty str without white space, got {word!r:.80}"
                )
            if self.word_to_id.setdefault(word, i) != i:
                raise DataError(f"words of a vocabulary must differ, got {word!r} as {self.word_to_id[word]} and {i}")
            self.words.append(word)
        self.id_to_word = dict(enumerate(self.words))

    def __len__(self) -> int:
        return len(self.words)

    def __contains__(self, word: str) -> bool:
        return isinstance(word, str) and word in self.word_to_id

    def __iter__(self) -> Iterator[str]:
        return iter(self.words)

    @overload
    def __getitem__(self, key: str) -> int: ...
    @overload
    def __getitem__(self, key: int) -> str: ...
    def __getitem__(self, key: str | int) -> int | str:
        """Return the id of a word, or the word of an id.

        Raises:
            UnknownWord: there is none; it is also a KeyError.
            InputError: the key is neither a word nor a whole number.
        """
        if isinstance(key, str):
            if key not in self.word_to_id:
                hint = "" if self.unk_id is None else f": encode reads it as {UNK}"
                raise UnknownWord(f"{key!r:.80} is not among the {len(self):,} words of the vocabulary{hint}")
            return self.word_to_id[key]
        number = whole_number("a key of a vocabulary that is no word (a str)", key, 0)
        if number >= len(self):
            raise UnknownWord(f"ids of this vocabulary must be in [0, {len(self)}), got {number}")
        return self.words[number]

    def __repr__(self) -> str:
        shown = [repr(word[:LONGEST_SHOWN]) for word in self.words[:SHOWN]]
        return f"<Vocabulary of {len(self):,} words: {', '.join([*shown, *['...'] * (len(self) > SHOWN)])}>"

    @property
    def eos_id(self) -> int | None:
        """Id of `<eos>`, or None."""
        return self.word_to_id.get(EOS)

    @property
    def unk_id(self) -> int | None:
        """Id of `<unk>`, or None."""
        return self.word_to_id.get(UNK)

    def encode(self, words: Sequence[str]) -> NDArray[np.int32]:
        """Return the ids (n,) of words: a list, or a string, which is cleaned and split by `reading`. Unknown words
        become `<unk>`.

        Raises:
            DataError: an unknown word, and the vocabulary has no `<unk>`.
        """
        if isinstance(words, str):
            if any("\ud800" <= letter <= "\udfff" for letter in words):
                raise DataError(f"words must be Unicode characters, got {words!r:.80}")
            words = self.reading.cut(words)
        elif not all(isinstance(word, str) for word in sequence("words", words, "words")):
            raise InputError(f"words must be a string, or a list of strings, got {words!r:.80}")
        unknown = self.unk_id
        ids = [self.word_to_id.get(word, unknown) for word in words]
        if unknown is None and None in ids:
            word = words[ids.index(None)]
            raise DataError(f"{word!r} is not among the {len(self)} words of the vocabulary, which has no {UNK}")
        return np.array(ids, np.int32)

    def decode(self, ids: Iterable[int]) -> list[str]:
        """Return the words of ids."""
        given = ids_of("ids", list(ids) if isinstance(ids, Iterator) else ids)
        if given.size and not 0 <= given.min() <= given.max() < len(self):
            wrong = given.min() if given.min() < 0 else given.max()
            raise DataError(f"ids of this vocabulary must be in [0, {len(self)}), got {wrong}")
        return [self.words[i] for i in given.tolist()]

    def text(self, ids: Iterable[int]) -> str:
        """Return the text of ids, with a new line after each `<eos>`."""
        return self.reading.text(self.decode(ids), EOS)

    def read_by(self, options: TextOptions) -> "Vocabulary":
        """Return the same words with other options for reading texts, for the same units."""
        other = copy.copy(self)
        other.reading = replace(self.reading, options=instance_of("options", options, TextOptions))
        return other

    def for_file(self, path: str | os.PathLike[str], column: str | None) -> "Vocabulary":
        """Return the same words for reading a file: a CSV file by `column` (default: the column used in training)."""
        other = copy.copy(self)
        other.reading = self.reading.for_file(path, column)
        return other

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the words to a UTF-8 file, one per line, in the order of their ids."""
        write_atomic(path_of("path", path), self.to_bytes())

    def to_bytes(self) -> bytes:
        """Return the content that `save` writes."""
        return "".join(f"{word}\n" for word in self.words).encode()

    @classmethod
    def load(cls, path: str | os.PathLike[str], edited: bool = False) -> "Vocabulary":
        """Load what `save` wrote.

        Args:
            path: the file, one word per line.
            edited: remove a byte-order mark and carriage returns, which an editor may have added.

        Raises:
            DataError: a missing file, not UTF-8, an empty line or a duplicate word.
        """
        try:
            with regular_file(path_of("path", path), DataError) as file:
                content = read_words(file, size_of(file), MOST, str(path))
                if edited:
                    content = content.removeprefix(BOM_UTF8).replace(b"\r\n", b"\n")
                return cls.from_bytes(content, str(path))
        except FileNotFoundError as error:
            raise DataError(f"{path} does not exist") from error

    @classmethod
    def from_bytes(cls, content: bytes | bytearray, source: str) -> "Vocabulary":
        """Create a vocabulary from `to_bytes`; `source` names the file in errors, which are those of `load`."""
        try:
            return cls(content.decode().removesuffix("\n").split("\n"))
        except UnicodeDecodeError as error:
            raise DataError(f"{source} is not UTF-8 at byte {error.start}: {error.reason}") from error
        except DataError as error:
            raise DataError(f"{source}: {error}") from error


def read_words(file: BinaryIO, length: int, most: int, source: str) -> bytearray:
    """Read the next `length` bytes of a file, words one per line; stops early if they can't be words.

    Args:
        file: an open file, at the first word.
        length: size of all words in bytes.
        most: largest number of words.
        source: name for errors.

    Raises:
        DataError: more than `most` words, or a word of more than `LONGEST_WORD` bytes.
    """
    content, lines = bytearray(), 0
    while piece := file.read(min(2 * LONGEST_WORD, length - len(content))):
        content += piece
        lines += piece.count(b"\n")
        if lines > most:
            raise DataError(f"{source} must have at most {most:,} words, and has more")
        if len(piece) == 2 * LONGEST_WORD and b"\n" not in piece:
            raise DataError(f"{source}: a word must have at most {LONGEST_WORD:,} bytes, and word {lines} has more")
    return content


def _is_word(word: str) -> bool:
    """Whether splitting a text gives the word back."""
    try:
        content = word.encode()
        return len(content) <= LONGEST_WORD and content.split() == [content]
    except UnicodeEncodeError:  # a lone surrogate is not a character
        return False
