"""Any UTF-8 text file as a corpus: words separated by ASCII white space, `<eos>` at the end of each line."""

import os
from array import array
from codecs import BOM_UTF8
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rnnlm.checks import whole_number
from rnnlm.data.bpe import FEWEST, BytePairs
from rnnlm.data.cleaning import TextOptions
from rnnlm.data.csv_column import rows_of
from rnnlm.data.encoded_header import MAGIC
from rnnlm.data.reading import PLAIN, Reading, TextSize
from rnnlm.data.vocabulary import EOS, UNK, Vocabulary
from rnnlm.errors import DataError, InputError

__all__ = ["frequent_words", "lines_of", "no_text", "read_corpus", "strange_word", "text_lines", "vocabulary_of"]

EMPTY = "{} is empty: a corpus needs at least one line"
Advance = Callable[[int], object]


def read_corpus(
    path: str | os.PathLike[str],
    vocabulary: Vocabulary | None = None,
    max_tokens: int | None = None,
    size: TextSize | None = None,
    unknown: Counter[bytes] | None = None,
) -> tuple[NDArray[np.int32], Vocabulary]:
    """Read a text file as word ids.

    Words are separated by ASCII white space only, as KenLM and Kaldi have it: a no-break space is part of a word. Each
    line ends with `<eos>`, an empty one consists of it. The file is read line by line, so memory is that of the ids.

    Args:
        path: a UTF-8 file, with or without a byte-order mark.
        vocabulary: the words to use; unless given, the file's own words are numbered in order of appearance.
        max_tokens: stop after so many ids.
        size: to be counted on.
        unknown: words that are not in the vocabulary, to be counted on.

    Returns:
        ids: (tokens,) int32.
        vocabulary: the one given, or the file's own.

    Raises:
        DataError: a missing or empty file, bytes that are not UTF-8, or a word outside a vocabulary without `<unk>`.
    """
    if max_tokens is not None:
        whole_number("max_tokens", max_tokens, 1)
    ids = array("i")
    own: dict[bytes, int] = {}
    known = None if vocabulary is None else {word.encode(): i for word, i in vocabulary.word_to_id.items()}
    unk_id = None if vocabulary is None else vocabulary.unk_id
    for number, words in lines_of(path, None, PLAIN if vocabulary is None else vocabulary.reading, size):
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
        raise no_text(path, PLAIN if vocabulary is None else vocabulary.reading)
    tokens = np.frombuffer(ids, np.int32)[:max_tokens]
    if vocabulary is None:
        vocabulary = Vocabulary(word.decode() for word, i in own.items() if i <= tokens.max())
    return tokens, vocabulary


def strange_word(path: str | os.PathLike[str], line: int, words: list[bytes], known: Mapping[bytes, int]) -> DataError:
    """The error for the first of a line's words that a vocabulary without `<unk>` has not."""
    strange = next(word for word in words if word not in known).decode()
    return DataError(
        f"{path}, line {line}: {strange!r} is not among the {len(known)} words of the vocabulary, which has no {UNK}"
    )


def frequent_words(
    path: str | os.PathLike[str], max_words: int, advance: Advance | None = None, reading: Reading = PLAIN
) -> Vocabulary:
    """`<unk>`, `<eos>`, and the most frequent words of a text, `max_words` in all; other arguments as of `lines_of`.

    Memory is that of the different words.
    """
    counts: Counter[bytes] = Counter()
    for _, words in lines_of(path, advance, reading):
        counts.update(words)
    if len(counts) < 2 and (reading.options.cleans or reading.options.column is not None):
        raise no_text(path, reading)
    special = [UNK, EOS]
    for word in special:
        counts.pop(word.encode(), None)
    return Vocabulary([*special, *(word.decode() for word, _ in counts.most_common(max_words - len(special)))], reading)


def vocabulary_of(path: str | os.PathLike[str], max_words: int, options: TextOptions) -> Vocabulary:
    """`max_words` units of a text, by options: `<unk>`, `<eos>` and the most frequent words or characters; or `<eos>`
    and byte pairs, in which any text can be written."""
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
    """The error for a file in which there is nothing to read."""
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
) -> Iterator[tuple[int, list[bytes]]]:
    """The words of each line, `<eos>` included, with the line's number from 1; each line is checked to be UTF-8.

    Args:
        path: a UTF-8 file.
        advance: called with the number of bytes of each line, once it is dealt with.
        reading: how lines are cleaned, and what they are cut into.
        size: to be counted on.

    Raises:
        DataError: no file, or bytes that are not UTF-8.
    """
    eos = EOS.encode()
    if reading.plain and reading.options.column is None and size is None:
        for number, line in _raw_lines(path, advance):
            yield number, [*line.split(), eos]
        return
    for number, text in text_lines(path, reading, advance):
        if size is not None:
            size.add(text, reading)
        yield number, [*(unit.encode() for unit in reading.units.cut(text)), eos]


def text_lines(
    path: str | os.PathLike[str], reading: Reading, advance: Advance | None = None
) -> Iterator[tuple[int, str]]:
    """Lines as they are before they are cut: cleaned, those to be left out left out, without their ends."""
    lines: Iterator[tuple[int, str]]
    if reading.options.column is None:
        lines = ((number, line.decode().rstrip("\r\n")) for number, line in _raw_lines(path, advance))
    else:
        _expect_file(path)
        lines = rows_of(path, reading.options.column)
    for number, line in lines:
        cleaned = reading.cleaned(line)
        if cleaned is not None:
            yield number, cleaned


def _expect_file(path: str | os.PathLike[str]) -> None:
    if not Path(path).is_file() and not Path(path).is_fifo() and not Path(path).is_char_device():
        raise DataError(f"{path} {'is not a file' if Path(path).exists() else 'does not exist'}")


def _raw_lines(path: str | os.PathLike[str], advance: Advance | None) -> Iterator[tuple[int, bytes]]:
    """The lines of a file by their numbers from 1, each checked to be UTF-8."""
    _expect_file(path)
    start = 0
    with open(path, "rb") as file:
        for number, line in enumerate(file, 1):
            try:
                line.decode()
            except UnicodeDecodeError as error:
                if number == 1 and line.startswith(MAGIC):
                    raise DataError(f"{path} is an encoded corpus, and here a text is needed") from error
                raise DataError(
                    f"{path} is not UTF-8: line {number}, byte {start + error.start} of the file "
                    f"({line[error.start]:#04x}): {error.reason}; convert it first, as with iconv -t UTF-8"
                ) from error
            yield number, line.removeprefix(BOM_UTF8 if number == 1 else b"")
            start += len(line)
            if advance is not None:
                advance(len(line))
