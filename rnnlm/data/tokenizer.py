"""Mapping words of short texts to ids from 1, the most frequent first; 0 is for padding."""

from collections import Counter
from collections.abc import Iterable, Sequence

from rnnlm.checks import flag, listed, sequence, shown, text, whole_number
from rnnlm.data.ids import ids_of
from rnnlm.errors import DataError, InputError

__all__ = ["Tokenizer"]

FILTERS = '!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n'


class Tokenizer:
    """Learns the words of texts and converts texts to ids, like Keras's Tokenizer.

    Words are numbered from 1 by frequency, equally frequent ones by first appearance. Unknown words are left out, or
    become `oov_token`, if there is one, with id 1.

    Args:
        num_words: keep only ids below this (default: all).
        filters: characters that are replaced by blanks.
        lower: convert words to lower case.
        oov_token: token for unknown words, such as '<unk>'.

    Attributes:
        word_index, index_word: ids by word, and words by id.
        word_counts: how often each word was seen.
    """

    def __init__(
        self, num_words: int | None = None, filters: str = FILTERS, lower: bool = True, oov_token: str | None = None
    ) -> None:
        self.num_words = None if num_words is None else whole_number("num_words", num_words, 2)
        self.lower, self.oov_token = flag("lower", lower), None if oov_token is None else text("oov_token", oov_token)
        self._blanks = str.maketrans(dict.fromkeys(text("filters", filters), " "))
        self.word_counts: Counter[str] = Counter()
        self.word_index: dict[str, int] = {}
        self.index_word: dict[int, str] = {}

    def fit_on_texts(self, texts: Iterable[str | Sequence[str]]) -> None:
        """Learn the words of texts, or of lists of words, in addition to those already learned.

        Raises:
            DataError: the texts have no words.
        """
        for words in self._cut(texts):
            self.word_counts.update(words)
        if not self.word_counts:
            raise DataError("texts must have a word at least, and none is left of them once they are cleaned")
        order = [word for word, _ in self.word_counts.most_common() if word != self.oov_token]
        words = order if self.oov_token is None else [self.oov_token, *order]
        self.word_index = {word: i for i, word in enumerate(words, 1)}
        self.index_word = dict(enumerate(words, 1))

    @property
    def size(self) -> int:
        """Number of ids, including padding: V of an embedding."""
        known = len(self.word_index) + 1
        return known if self.num_words is None else min(self.num_words, known)

    def texts_to_sequences(self, texts: Iterable[str | Sequence[str]]) -> list[list[int]]:
        """Return the ids of each text; a blank text gives an empty list.

        Raises:
            DataError: no words were learned.
        """
        if not self.word_index:
            raise DataError("a Tokenizer must learn words before it has ids: fit_on_texts first")
        unknown = None if self.oov_token is None else self.word_index[self.oov_token]
        rows = []
        for words in self._cut(texts):
            ids = (self.word_index.get(word) for word in words)
            known = [unknown if i is None or i >= self.size else i for i in ids]
            rows.append([i for i in known if i is not None])
        return rows

    def sequences_to_texts(self, sequences: Iterable[Sequence[int]]) -> list[str]:
        """Return the texts of ids; padding is left out.

        Raises:
            DataError: an id that has no word.
        """
        texts = []
        for row in listed("sequences", sequences, "lists of ids"):
            ids = ids_of("a row of sequences", row)
            for i in ids.tolist():
                if i and i not in self.index_word:
                    raise DataError(f"an id of this tokenizer must be in [0, {len(self.word_index)}], got {i}")
            texts.append(" ".join(self.index_word[i] for i in ids.tolist() if i))
        return texts

    def _cut(self, texts: Iterable[str | Sequence[str]]) -> list[list[str]]:
        """Return the words of each text."""
        return [self._words(text) for text in listed("texts", texts, "texts")]

    def _words(self, given: str | Sequence[str]) -> list[str]:
        if isinstance(given, str):
            return (given.lower() if self.lower else given).translate(self._blanks).split()
        words = sequence("a text of texts", given, "words")
        if not all(isinstance(word, str) for word in words):
            raise InputError(f"texts must be strings, or lists of words, got {shown(given)}")
        return [word.lower() for word in words] if self.lower else words
