"""N-gram models in files: ARPA, which others read, or a folder, which opens at once.

The folder has config.json, ngrams.safetensors, vocab.txt and text.json. Its tables are mapped: they stay in the file
until they are asked for, and processes share them.
"""

import json
import os
from pathlib import Path

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
from rnnlm.progress import note
from rnnlm.saving.generation import replaced_folder
from rnnlm.saving.open_folder import OpenFolder, read_folder
from rnnlm.saving.reading_files import WORDS, word_files, words_in

__all__ = ["expect_new", "expect_reading", "expect_words", "is_ngram", "load_ngram", "save_ngram"]

FORMAT = 1
CONFIG, TABLES = "config.json", "ngrams.safetensors"
Path_ = str | os.PathLike[str]


def is_ngram(path: Path_) -> bool:
    """Whether a path is an n-gram model's: any file, which must then be ARPA, or a folder with its tables."""
    return (Path(path) / TABLES).is_file() if Path(path).is_dir() else Path(path).exists()


def save_ngram(path: Path_, model: NGram, vocabulary: Vocabulary) -> None:
    """Write an n-gram model: as ARPA if the name ends with .arpa or .arpa.gz, else as a folder, made if need be.

    Raises:
        InputError: a vocabulary of another size than the model's, or one that ARPA can't have; nothing is written.
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


def _is_arpa(path: Path_) -> bool:
    return os.fspath(path).endswith((".arpa", ".arpa.gz"))


def load_ngram(path: Path_) -> tuple[NGram, Vocabulary]:
    """Read what `save_ngram` wrote, or anyone's ARPA file.

    Raises:
        ModelFileError: missing, damaged, of a later format, or its files do not fit each other.
    """
    path = path_of("path", path)
    put_back(path)
    return read_folder(path, _read) if path.is_dir() else read_arpa(path)


def _read(folder: OpenFolder) -> tuple[NGram, Vocabulary]:
    """A model and its words; its tables are not looked at as a whole, so that they open at once."""
    path = folder.path / CONFIG
    try:
        config = json.loads(folder.read(CONFIG))
        number, order, size, eos = (config[name] for name in ("format", "order", "vocab_size", "eos_id"))
        if config["model"] != "ngram" or not all(isinstance(n, int) and n >= 0 for n in (number, order, size, eos)):
            raise ValueError("it is of another model")
    except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
        raise ModelFileError(f"{path} is not an n-gram model's configuration: {error}") from error
    if number != FORMAT:
        raise ModelFileError(
            f"{folder.path} has format {number}, and this rnnlm {__version__} reads format {FORMAT}: take rnnlm "
            f"{config.get('rnnlm')}, which wrote it, or a later one"
        )
    try:
        words = words_in(folder)
        if len(words) != size or words.eos_id != eos:
            raise DataError(f"{WORDS} must have the {size} words that {CONFIG} says, got {len(words)}")
        with folder.unchecked(TABLES) as file:
            arrays = mapped(file)
        tables = [Table(*(arrays[name] for name in _array_names(n))) for n in range(1, order + 1)]
        _expect_whole(tables, size)
        discounts = [(float(a), float(b), float(c)) for a, b, c in config["discounts"]]
        if len(discounts) not in (0, order):
            raise ValueError(f"there must be discounts for {order} orders, got {len(discounts)}")
    except DataError as error:
        raise ModelFileError(f"{folder.path}: {error}") from error
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise ModelFileError(f"{folder.path / TABLES} has not the tables of an n-gram model: {error!r}") from error
    return NGram(tables, size, eos, discounts), words


def _array_names(order: int) -> list[str]:
    return [f"{order}.{name}" for name in Table.__dataclass_fields__]


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
