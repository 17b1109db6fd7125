"""Byte-pair encoding: word pieces learned from a text, which can represent any text (extra `bpe`)."""

from collections.abc import Iterable, Sequence
from typing import Any

from rnnlm.data.units import Units
from rnnlm.errors import DataError, InputError, MissingExtra

__all__ = ["FEWEST", "BytePairs"]

FEWEST = 256  # units: one for each byte


class BytePairs(Units):
    """Byte-level byte-pair encoding with the library `tokenizers`, in its JSON format.

    Source: Sennrich, Haddow and Birch, Neural machine translation of rare words with subword units, ACL 2016; on bytes,
    Radford et al., Language models are unsupervised multitask learners, 2019.

    Args:
        tokenizer: a `tokenizers.Tokenizer`.
    """

    def __init__(self, tokenizer: Any) -> None:
        self.tokenizer = tokenizer

    @classmethod
    def learn(cls, lines: Iterable[str], size: int) -> "BytePairs":
        """Learn `size` units from lines; fewer if no more pairs occur twice.

        Raises:
            InputError: `size` is below 256.
        """
        if size < FEWEST:
            raise InputError(
                f"byte pairs must be at least {FEWEST}, one for each byte, got {size}: take more max_words"
            )
        library = _library()
        tokenizer = library.Tokenizer(library.models.BPE())
        tokenizer.pre_tokenizer = library.pre_tokenizers.ByteLevel(add_prefix_space=False)
        tokenizer.decoder = library.decoders.ByteLevel()
        alphabet = library.pre_tokenizers.ByteLevel.alphabet()
        trainer = library.trainers.BpeTrainer(
            vocab_size=size, min_frequency=2, initial_alphabet=alphabet, show_progress=False
        )
        tokenizer.train_from_iterator(lines, trainer)
        return cls(tokenizer)

    @classmethod
    def from_json(cls, text: str, source: str) -> "BytePairs":
        """Load what `to_json` returned; `source` names the file in errors.

        Raises:
            DataError: not a tokenizer.
        """
        try:
            return cls(_library().Tokenizer.from_str(text))
        except MissingExtra:
            raise
        except Exception as error:  # the library raises no class of its own
            raise DataError(f"{source} is not a tokenizer: {error}") from error

    def to_json(self) -> str:
        """Return the tokenizer as the library's JSON."""
        return str(self.tokenizer.to_str(pretty=True))

    @property
    def units(self) -> list[str]:
        """All units, in the order of their ids."""
        words: dict[str, int] = self.tokenizer.get_vocab()
        return sorted(words, key=words.__getitem__)

    def cut(self, line: str) -> list[str]:
        """Return the units of a line; bytes appear as the library's letters, a blank as "Ġ"."""
        return list(self.tokenizer.encode(line).tokens)

    def size_of(self, unit: str) -> tuple[int, int]:
        """Return characters and bytes of a unit: a byte for each letter, and the characters that are complete."""
        return len(self.join([unit]).replace("\ufffd", "")), len(unit)

    def join(self, units: Sequence[str]) -> str:
        """Return the line; bytes that are not valid UTF-8 (only a model produces such) become "�"."""
        return str(_library().decoders.ByteLevel().decode(list(units)))


def _library() -> Any:
    try:
        import tokenizers
    except ImportError as error:
        raise MissingExtra("units bpe", "bpe") from error
    return tokenizers
