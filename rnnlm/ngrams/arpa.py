r"""ARPA files: n-gram models as text, which SRILM, KenLM, Kaldi and others read and write.

    \data\
    ngram 1=10001
    ngram 2=264990

    \1-grams:
    -1.5	the	-0.8
    ...
    \end\

A line has the base-10 logarithm of an n-gram's probability, its words and, unless the order is the highest, the base-10
logarithm of its back-off weight. `<s>` begins a sentence, `</s>` ends it (our `<eos>`), `<unk>` is any unknown word;
-99 stands for the logarithm of 0.
"""

import gzip
import os
from math import log

import numpy as np
from numpy.typing import NDArray

from rnnlm.data.reading import Reading
from rnnlm.data.vocabulary import EOS, UNK, Vocabulary
from rnnlm.errors import InputError
from rnnlm.files import atomic_file
from rnnlm.ngrams.model import NGram

__all__ = [
    "END",
    "OURS",
    "START",
    "TEN",
    "ZERO",
    "expect_names",
    "expect_plain",
    "is_packed",
    "looks_like_arpa",
    "write_arpa",
]

START, END = "<s>", "</s>"
OURS = {END: EOS, "<UNK>": UNK}  # words in such files, and our names for them
ZERO = -99.0  # stands for log10(0)
BLOCK = 1 << 16  # n-grams written at a time
TEN = log(10)


def write_arpa(path: str | os.PathLike[str], model: NGram, words: Vocabulary) -> None:
    """Write a model to an ARPA file, atomically; compressed if the name ends in .gz.

    Raises:
        InputError: words with another meaning in such a file, or units that are not words separated by blanks.
    """
    names = expect_names(words)
    with atomic_file(path) as file:
        packed = gzip.GzipFile(fileobj=file, mode="wb", mtime=0) if is_packed(path) else file
        packed.write(b"\\data\\\n")
        for n, table in enumerate(model.tables, 1):
            packed.write(f"ngram {n}={len(table)}\n".encode())
        for n, table in enumerate(model.tables, 1):
            packed.write(f"\n\\{n}-grams:\n".encode())
            for begin in range(0, len(table), BLOCK):
                packed.write(_lines(model, n, begin, min(begin + BLOCK, len(table)), names).encode())
        packed.write(b"\n\\end\\\n")
        if packed is not file:
            packed.close()


def looks_like_arpa(path: str | os.PathLike[str]) -> bool:
    """Whether a file has the line \\data\\ near its beginning, or is compressed with gzip."""
    with open(path, "rb") as file:
        begin = file.read(1 << 12)
    return begin.startswith(b"\x1f\x8b") or b"\\data\\" in (line.strip() for line in begin.splitlines())


def expect_plain(reading: Reading) -> None:
    """Check that units are words without cleaning: an ARPA file can't represent anything else."""
    if not reading.plain:
        raise InputError(
            f"an ARPA file can't say how a text is read, and this model reads {reading}: write a folder instead"
        )


def expect_names(words: Vocabulary) -> list[str]:
    """Return the words as in an ARPA file, followed by `<s>`; errors are those of `write_arpa`."""
    expect_plain(words.reading)
    for word in (START, *OURS):
        if word in words:
            raise InputError(f"{word!r} must not be a word of the text: in an ARPA file it means something else")
    return [*(END if word == EOS else word for word in words.words), START]


def _lines(model: NGram, order: int, begin: int, end: int, names: list[str]) -> str:
    """Return the lines of some n-grams."""
    table = model.tables[order - 1]
    columns, places = [], np.arange(begin, end)
    for shorter in reversed(model.tables[:order]):
        contexts, last = np.divmod(shorter.keys[places], model.vocab_size + 1)
        columns.append([names[i] for i in last.tolist()])
        places = contexts
    ngrams = map(" ".join, zip(*reversed(columns)))
    probs = _to_base_10(table.logprobs[begin:end])
    if order == model.order:
        return "".join(f"{p:.7g}\t{ngram}\n" for p, ngram in zip(probs, ngrams))
    backoffs = _to_base_10(table.backoffs[begin:end])
    return "".join(f"{p:.7g}\t{ngram}\t{b:.7g}\n" for p, ngram, b in zip(probs, ngrams, backoffs))


def _to_base_10(logs: NDArray[np.float64]) -> list[float]:
    return np.maximum(logs / TEN, ZERO).tolist()


def is_packed(path: str | os.PathLike[str]) -> bool:
    """Whether a file is compressed, judged by its name."""
    return os.fspath(path).endswith(".gz")
