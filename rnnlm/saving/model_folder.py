"""A model as a folder: config.json, model.safetensors, vocab.txt, text.json, and manifest.json, which checks them."""

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rnnlm import __version__
from rnnlm.checks import instance_of, path_of
from rnnlm.data.vocabulary import Vocabulary
from rnnlm.errors import DataError, InputError, ModelFileError
from rnnlm.files import put_back
from rnnlm.models.base import Model
from rnnlm.models.build import build_model, config_of
from rnnlm.models.config import ModelConfig
from rnnlm.models.weights import undrawn
from rnnlm.progress import note
from rnnlm.saving.generation import replaced_folder
from rnnlm.saving.open_folder import MANIFEST, OpenFolder, read_folder
from rnnlm.saving.reading_files import WORDS, word_files, words_in

__all__ = ["load_model", "save_model"]

FORMAT = 1  # of the folder; one that doesn't say has this too
CONFIG, WEIGHTS = "config.json", "model.safetensors"
LARGEST_CONFIG = 1_000_000  # bytes; a real one has a few hundred


def save_model(folder: str | os.PathLike[str], model: Model, vocabulary: Vocabulary) -> None:
    """Write a model and its words to `folder`, which is made if need be.

    The folder is replaced as one: whoever reads it sees all files of one saving, and so does who comes after a crash.
    Files of others in it stay.

    Raises:
        InputError: a vocabulary of another size than the model's, or weights that are not finite; nothing is written.
    """
    path = path_of("folder", folder)
    instance_of("model", model, Model)
    if len(instance_of("vocabulary", vocabulary, Vocabulary)) != model.config.vocab_size:
        raise InputError(f"the model has {model.config.vocab_size} words, the vocabulary {len(vocabulary)}")
    if name := model.not_finite():
        raise InputError(f"weights must be finite to be saved, and {name} is not")
    config = {"format": FORMAT, "rnnlm": __version__, "model": model.config.model, **asdict(model.config)}
    with replaced_folder(path) as new:
        new.write(CONFIG, (json.dumps(config, indent=2) + "\n").encode())
        for name, content in word_files(vocabulary).items():
            new.write(name, content)
        new.write(WEIGHTS, model.params_file())


def load_model(folder: str | os.PathLike[str]) -> tuple[Model, Vocabulary]:
    """Read what `save_model` wrote, this version's or one before it.

    Raises:
        ModelFileError: a file is missing, damaged, of a later format, or does not fit the others.
    """
    folder = path_of("folder", folder)
    put_back(folder)
    if not folder.is_dir():
        raise ModelFileError(f"{folder} is not a folder; a model is one, with {CONFIG}, {WEIGHTS} and {WORDS}")
    return read_folder(folder, _read)


def _read(folder: OpenFolder) -> tuple[Model, Vocabulary]:
    """A model and its words."""
    try:
        config = _read_config(folder)
        vocabulary = words_in(folder)
        if len(vocabulary) != config.vocab_size:
            raise InputError(
                f"{WORDS} must have the {config.vocab_size} words that {CONFIG} says, got {len(vocabulary)}"
            )
        with folder.open(WEIGHTS) as file:
            _expect_room(config, os.fstat(file.fileno()).st_size)
            with undrawn():
                model = build_model(config)
            model.read_params(file)
    except FileNotFoundError as error:
        raise ModelFileError(f"{folder.path / WEIGHTS} does not exist") from error
    except (InputError, DataError) as error:
        raise ModelFileError(f"{folder.path} does not hold a model: {error}") from error
    if name := model.not_finite():
        raise ModelFileError(f"{folder.path / WEIGHTS} has weights that are not finite, in {name}")
    if folder.files is None:
        note(f"{folder.path} has no {MANIFEST}, as earlier versions left it: its files can't be checked")
    return model, vocabulary


def _read_config(folder: OpenFolder) -> ModelConfig:
    path = folder.path / CONFIG
    try:
        content = folder.read(CONFIG)
        if len(content) > LARGEST_CONFIG:
            raise ValueError(f"larger than {LARGEST_CONFIG} bytes")
        fields = json.loads(content.decode())
        if fields.get("model") == "ngram":
            raise ModelFileError(f"{path} is of an n-gram model: load_ngram reads it")
        _expect_known_format(path, fields.pop("format", FORMAT), fields.pop("rnnlm", None))
        return config_of(fields)
    except FileNotFoundError as error:
        raise ModelFileError(f"{path} does not exist") from error
    except (ValueError, TypeError, AttributeError, RecursionError) as error:  # not JSON, not UTF-8, not our keys, ...
        raise ModelFileError(f"{path} is not a model's configuration: {error}") from error


def _expect_known_format(path: Path, number: Any, writer: Any) -> None:
    """Check that a folder is of a format that this version reads.

    Args:
        path: the file that says it.
        number: the format.
        writer: the version of rnnlm that wrote it.
    """
    if isinstance(number, bool) or not isinstance(number, int) or number < 1:
        raise ValueError(f"format must be a whole number of at least 1, got {number!r}")
    if number > FORMAT:
        reader = f"rnnlm {writer}, which wrote it, or a later one" if isinstance(writer, str) else "a later rnnlm"
        raise ModelFileError(
            f"{path} has format {number}, and this rnnlm {__version__} reads formats up to {FORMAT}: take {reader}"
        )


def _expect_room(config: ModelConfig, size: int) -> None:
    """Check that the weights' file is large enough for the sizes in the configuration, before memory is taken."""
    needed = config.parameters * (4 if config.dtype == "float32" else 8)
    if size < needed:
        raise InputError(f"{CONFIG} says sizes that need {needed:,} bytes of weights, and {WEIGHTS} has {size:,}")
