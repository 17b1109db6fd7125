"""Load a corpus by name (`story`, `ptb`) or from a text or encoded file, in train, valid and test parts."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import ceil
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rnnlm.checks import did_you_mean, instance_of, path_of, whole_number
from rnnlm.data.cleaning import TextOptions
from rnnlm.data.corpora import ptb, story
from rnnlm.data.corpora.parts import PARTS, expect_part
from rnnlm.data.encoded import is_encoded, open_corpus
from rnnlm.data.part_size import part_size
from rnnlm.data.reading import TextSize
from rnnlm.data.text import read_corpus, vocabulary_of
from rnnlm.data.tokens import Tokens
from rnnlm.data.translated import in_words_of
from rnnlm.data.vocabulary import EOS, Vocabulary
from rnnlm.errors import DataError, InputError

__all__ = ["BUILT_IN", "Corpus", "Part", "load_corpus", "load_part"]

BUILT_IN = ("story", "ptb")
HELD_OUT = 0.05  # share of a file, for valid and for test
LOOK = 1 << 16  # ids searched at once for the end of a line
Ids = NDArray[np.integer] | Tokens


@dataclass(frozen=True)
class Corpus:
    """The parts of a corpus as word ids, and its vocabulary.

    Attributes:
        train, valid, test: ids (tokens,): arrays, or `Tokens` for an encoded corpus; valid and test may be empty.
        vocabulary: the words.
        floors: the lowest perplexity that a model can be expected to reach on each part, where it is known.
    """

    train: Ids
    valid: Ids
    test: Ids
    vocabulary: Vocabulary
    floors: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Part:
    """A text in the vocabulary of a model.

    Attributes:
        ids: (tokens,): an array, or `Tokens` for an encoded corpus.
        unknown: number of tokens that became `<unk>`; None for part of a file if only the whole file's number is known.
        size: words, characters and bytes of the text; None for an encoded corpus, which has only ids.
    """

    ids: Ids
    unknown: int | None
    size: TextSize | None = None


def load_corpus(
    name: str, data_dir: ptb.DataDir = None, max_words: int = 10_000, options: TextOptions | None = None
) -> Corpus:
    """Load all parts of a corpus.

    A file is split at line ends: its last 5 percent are the test part, the 5 percent before them the valid part. If
    lines are so long that a part would have less than half of that, it is split between any two tokens, except with
    `options.sentences`, which need whole lines.

    Args:
        name: 'story', 'ptb', or the path of a UTF-8 text file or of an encoded corpus.
        data_dir: folder of Penn Treebank; see `ptb`.
        max_words: vocabulary size for a text file: the most frequent words are kept, all others become `<unk>`. An
            encoded corpus has its own vocabulary.
        options: how a text is cleaned and split into units; the built-in stories and encoded corpora are always words.

    Raises:
        DataError: no such corpus; the message suggests the nearest name.
        InputError: options that the corpus does not support.
    """
    options = TextOptions() if options is None else instance_of("options", options, TextOptions)
    options.check()
    name, max_words = str(path_of("name, of a corpus,", name)), whole_number("max_words", max_words, 3)
    as_it_is = options.units == "word" and not options.cleans and options.column is None
    if name == "story":
        _expect_plain(name, as_it_is)
        train, valid, test = (story.load_data(part)[0] for part in PARTS)
        floors = {part: float(np.exp(story.floor(part))) for part in PARTS}
        return Corpus(train, valid, test, story.vocabulary(), floors)
    if name == "ptb":
        first = ptb.find("train", data_dir)
        words = ptb.vocabulary(data_dir) if as_it_is else vocabulary_of(first, max_words, options)
        train, valid, test = (read_corpus(ptb.find(part, data_dir), words)[0] for part in PARTS)
        return Corpus(train, valid, test, words)
    path = _expect_file(name)
    if is_encoded(path):
        _expect_plain(name, as_it_is)
        return _in_parts(*open_corpus(path), options.sentences)
    return _in_parts(*read_corpus(path, vocabulary_of(path, max_words, options)), options.sentences)


def _expect_plain(name: str, as_it_is: bool) -> None:
    if not as_it_is:
        raise InputError(f"{name} is words already: units, column and what cleans a text are for text files")


def load_part(
    name: str, part: str | None, words: Vocabulary, data_dir: ptb.DataDir = None, column: str | None = None
) -> Part:
    """Load one part of a corpus, or a whole file, in the vocabulary of a model.

    Args:
        name, data_dir: as in `load_corpus`.
        part: 'train', 'valid' or 'test', split as in `load_corpus`; None for a whole file.
        words: the model's vocabulary.
        column: column of a CSV file (default: for a file called .csv, the column that the model was trained on).

    Raises:
        DataError: an unknown word, and the model has no `<unk>`; or an encoded corpus that can't be translated.
    """
    if name == "story":
        return _of_story(expect_part(part), words)
    if name == "ptb":
        return _of_file(ptb.find(expect_part(part), data_dir), words, column)
    path = _expect_file(name)
    whole = _of_file(path, words, column)
    return whole if part is None else _part_of(whole, expect_part(part), path, words.for_file(path, column))


def _of_file(path: Path, words: Vocabulary, column: str | None) -> Part:
    """Load a whole file."""
    if is_encoded(path):
        return Part(*in_words_of(path, words))
    size, unknown = TextSize(), Counter[bytes]()
    ids, _ = read_corpus(path, words.for_file(path, column), size=size, unknown=unknown)
    return Part(ids, unknown.total(), size)


def _part_of(whole: Part, part: str, path: Path, words: Vocabulary) -> Part:
    """Return part of a file, split as for training."""
    parts = _in_parts(whole.ids, words, words.reading.options.sentences)
    begins = {"train": 0, "valid": len(parts.train), "test": len(parts.train) + len(parts.valid)}
    ids, begin = getattr(parts, part), begins[part]
    if whole.size is None:
        return Part(ids, None if whole.unknown else 0)
    size, unknown = part_size(path, words, begin, begin + len(ids))
    return Part(ids, unknown, size)


def _of_story(part: str, words: Vocabulary) -> Part:
    """Return part of the stories, split into the units of a model."""
    corpus, _, id_to_word = story.load_data(part)
    size, text = TextSize(), [id_to_word[i] for i in corpus.tolist()]
    lines = [line.strip() for line in " ".join(text).split(EOS)]
    *whole, rest = lines  # the last one may be incomplete
    for line in whole:
        size.add(line, words.reading)
    if not words.reading.plain:
        text = [unit for line in whole for unit in (*words.reading.cut(line), EOS)] + words.reading.cut(rest)
    return Part(words.encode(text), sum(word not in words for word in text), size)


def _expect_file(name: str) -> Path:
    """Return the path of a file; if there is none, raise an error that mentions the built-in corpora."""
    if not Path(name).is_file():
        if Path(name).is_fifo():
            hint = ": it is a pipe, and a corpus is read more than once: save it as a file"
        else:
            hint = did_you_mean(str(name), BUILT_IN) or ("" if Path(name).exists() else ": there is no such file")
        raise DataError(f"corpus must be {', '.join(BUILT_IN)} or a text file, and {str(name)!r} is none of them{hint}")
    return Path(name)


def _in_parts(ids: Ids, words: Vocabulary, whole_lines: bool) -> Corpus:
    """Split a text into train, valid and test parts. Each ends with a line, if lines must be whole or the parts then
    still have about the intended length."""
    places = [ceil(len(ids) * share) for share in (1 - 2 * HELD_OUT, 1 - HELD_OUT)]
    first, second = (_line_end(ids, place, words.eos_id) for place in places)
    if not whole_lines and 2 * min(second - first, len(ids) - second) < HELD_OUT * len(ids):
        first, second = places
    return Corpus(ids[:first], ids[first:second], ids[second:], words)


def _line_end(ids: Ids, position: int, eos_id: int | None) -> int:
    """Return the first position from `position` on where a line ends, without scanning all ids."""
    if eos_id is None:
        return position
    for start in range(max(position - 1, 0), len(ids), LOOK):
        found = np.flatnonzero(np.asarray(ids[start : start + LOOK]) == eos_id)
        if found.size:
            return start + int(found[0]) + 1
    return len(ids)
