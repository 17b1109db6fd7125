"""How a model's texts are read, in its folder: text.json, and for byte pairs tokenizer.json."""

import json
from pathlib import Path

from rnnlm.data.bpe import BytePairs
from rnnlm.data.reading import PLAIN, Reading
from rnnlm.data.vocabulary import EOS, Vocabulary
from rnnlm.errors import DataError, InputError
from rnnlm.files import write_atomic

__all__ = ["load_words", "save_words"]

WORDS, TEXT, PAIRS = "vocab.txt", "text.json", "tokenizer.json"


def save_words(folder: Path, vocabulary: Vocabulary) -> None:
    """Write a vocabulary and how texts become its words."""
    reading = vocabulary.reading
    if isinstance(reading.units, BytePairs):
        write_atomic(folder / PAIRS, reading.units.to_json().encode())
    write_atomic(folder / TEXT, (json.dumps(reading.settings(), indent=2, ensure_ascii=False) + "\n").encode())
    vocabulary.save(folder / WORDS)


def load_words(folder: Path) -> Vocabulary:
    """Read what `save_words` wrote; a folder without text.json is of a version that knew words alone.

    Raises:
        DataError: a file is missing, damaged, or does not fit the others.
        MissingExtra: byte pairs, and no library for them.
    """
    words = Vocabulary.load(folder / WORDS)
    try:
        settings = json.loads((folder / TEXT).read_text(encoding="utf-8"))
        options = Reading.options_of(settings)
    except FileNotFoundError:
        return Vocabulary(words.words, PLAIN)
    except (ValueError, TypeError, AttributeError, RecursionError, InputError, DataError) as error:
        raise DataError(f"{TEXT} does not say how a text is read: {error}") from error
    pairs = _load_pairs(folder, words) if options.units == "bpe" else None
    return Vocabulary(words.words, Reading.of(options, pairs))


def _load_pairs(folder: Path, words: Vocabulary) -> BytePairs:
    try:
        content = (folder / PAIRS).read_text(encoding="utf-8")
    except (FileNotFoundError, UnicodeDecodeError) as error:
        raise DataError(f"{PAIRS} is missing or no text: byte pairs are cut by it") from error
    pairs = BytePairs.from_json(content, PAIRS)
    if set(pairs.units) != set(words.words) - {EOS}:
        raise DataError(f"{PAIRS} has other units than {WORDS}: it is another model's")
    return pairs
