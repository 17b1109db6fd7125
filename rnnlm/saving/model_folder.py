"""A model as a folder: config.json, model.safetensors, vocab.txt, text.json."""

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rnnlm import __version__
from rnnlm.data.vocabulary import Vocabulary
from rnnlm.errors import DataError, InputError, ModelFileError
from rnnlm.files import write_atomic
from rnnlm.models.base import Model
from rnnlm.models.build import build_model, config_of
from rnnlm.models.config import ModelConfig
from rnnlm.saving.reading_files import WORDS, load_words, save_words

__all__ = ["load_model", "save_model"]

FORMAT = 1  # of the folder; one that doesn't say has this too
CONFIG, WEIGHTS = "config.json", "model.safetensors"
LARGEST_CONFIG = 1_000_000  # bytes; a real one has a few hundred


def save_model(folder: str | os.PathLike[str], model: Model, vocabulary: Vocabulary) -> None:
    """Write a model and its words to `folder`, which is made if need be.

    Each file is replaced as a whole, the weights last: saving the same model again and again, as training does, leaves
    a usable folder at every moment.

    Raises:
        InputError: a vocabulary of another size than the model's; nothing is written.
    """
    if len(vocabulary) != model.config.vocab_size:
        raise InputError(f"the model has {model.config.vocab_size} words, the vocabulary {len(vocabulary)}")
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    config = {"format": FORMAT, "rnnlm": __version__, "model": model.config.model, **asdict(model.config)}
    write_atomic(folder / CONFIG, (json.dumps(config, indent=2) + "\n").encode())
    save_words(folder, vocabulary)
    model.save_params(folder / WEIGHTS)


def load_model(folder: str | os.PathLike[str]) -> tuple[Model, Vocabulary]:
    """Read what `save_model` wrote, this version's or one before it.

    Raises:
        ModelFileError: a file is missing, damaged, of a later format, or does not fit the others.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise ModelFileError(f"{folder} is not a folder; a model is one, with {CONFIG}, {WEIGHTS} and {WORDS}")
    try:
        config = _read_config(folder / CONFIG)
        vocabulary = load_words(folder)
        if len(vocabulary) != config.vocab_size:
            raise InputError(
                f"{WORDS} must have the {config.vocab_size} words that {CONFIG} says, got {len(vocabulary)}"
            )
        _expect_room(config, folder / WEIGHTS)
        model = build_model(config)
    except (InputError, DataError) as error:
        raise ModelFileError(f"{folder} does not hold a model: {error}") from error
    model.load_params(folder / WEIGHTS)
    return model, vocabulary


def _read_config(path: Path) -> ModelConfig:
    try:
        if path.stat().st_size > LARGEST_CONFIG:
            raise ValueError(f"larger than {LARGEST_CONFIG} bytes")
        fields = json.loads(path.read_text(encoding="utf-8"))
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


def _expect_room(config: ModelConfig, weights: Path) -> None:
    """Check that the weights' file is large enough for the sizes in the configuration, before memory is taken."""
    needed = config.parameters * (4 if config.dtype == "float32" else 8)
    size = weights.stat().st_size if weights.is_file() else None
    if size is not None and size < needed:
        raise InputError(f"{CONFIG} says sizes that need {needed:,} bytes of weights, and {WEIGHTS} has {size:,}")
