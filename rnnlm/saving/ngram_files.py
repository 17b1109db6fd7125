"""N-gram models in files: ARPA, which others read, or a folder, which opens at once.

The folder has config.json, ngrams.safetensors, vocab.txt and text.json. Its tables are mapped: they stay in the file
until they are asked for, and processes share them.
"""

import json
import os
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from rnnlm import __version__
from rnnlm.data.reading import Reading
from rnnlm.data.vocabulary import Vocabulary
from rnnlm.errors import DataError, InputError, ModelFileError
from rnnlm.files import atomic_file, write_atomic
from rnnlm.ngrams.arpa import expect_names, expect_plain, write_arpa
from rnnlm.ngrams.arpa_reader import read_arpa
from rnnlm.ngrams.model import NGram, Table
from rnnlm.progress import note
from rnnlm.saving.reading_files import WORDS, load_words, save_words

__all__ = ["expect_new", "expect_reading", "expect_words", "is_ngram", "load_ngram", "save_ngram"]

FORMAT = 1
CONFIG, TABLES = "config.json", "ngrams.safetensors"
TYPES = {"I64": np.dtype("<i8"), "F64": np.dtype("<f8")}
Path_ = str | os.PathLike[str]


def is_ngram(path: Path_) -> bool:
    """Whether a path is an n-gram model's: any file, which must then be ARPA, or a folder with its tables."""
    return (Path(path) / TABLES).is_file() if Path(path).is_dir() else Path(path).exists()


def save_ngram(path: Path_, model: NGram, vocabulary: Vocabulary) -> None:
    """Write an n-gram model: as ARPA if the name ends with .arpa or .arpa.gz, else as a folder, made if need be.

    Raises:
        InputError: a vocabulary of another size than the model's, or one that ARPA can't have; nothing is written.
    """
    if len(vocabulary) != model.vocab_size or vocabulary.eos_id != model.start_id:
        raise InputError(
            f"the model has {model.vocab_size} words and <eos> as {model.start_id}, the vocabulary "
            f"{len(vocabulary)} and {vocabulary.eos_id}"
        )
    if _is_arpa(path):
        write_arpa(path, model, vocabulary)
        return
    folder = Path(path)
    folder.mkdir(parents=True, exist_ok=True)
    config = {
        "format": FORMAT, "rnnlm": __version__, "model": "ngram", "order": model.order,
        "vocab_size": model.vocab_size, "eos_id": model.start_id, "discounts": model.discounts,
    }  # fmt: skip
    write_atomic(folder / CONFIG, (json.dumps(config, indent=2) + "\n").encode())
    save_words(folder, vocabulary)
    _save_tables(folder / TABLES, model, _digest(vocabulary))


def expect_new(path: Path_, overwrite: bool) -> None:
    """Check that a model can be written to `path`: nothing is there, or what it may replace.

    Raises:
        InputError: something is there, and `overwrite` is not said or it is of another kind; or no such folder.
    """
    out = Path(path)
    replaced = out.is_file() if _is_arpa(path) else (out / TABLES).is_file()
    if out.exists() and not (overwrite and replaced):
        kind = "an ARPA file" if _is_arpa(path) else "the folder of an n-gram model"
        remedy = "name another" if overwrite else "name another, or overwrite it: --overwrite"
        raise InputError(f"out must be new, or {kind}, and {out} exists: {remedy}")
    if not out.parent.is_dir():
        raise InputError(f"out must be in a folder that exists, got {out}")


def expect_reading(path: Path_, reading: Reading) -> None:
    """Check that what is written to `path` can say how a text is read; an ARPA file says nothing of it.

    Raises:
        InputError: it can't, and texts would be cut into other units than the model has.
    """
    if not _is_arpa(path):
        return
    expect_plain(reading)
    if reading.options.sentences or reading.options.column is not None:
        note(f"an ARPA file can't say how a text is read, and this model reads {reading}: a folder keeps it")


def expect_words(path: Path_, vocabulary: Vocabulary) -> None:
    """Check, before n-grams are counted, that a model with these words can be written to `path`.

    Raises:
        InputError: no `<eos>`, or words that ARPA can't have.
    """
    if vocabulary.eos_id is None:
        raise InputError("there is no <eos> among the words, so no line has a beginning and an end")
    if _is_arpa(path):
        expect_names(vocabulary)


def _digest(vocabulary: Vocabulary) -> str:
    """SHA-256 of the words, by which tables know theirs."""
    return sha256(vocabulary.to_bytes()).hexdigest()


def _is_arpa(path: Path_) -> bool:
    return os.fspath(path).endswith((".arpa", ".arpa.gz"))


def _save_tables(path: Path, model: NGram, words: str) -> None:
    """Write the tables as safetensors one after the other, without a copy of all of them in memory."""
    arrays = {f"{n}.{name}": array for n, table in enumerate(model.tables, 1) for name, array in vars(table).items()}
    header: dict[str, Any] = {"__metadata__": {"words": words}}
    offset = 0
    for name, array in arrays.items():
        kind = next(kind for kind, dtype in TYPES.items() if dtype == array.dtype)
        header[name] = {"dtype": kind, "shape": array.shape, "data_offsets": (offset, offset + array.nbytes)}
        offset += array.nbytes
    told = json.dumps(header).encode()
    told += b" " * (-len(told) % 8)  # numbers begin at multiples of 8
    with atomic_file(path) as file:
        file.write(len(told).to_bytes(8, "little") + told)
        for array in arrays.values():
            file.write(np.ascontiguousarray(array).data)


def load_ngram(path: Path_) -> tuple[NGram, Vocabulary]:
    """Read what `save_ngram` wrote, or anyone's ARPA file.

    Raises:
        ModelFileError: missing, damaged, of a later format, or its files do not fit each other.
    """
    folder = Path(path)
    if not folder.is_dir():
        return read_arpa(path)
    try:
        config = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
        number, order, size, eos = (config[name] for name in ("format", "order", "vocab_size", "eos_id"))
        if config["model"] != "ngram" or not all(isinstance(n, int) and n >= 0 for n in (number, order, size, eos)):
            raise ValueError("it is of another model")
    except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
        raise ModelFileError(f"{folder / CONFIG} is not an n-gram model's configuration: {error}") from error
    if number != FORMAT:
        raise ModelFileError(
            f"{folder} has format {number}, and this rnnlm {__version__} reads format {FORMAT}: take rnnlm "
            f"{config.get('rnnlm')}, which wrote it, or a later one"
        )
    try:
        words = load_words(folder)
        if len(words) != size or words.eos_id != eos:
            raise DataError(f"{WORDS} must have the {size} words that {CONFIG} says, got {len(words)}")
        arrays = _mapped(folder / TABLES, _digest(words))
        tables = [Table(*(arrays[name] for name in _array_names(n))) for n in range(1, order + 1)]
        _expect_whole(tables, size)
        discounts = [(float(a), float(b), float(c)) for a, b, c in config["discounts"]]
        if len(discounts) not in (0, order):
            raise ValueError(f"there must be discounts for {order} orders, got {len(discounts)}")
    except DataError as error:
        raise ModelFileError(f"{folder}: {error}") from error
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise ModelFileError(f"{folder / TABLES} has not the tables of an n-gram model: {error!r}") from error
    return NGram(tables, size, eos, discounts), words


def _array_names(order: int) -> list[str]:
    return [f"{order}.{name}" for name in Table.__dataclass_fields__]


def _mapped(path: Path, words: str) -> dict[str, Any]:
    """The arrays of a safetensors file by name, which stay in the file; it must have been written for these words."""
    with open(path, "rb") as file:
        length = int.from_bytes(file.read(8), "little")
        header = json.loads(file.read(min(length, path.stat().st_size)))
    if header["__metadata__"]["words"] != words:
        raise DataError(f"{TABLES} was written with other words than those of {WORDS}: it is another model's")
    content = np.memmap(path, np.uint8, "r")
    arrays = {}
    for name, about in header.items():
        if name != "__metadata__":
            begin, end = (8 + length + offset for offset in about["data_offsets"])
            if not 0 <= begin <= end <= len(content):
                raise ValueError(f"the file has {len(content):,} bytes, {name} is to end at {end:,}: it was cut short")
            arrays[name] = content[begin:end].view(TYPES[about["dtype"]]).reshape(about["shape"])
    return arrays


def _expect_whole(tables: list[Table], vocab_size: int) -> None:
    """Check that the sizes of the arrays fit each other."""
    for n, table in enumerate(tables, 1):
        size = len(table)
        if table.logprobs.shape != (size,) or table.backoffs.shape != (0 if n == len(tables) else size,):
            raise ValueError(f"the arrays of order {n} must be of one size")
        if table.keys.dtype.kind != "i" or table.logprobs.dtype.kind != "f" or table.backoffs.dtype.kind != "f":
            raise ValueError(f"the arrays of order {n} must be whole numbers, and logarithms")
    if not tables or len(tables[0]) != vocab_size + 1:
        raise ValueError(f"order 1 must have {vocab_size + 1} entries")
