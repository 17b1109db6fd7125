"""The folder of a model, be it named itself or by the run that it is the result of."""

from pathlib import Path
from typing import TYPE_CHECKING

from rnnlm.data.vocabulary import Vocabulary

if TYPE_CHECKING:
    from rnnlm.models.base import Model

__all__ = ["model_folder", "open_model"]


def model_folder(folder: Path) -> Path:
    """The folder itself, or `model/` in it if it is a run's."""
    inner = folder / "model"
    return inner if inner.is_dir() else folder


def open_model(folder: Path) -> "tuple[Model, Vocabulary]":
    """The model in a folder, or in the results of a run; errors are those of `load_model`."""
    from rnnlm.saving.model_folder import load_model

    return load_model(model_folder(folder))
