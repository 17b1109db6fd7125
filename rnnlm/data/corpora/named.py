"""Corpora by name: `story`, `ptb`, or any text or encoded file, each as train, valid and test parts."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from math import ceil
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rnnlm.checks import instance_of, path_of, whole_number
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
HELD_OUT = 0.05  # of a file, for each of valid and test
LOOK = 1 << 16  # ids looked through at once for the end of a line
Ids = NDArray[np.integer] | Tokens


@dataclass(frozen=True)
class Corpus:
    """Texts as word ids, and the words.

    Attributes:
        train, valid, test: ids (tokens,): arrays, or of an encoded corpus `Tokens`; valid and test may be empty.
        vocabulary: the words.
        floors: perplexity of each part that no honest model gets below, where it is known.
    """

    train: Ids
    valid: Ids
    test: Ids
    vocabulary: Vocabulary
    floors: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Part:
    """A text in the words of a model.

    Attributes:
        ids: (tokens,): an array, or of an encoded corpus `Tokens`.
        unknown: how many of them are not among the words and became `<unk>`; None where that is known of the whole
            file alone.
        size: of the text, whatever it is cut into; None where the file has ids alone.
    """

    ids: Ids
    unknown: int | None
    size: TextSize | None = None


def load_corpus(
    name: str, data_dir: ptb.DataDir = None, max_words: int = 10_000, options: TextOptions | None = None
) -> Corpus:
    """All parts of a corpus.

    A file is cut at line ends: its last 5 percent are the test part, the 5 percent before them the valid part. Where
    lines are so long that a part would have less than half of that, it is cut between any two words; not with options
    for sentences, which have to be whole.

    Args:
        name: 'story', 'ptb', or the path of a UTF-8 text file or of an encoded corpus.
        data_dir: where Penn Treebank is; see `ptb`.
        max_words: of a text file keep so many words, the most frequent ones; all others become `<unk>`. An encoded
            corpus has its words already.
        options: how a text is cleaned, and what it is cut into; the built-in stories and encoded corpora are words.

    Raises:
        DataError: no such corpus; the nearest name is offered.
        InputError: options that do not go with the corpus.
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
    """One part of a corpus, or a whole file, in the words of a model.

    Args:
        name, data_dir: as of `load_corpus`.
        part: 'train', 'valid' or 'test', of a file as `load_corpus` cuts it; None for the whole of a file.
        words: of the model.
        column: of a CSV file; unless given, a file called .csv is read by the column that the model was trained on.

    Raises:
        DataError: a strange word, and the model has no `<unk>`; an encoded corpus in words that can't be translated.
    """
    if name == "story":
        return _of_story(expect_part(part), words)
    if name == "ptb":
        return _of_file(ptb.find(expect_part(part), data_dir), words, column)
    path = _expect_file(name)
    whole = _of_file(path, words, column)
    return whole if part is None else _part_of(whole, expect_part(part), path, words.for_file(path, column))


def _of_file(path: Path, words: Vocabulary, column: str | None) -> Part:
    """The whole of a file."""
    if is_encoded(path):
        return Part(*in_words_of(path, words))
    size, unknown = TextSize(), Counter[bytes]()
    ids, _ = read_corpus(path, words.for_file(path, column), size=size, unknown=unknown)
    return Part(ids, unknown.total(), size)


def _part_of(whole: Part, part: str, path: Path, words: Vocabulary) -> Part:
    """A part of a file, cut as for a training."""
    parts = _in_parts(whole.ids, words, words.reading.options.sentences)
    begins = {"train": 0, "valid": len(parts.train), "test": len(parts.train) + len(parts.valid)}
    ids, begin = getattr(parts, part), begins[part]
    if whole.size is None:
        return Part(ids, None if whole.unknown else 0)
    size, unknown = part_size(path, words, begin, begin + len(ids))
    return Part(ids, unknown, size)


def _of_story(part: str, words: Vocabulary) -> Part:
    """Part of the stories, cut into the units of a model."""
    corpus, _, id_to_word = story.load_data(part)
    size, text = TextSize(), [id_to_word[i] for i in corpus.tolist()]
    lines = [line.strip() for line in " ".join(text).split(EOS)]
    *whole, rest = lines  # of which the last one may be cut short
    for line in whole:
        size.add(line, words.reading)
    if not words.reading.plain:
        text = [unit for line in whole for unit in (*words.reading.cut(line), EOS)] + words.reading.cut(rest)
    return Part(words.encode(text), sum(word not in words for word in text), size)


def _expect_file(name: str) -> Path:
    """The path of a file, or an error that knows the built-in corpora too."""
    if not Path(name).is_file():
        near = get_close_matches(str(name), BUILT_IN, 1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise DataError(f"corpus must be {', '.join(BUILT_IN)} or a text file, and {str(name)!r} is none of them{hint}")
    return Path(name)


def _in_parts(ids: Ids, words: Vocabulary, whole_lines: bool) -> Corpus:
    """Train, valid and test parts of a text, each ending with a line if they then are about as long as they are to be,
    or if lines have to be whole."""
    places = [ceil(len(ids) * share) for share in (1 - 2 * HELD_OUT, 1 - HELD_OUT)]
    first, second = (_line_end(ids, place, words.eos_id) for place in places)
    if not whole_lines and 2 * min(second - first, len(ids) - second) < HELD_OUT * len(ids):
        first, second = places
    return Corpus(ids[:first], ids[first:second], ids[second:], words)


def _line_end(ids: Ids, position: int, eos_id: int | None) -> int:
    """The first place from `position` on at which a line is over, found without a pass over all ids."""
    if eos_id is None:
        return position
    for start in range(max(position - 1, 0), len(ids), LOOK):
        found = np.flatnonzero(np.asarray(ids[start : start + LOOK]) == eos_id)
        if found.size:
            return start + int(found[0]) + 1
    return len(ids)
