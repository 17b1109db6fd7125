"""N-gram models as files: ARPA, for exchange, or a folder, which loads fast.

The folder has config.json, ngrams.safetensors, vocab.txt and text.json. Its tables are verified and then memory-mapped:
they are read on demand, and processes share them.
"""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from rnnlm import __version__
from rnnlm.checks import instance_of, path_of
from rnnlm.data.reading import Reading
from rnnlm.data.vocabulary import Vocabulary
from rnnlm.errors import DataError, InputError, ModelFileError
from rnnlm.files import put_back
from rnnlm.models.tensor_file import mapped, pieces
from rnnlm.ngrams.arpa import expect_names, expect_plain, write_arpa
from rnnlm.ngrams.arpa_reader import read_arpa
from rnnlm.ngrams.model import NGram, Table
from rnnlm.opening import read_json, size_of
from rnnlm.progress import note
from rnnlm.saving.generation import replaced_folder
from rnnlm.saving.open_folder import OpenFolder, read_folder
from rnnlm.saving.reading_files import WORDS, word_files, words_in

__all__ = ["expect_new", "expect_reading", "expect_words", "is_ngram", "load_ngram", "save_ngram"]

FORMAT = 1
CONFIG, TABLES = "config.json", "ngrams.safetensors"
CHECKED = 1 << 30  # bytes of tables that are verified on loading; takes a second or two
Path_ = str | os.PathLike[str]


def is_ngram(path: Path_) -> bool:
    """Whether a path can be an n-gram model: a file (which must be ARPA), or a folder with n-gram tables."""
    return (Path(path) / TABLES).is_file() if Path(path).is_dir() else Path(path).exists()


def save_ngram(path: Path_, model: NGram, vocabulary: Vocabulary) -> None:
    """Save an n-gram model: as ARPA if the name ends in .arpa or .arpa.gz, else as a folder, created if needed.

    Raises:
        InputError: the vocabulary is not the model's, or ARPA can't represent it; nothing is written.
    """
    path = path_of("path", path)
    instance_of("model", model, NGram)
    if (
        len(instance_of("vocabulary", vocabulary, Vocabulary)) != model.vocab_size
        or vocabulary.eos_id != model.start_id
    ):
        raise InputError(
            f"the model has {model.vocab_size} words and <eos> as {model.start_id}, the vocabulary "
            f"{len(vocabulary)} and {vocabulary.eos_id}"
        )
    if _is_arpa(path):
        write_arpa(path, model, vocabulary)
        return
    config = {
        "format": FORMAT, "rnnlm": __version__, "model": "ngram", "order": model.order,
        "vocab_size": model.vocab_size, "eos_id": model.start_id, "discounts": model.discounts,
    }  # fmt: skip
    arrays = {f"{n}.{name}": array for n, table in enumerate(model.tables, 1) for name, array in vars(table).items()}
    with replaced_folder(path) as new:
        new.write(CONFIG, (json.dumps(config, indent=2) + "\n").encode())
        for name, content in word_files(vocabulary).items():
            new.write(name, content)
        new.write(TABLES, pieces(arrays))


def expect_new(path: Path_, overwrite: bool) -> None:
    """Check that a model can be saved to `path`: nothing is there, or an n-gram model that may be replaced.

    Raises:
        InputError: something else is there, or `overwrite` is False; or the parent folder does not exist.
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
    """Check that the format of `path` can keep the text options; an ARPA file has none.

    Raises:
        InputError: it can't, and texts would be split into other units than the model's.
    """
    if not _is_arpa(path):
        return
    expect_plain(reading)
    if reading.options.sentences or reading.options.column is not None:
        note(f"an ARPA file can't say how a text is read, and this model reads {reading}: a folder keeps it")


def expect_words(path: Path_, vocabulary: Vocabulary) -> None:
    """Check, before counting, that a model with this vocabulary can be saved to `path`.

    Raises:
        InputError: no `<eos>`, or words that ARPA can't represent.
    """
    if vocabulary.eos_id is None:
        raise InputError("there is no <eos> among the words, so no line has a beginning and an end")
    if _is_arpa(path):
        expect_names(vocabulary)


def _is_arpa(path: Path_) -> bool:
    return os.fspath(path).endswith((".arpa", ".arpa.gz"))


def load_ngram(path: Path_) -> tuple[NGram, Vocabulary]:
    """Load what `save_ngram` wrote, or any ARPA file.

    Raises:
        ModelFileError: missing, damaged, of a later format, or files inconsistent with one another.
    """
    path = path_of("path", path)
    put_back(path)
    return read_folder(path, _read) if path.is_dir() else read_arpa(path)


def _read(folder: OpenFolder) -> tuple[NGram, Vocabulary]:
    """Return the model and its vocabulary."""
    path = folder.path / CONFIG
    try:
        config = read_json(folder.read(CONFIG))
        number, order, size, eos = (config[name] for name in ("format", "order", "vocab_size", "eos_id"))
        if config["model"] != "ngram" or not all(type(n) is int and n >= 0 for n in (number, order, size, eos)):
            raise ValueError("it is of another model")
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise ModelFileError(f"{path} is not an n-gram model's configuration: {error}") from error
    if number != FORMAT:
        raise ModelFileError(
            f"{folder.path} has format {number}, and this rnnlm {__version__} reads format {FORMAT}: take rnnlm "
            f"{config.get('rnnlm')}, which wrote it, or a later one"
        )
    try:
        words = words_in(folder, size)
        if len(words) != size or words.eos_id != eos:
            raise DataError(f"{WORDS} must have the {size} words that {CONFIG} says, got {len(words)}")
        with _opened_tables(folder) as file:
            arrays = mapped(file)
        tables = [Table(*(arrays[name] for name in _array_names(n))) for n in range(1, order + 1)]
        _expect_whole(tables, size)
        discounts = [(float(a), float(b), float(c)) for a, b, c in config["discounts"]]
        if len(discounts) not in (0, order):
            raise ValueError(f"there must be discounts for {order} orders, got {len(discounts)}")
    except DataError as error:
        raise ModelFileError(f"{folder.path}: {error}") from error
    except (OSError, ValueError, TypeError, KeyError, AttributeError, OverflowError) as error:
        raise ModelFileError(f"{folder.path / TABLES} lacks the tables of an n-gram model: {error!r}") from error
    return NGram(tables, size, eos, discounts), words


@contextmanager
def _opened_tables(folder: OpenFolder) -> Iterator[BinaryIO]:
    """Open the file of the tables, verified; a very large one is opened unverified, with a note."""
    with folder.unchecked(TABLES) as file:
        if size_of(file) > CHECKED:
            note(f"{folder.path / TABLES} is large and was not checked: rnnlm info checks it")
            yield file
            return
    with folder.open(TABLES) as file:
        yield file


def _array_names(order: int) -> list[str]:
    return [f"{order}.{name}" for name in Table.__dataclass_fields__]


def _expect_whole(tables: list[Table], vocab_size: int) -> None:
    """Check that shapes and types of the arrays are consistent."""
    for n, table in enumerate(tables, 1):
        size = len(table)
        if table.logprobs.shape != (size,) or table.backoffs.shape != (0 if n == len(tables) else size,):
            raise ValueError(f"the arrays of order {n} must be of one size")
        if table.keys.dtype.kind != "i" or table.logprobs.dtype.kind != "f" or table.backoffs.dtype.kind != "f":
            raise ValueError(f"the arrays of order {n} must be whole numbers, and logarithms")
    if not tables or len(tables[0]) != vocab_size + 1:
        raise ValueError(f"order 1 must have {vocab_size + 1} entries")
