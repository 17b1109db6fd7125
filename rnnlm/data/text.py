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
from rnnlm.data.encoded import MAGIC
from rnnlm.data.vocabulary import EOS, UNK, Vocabulary
from rnnlm.errors import DataError

__all__ = ["frequent_words", "lines_of", "read_corpus", "strange_word"]

EMPTY = "{} is empty: a corpus needs at least one line"
Advance = Callable[[int], object]


def read_corpus(
    path: str | os.PathLike[str], vocabulary: Vocabulary | None = None, max_tokens: int | None = None
) -> tuple[NDArray[np.int32], Vocabulary]:
    """Read a text file as word ids.

    Words are separated by ASCII white space only, as KenLM and Kaldi have it: a no-break space is part of a word. Each
    line ends with `<eos>`, an empty one consists of it. The file is read line by line, so memory is that of the ids.

    Args:
        path: a UTF-8 file, with or without a byte-order mark.
        vocabulary: the words to use; unless given, the file's own words are numbered in order of appearance.
        max_tokens: stop after so many ids.

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
    unknown = None if vocabulary is None else vocabulary.unk_id
    for number, words in lines_of(path):
        if known is None:
            ids.extend([own.setdefault(word, len(own)) for word in words])
        else:
            try:
                ids.extend([known.get(word, unknown) for word in words])  # type: ignore[misc]
            except TypeError as error:
                raise strange_word(path, number, words, known) from error
        if max_tokens is not None and len(ids) >= max_tokens:
            break
    if not ids:
        raise DataError(EMPTY.format(path))
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


def frequent_words(path: str | os.PathLike[str], max_words: int, advance: Advance | None = None) -> Vocabulary:
    """`<unk>`, `<eos>`, and the most frequent words of a text, `max_words` in all. `advance` as of `lines_of`.

    Memory is that of the different words.
    """
    counts: Counter[bytes] = Counter()
    for _, words in lines_of(path, advance):
        counts.update(words)
    special = [UNK, EOS]
    for word in special:
        counts.pop(word.encode(), None)
    return Vocabulary([*special, *(word.decode() for word, _ in counts.most_common(max_words - len(special)))])


def lines_of(path: str | os.PathLike[str], advance: Advance | None = None) -> Iterator[tuple[int, list[bytes]]]:
    """The words of each line, `<eos>` included, with the line's number from 1; each line is checked to be UTF-8.

    Args:
        path: a UTF-8 file.
        advance: called with the number of bytes of each line, once it is dealt with.

    Raises:
        DataError: no file, or bytes that are not UTF-8.
    """
    if not Path(path).is_file() and not Path(path).is_fifo() and not Path(path).is_char_device():
        raise DataError(f"{path} {'is not a file' if Path(path).exists() else 'does not exist'}")
    start, eos = 0, EOS.encode()
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
            yield number, [*line.removeprefix(BOM_UTF8 if number == 1 else b"").split(), eos]
            start += len(line)
            if advance is not None:
                advance(len(line))
