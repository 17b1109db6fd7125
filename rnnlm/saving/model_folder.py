"""A model as a folder: config.json, model.safetensors, vocab.txt, text.json, and manifest.json with their digests."""

import json
import os
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from rnnlm import __version__
from rnnlm.checks import instance_of, path_of, refused
from rnnlm.data.vocabulary import Vocabulary
from rnnlm.errors import DataError, InputError, ModelFileError
from rnnlm.files import put_back
from rnnlm.models.base import Model
from rnnlm.models.build import build_model, config_of
from rnnlm.models.config import ModelConfig
from rnnlm.models.parameters import Parameters
from rnnlm.models.tensor_file import bytes_in
from rnnlm.models.weights import undrawn
from rnnlm.opening import read_json
from rnnlm.progress import note
from rnnlm.saving.generation import replaced_folder
from rnnlm.saving.open_folder import MANIFEST, OpenFolder, read_folder
from rnnlm.saving.own_model import CLASS, expect_made_anew, is_own
from rnnlm.saving.reading_files import WORDS, word_files, words_in

__all__ = ["load_model", "save_model"]

FORMAT = 1  # format version, also of folders that don't name one
CONFIG, WEIGHTS = "config.json", "model.safetensors"


def save_model(folder: str | os.PathLike[str], model: Any, vocabulary: Vocabulary) -> None:
    """Save a model and its vocabulary to a folder, which is created if needed.

    The folder is replaced atomically: readers, also after a crash, see all files of one save. Other files in it are
    kept.

    A model of your own class can be saved if it can be rebuilt from its `config`, which is tested; `load_model` then
    needs the class as an argument.

    Raises:
        InputError: the vocabulary's size is not the model's, weights are not finite, or a model of your own class is
            different when rebuilt; nothing is written.
    """
    path = path_of("folder", folder)
    if not isinstance(model, Model):
        remedy = ": model.save_params(file) saves its weights" if isinstance(model, Parameters) else ""
        raise InputError(f"model must be a language model, a Model, got {type(model).__name__}{remedy}")
    if len(instance_of("vocabulary", vocabulary, Vocabulary)) != model.config.vocab_size:
        raise InputError(f"the model has {model.config.vocab_size} words, the vocabulary {len(vocabulary)}")
    if name := model.not_finite():
        raise InputError(
            f"weights must be finite to be saved, and {name} is not: the training diverged; lower its rate"
        )
    own = {}
    if is_own(type(model)):
        expect_made_anew(model)
        own = {CLASS: type(model).__name__}
    config = {"format": FORMAT, "rnnlm": __version__, "model": model.config.model, **asdict(model.config), **own}
    with replaced_folder(path) as new:
        new.write(CONFIG, (json.dumps(config, indent=2) + "\n").encode())
        for name, content in word_files(vocabulary).items():
            new.write(name, content)
        new.write(WEIGHTS, model.params_file())


def load_model(folder: str | os.PathLike[str], model_class: type[Model] | None = None) -> tuple[Model, Vocabulary]:
    """Load a model that `save_model` wrote, in this version or an earlier one.

    Args:
        folder: folder of the model.
        model_class: class of the model, if it is your own.

    Raises:
        ModelFileError: a file is missing, damaged, of a later format or inconsistent with the others, or the model's
            class is not `model_class`.
    """
    folder = path_of("folder", folder)
    if model_class is not None and not (isinstance(model_class, type) and issubclass(model_class, Model)):
        raise refused("model_class", "a subclass of Model", model_class)
    put_back(folder)
    if not folder.is_dir():
        raise ModelFileError(f"{folder} is not a folder; a model is one, with {CONFIG}, {WEIGHTS} and {WORDS}")
    if not (folder / CONFIG).exists() and (folder / "model" / CONFIG).is_file():
        raise ModelFileError(f"{folder} is the folder of a run, whose model is {folder / 'model'}: read that")
    return read_folder(folder, lambda opened: _read(opened, model_class))


def _read(folder: OpenFolder, model_class: type[Model] | None) -> tuple[Model, Vocabulary]:
    """Return the model and its vocabulary."""
    try:
        config, make = _read_config(folder, model_class)
        vocabulary = words_in(folder, config.vocab_size)
        if len(vocabulary) != config.vocab_size:
            raise InputError(
                f"{WORDS} must have the {config.vocab_size} words that {CONFIG} says, got {len(vocabulary)}"
            )
        with folder.open(WEIGHTS) as file:
            if make is build_model:
                _expect_room(config, bytes_in(file))
            with undrawn():
                model = make(config)
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


def _read_config(
    folder: OpenFolder, model_class: type[Model] | None
) -> tuple[ModelConfig, Callable[[ModelConfig], Model]]:
    """Return the configuration, and the function that builds the model."""
    path = folder.path / CONFIG
    try:
        fields = read_json(folder.read(CONFIG))
        if fields.get("model") == "ngram":
            raise ModelFileError(f"{path} is of an n-gram model: load_ngram reads it")
        _expect_known_format(path, fields.pop("format", FORMAT), fields.pop("rnnlm", None))
        named = fields.pop(CLASS, None)
        own = _expect_class(path, named if named is not None else fields.get("model"), named is not None, model_class)
        return (config_of(fields), build_model) if own is None else (own.configuration(**fields), own.from_config)
    except FileNotFoundError as error:
        raise ModelFileError(f"{path} does not exist") from error
    except (ValueError, TypeError, AttributeError, OverflowError) as error:  # not JSON, not UTF-8, other keys, ...
        raise ModelFileError(f"{path} is not a model's configuration: {error}") from error


def _expect_class(path: Path, name: Any, is_own: bool, given: type[Model] | None) -> type[Model] | None:
    """Return the class of a model that is not of this library, else None.

    Args:
        path: the configuration file.
        name: name of the class in it.
        is_own: whether the file says that the class is not of this library.
        given: the caller's class, or None.
    """
    if given is None and is_own:
        raise ModelFileError(
            f"{path} is of a model of someone's own class, {name}: load_model(folder, model_class={name}) reads it"
        )
    if given is not None and given.__name__ != name:
        raise ModelFileError(f"{path} must be of model_class {given.__name__}, which was asked for, and says {name}")
    return given if is_own else None


def _expect_known_format(path: Path, number: Any, writer: Any) -> None:
    """Check that this version can read a folder's format.

    Args:
        path: the configuration file.
        number: the format.
        writer: version of rnnlm that wrote it.
    """
    if isinstance(number, bool) or not isinstance(number, int) or number < 1:
        raise ValueError(f"format must be a whole number of at least 1, got {number!r}")
    if number > FORMAT:
        reader = f"rnnlm {writer}, which wrote it, or a later one" if isinstance(writer, str) else "a later rnnlm"
        raise ModelFileError(
            f"{path} has format {number}, and this rnnlm {__version__} reads formats up to {FORMAT}: take {reader}"
        )


def _expect_room(config: ModelConfig, size: int) -> None:
    """Check that a weights' file of `size` bytes is large enough for the configuration, before allocating memory."""
    needed = config.parameters * np.dtype(config.kept_as).itemsize
    if size < needed:
        raise InputError(f"{CONFIG} says sizes that need {needed:,} bytes of weights, and {WEIGHTS} has {size:,}")
