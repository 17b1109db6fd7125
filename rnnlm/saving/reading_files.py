"""The files of a model's folder that say how texts are read: vocab.txt, text.json and tokenizer.json."""

import json
from pathlib import Path

from rnnlm.data.bpe import BytePairs
from rnnlm.data.reading import PLAIN, Reading
from rnnlm.data.vocabulary import EOS, MOST, Vocabulary, read_words
from rnnlm.errors import DataError, InputError
from rnnlm.opening import read_json, size_of
from rnnlm.saving.open_folder import OpenFolder, read_folder

__all__ = ["WORDS", "load_words", "word_files", "words_in"]

WORDS, TEXT, PAIRS = "vocab.txt", "text.json", "tokenizer.json"
LARGEST_PAIRS = 1 << 26  # bytes: enough for a million pairs


def word_files(vocabulary: Vocabulary) -> dict[str, bytes]:
    """Return the files, by name, with a model's vocabulary and text options."""
    reading = vocabulary.reading
    settings = json.dumps(reading.settings(), indent=2, ensure_ascii=False) + "\n"
    files = {WORDS: vocabulary.to_bytes(), TEXT: settings.encode()}
    if isinstance(reading.units, BytePairs):
        files[PAIRS] = reading.units.to_json().encode()
    return files


def words_in(folder: OpenFolder, most: int = MOST) -> Vocabulary:
    """Read `word_files`; a folder without text.json is of an early version, whose units are always words.

    Args:
        folder: folder of the model.
        most: largest number of words; reading stops when there are more.

    Raises:
        DataError: a file is missing, damaged, or does not fit the others.
        MissingExtra: byte pairs, and `tokenizers` is not installed.
    """
    try:
        with folder.open(WORDS) as file:
            content = read_words(file, size_of(file), most, str(folder.path / WORDS))
        words = Vocabulary.from_bytes(content, str(folder.path / WORDS))
    except FileNotFoundError as error:
        raise DataError(f"{folder.path / WORDS} does not exist") from error
    try:
        settings = read_json(folder.read(TEXT))
        options = Reading.options_of(settings)
    except FileNotFoundError:
        return Vocabulary(words.words, PLAIN)
    except (ValueError, TypeError, AttributeError, InputError, DataError) as error:
        raise DataError(f"{TEXT} does not say how a text is read: {error}") from error
    pairs = _load_pairs(folder, words) if options.units == "bpe" else None
    return Vocabulary(words.words, Reading.of(options, pairs))


def load_words(folder: Path) -> Vocabulary:
    """Load the vocabulary of the model in a folder; errors are those of `words_in`."""
    return read_folder(folder, words_in)


def _load_pairs(folder: OpenFolder, words: Vocabulary) -> BytePairs:
    try:
        content = folder.read(PAIRS, LARGEST_PAIRS).decode()
    except (FileNotFoundError, UnicodeDecodeError) as error:
        raise DataError(f"{PAIRS} is missing or no text: byte pairs are cut by it") from error
    pairs = BytePairs.from_json(content, PAIRS)
    if set(pairs.units) != set(words.words) - {EOS}:
        raise DataError(f"{PAIRS} has other units than {WORDS}: it is another model's")
    return pairs
