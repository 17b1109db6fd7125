"""Reading UTF-8 text files as corpora: words separated by ASCII white space, `<eos>` at the end of each line."""

import os
from array import array
from collections import Counter
from collections.abc import Collection, Iterator

import numpy as np
from numpy.typing import NDArray

from rnnlm.checks import instance_of, path_of, whole_number
from rnnlm.data.bpe import FEWEST, BytePairs
from rnnlm.data.cleaning import TextOptions
from rnnlm.data.csv_column import rows_of
from rnnlm.data.lines import Advance, expect_text, raw_lines
from rnnlm.data.reading import PLAIN, Reading, TextSize
from rnnlm.data.vocabulary import EOS, UNK, Vocabulary
from rnnlm.errors import DataError, InputError

__all__ = ["frequent_words", "lines_of", "no_text", "read_corpus", "strange_word", "text_lines", "vocabulary_of"]

EMPTY = "{} is empty: a corpus needs at least one line"


def read_corpus(
    path: str | os.PathLike[str],
    vocabulary: Vocabulary | None = None,
    max_tokens: int | None = None,
    size: TextSize | None = None,
    unknown: Counter[bytes] | None = None,
) -> tuple[NDArray[np.int32], Vocabulary]:
    """Read a text file as word ids.

    Words are separated by ASCII white space only, as in KenLM and Kaldi: a no-break space is part of a word. Each line
    ends with `<eos>`; an empty line consists of it. Memory use is that of the ids, even if the file is one long line.

    Args:
        path: a UTF-8 file, with or without a byte-order mark.
        vocabulary: the vocabulary to use (default: the file's own words, numbered in order of appearance).
        max_tokens: stop after so many ids (default: no limit).
        size: a `TextSize` that counts what is read.
        unknown: a counter of the words that are not in the vocabulary.

    Returns:
        ids: (tokens,) int32.
        vocabulary: the one given, or the file's own.

    Raises:
        DataError: a missing or empty file, bytes that are not UTF-8, a word of more than a million bytes, or a word
            outside a vocabulary without `<unk>`.
    """
    path = path_of("path", path)
    max_tokens = None if max_tokens is None else whole_number("max_tokens", max_tokens, 1)
    if vocabulary is not None:
        instance_of("vocabulary", vocabulary, Vocabulary)
    ids = array("i")
    own: dict[bytes, int] = {}
    known = None if vocabulary is None else {word.encode(): i for word, i in vocabulary.word_to_id.items()}
    unk_id = None if vocabulary is None else vocabulary.unk_id
    reading = PLAIN if vocabulary is None else vocabulary.reading
    for number, words in lines_of(path, None, reading, size, in_pieces=True):
        if known is None:
            ids.extend([own.setdefault(word, len(own)) for word in words])
        else:
            try:
                ids.extend([known.get(word, unk_id) for word in words])  # type: ignore[misc]
            except TypeError as error:
                raise strange_word(path, number, words, known) from error
            if unknown is not None:
                unknown.update(word for word in words if word not in known)
        if max_tokens is not None and len(ids) >= max_tokens:
            break
    if not ids:
        raise no_text(path, reading)
    tokens = np.frombuffer(ids, np.int32)[:max_tokens]
    if vocabulary is None:
        vocabulary = Vocabulary(word.decode() for word, i in own.items() if i <= tokens.max())
    return tokens, vocabulary


def strange_word(path: str | os.PathLike[str], line: int, words: list[bytes], known: Collection[bytes]) -> DataError:
    """Return the error for the first word of a line that is not in a vocabulary without `<unk>`."""
    strange = next(word for word in words if word not in known).decode()
    return DataError(
        f"{path}, line {line}: {strange!r} is not among the {len(known)} words of the vocabulary, which has no {UNK}"
    )


def frequent_words(
    path: str | os.PathLike[str], max_words: int, advance: Advance | None = None, reading: Reading = PLAIN
) -> Vocabulary:
    """Return a vocabulary of `max_words` words: `<unk>`, `<eos>` and the most frequent words of a text.

    Other arguments are those of `lines_of`. Memory grows with the number of different words only.
    """
    counts: Counter[bytes] = Counter()
    for _, words in lines_of(path, advance, reading, in_pieces=True):
        counts.update(words)
    if len(counts) < 2 and (reading.options.cleans or reading.options.column is not None):
        raise no_text(path, reading)
    special = [UNK, EOS]
    for word in special:
        counts.pop(word.encode(), None)
    return Vocabulary([*special, *(word.decode() for word, _ in counts.most_common(max_words - len(special)))], reading)


def vocabulary_of(path: str | os.PathLike[str], max_words: int, options: TextOptions) -> Vocabulary:
    """Return a vocabulary of `max_words` units of a text: `<unk>`, `<eos>` and the most frequent words or characters;
    or `<eos>` and byte pairs, which can represent any text."""
    if options.units != "bpe":
        return frequent_words(path, max_words, reading=Reading.of(options))
    if max_words <= FEWEST:
        raise InputError(
            f"max_words of units bpe must be at least {FEWEST + 1}, a byte each and <eos>, got {max_words}"
        )
    lines = [line for _, line in text_lines(path, Reading(options))]
    if not any(lines):
        raise no_text(path, Reading(options))
    pairs = BytePairs.learn(lines, max_words - 1)
    return Vocabulary([EOS, *pairs.units], Reading(options, pairs))


def no_text(path: str | os.PathLike[str], reading: Reading) -> DataError:
    """Return the error for a file without any text to read."""
    if reading.options.column is not None and not reading.options.cleans:
        return DataError(f"{path} has no text in its column {reading.options.column!r}")
    if reading.options.cleans:
        return DataError(f"{path} has no text left once it is cleaned: allow more of it")
    return DataError(EMPTY.format(path))


def lines_of(
    path: str | os.PathLike[str],
    advance: Advance | None = None,
    reading: Reading = PLAIN,
    size: TextSize | None = None,
    in_pieces: bool = False,
) -> Iterator[tuple[int, list[bytes]]]:
    """Yield each line's number from 1 and its units with `<eos>`, as UTF-8.

    Args:
        path: a UTF-8 file.
        advance: called with the size in bytes of each line after its use.
        reading: how lines are cleaned and split into units.
        size: a `TextSize` that counts what is read.
        in_pieces: let very long lines come in pieces; `<eos>` ends the last piece.

    Raises:
        DataError: not a file, bytes that are not UTF-8, or a line or word that is too long.
    """
    eos, begins = EOS.encode(), True
    if reading.plain and reading.options.column is None and size is None:
        for number, line, ends in raw_lines(path, advance, reading.end_of_piece if in_pieces else None):
            words = line.split()
            if ends:
                words.append(eos)
            yield number, words
        return
    for number, text, ends in _texts(path, reading, advance, in_pieces):
        if size is not None:
            size.add(text, reading, begins, ends)
        words = [unit.encode() for unit in reading.units.cut(text)]
        if ends:
            words.append(eos)
        yield number, words
        begins = ends


def text_lines(
    path: str | os.PathLike[str], reading: Reading, advance: Advance | None = None
) -> Iterator[tuple[int, str]]:
    """Yield lines before they are split into units: cleaned, with some left out, without line ends."""
    return ((number, line) for number, line, _ in _texts(path, reading, advance, in_pieces=False))


def _texts(
    path: str | os.PathLike[str], reading: Reading, advance: Advance | None, in_pieces: bool
) -> Iterator[tuple[int, str, bool]]:
    """Yield lines as `text_lines`, possibly in pieces, and whether the line ends there."""
    if reading.options.column is None:
        cut = reading.end_of_piece if in_pieces else None
        lines = ((n, line.decode(), ends) for n, line, ends in raw_lines(path, advance, cut))
    else:
        expect_text(path)
        lines = ((n, line, True) for n, line in rows_of(path, reading.options.column))
    for number, line, ends in lines:
        cleaned = reading.cleaned(line.rstrip("\r") if ends else line)
        if cleaned is not None:
            yield number, cleaned, ends
