"""Open the model that a path names: a model's folder, a run's folder, or a file of n-grams."""

from pathlib import Path
from typing import TYPE_CHECKING

from rnnlm.data.encoded import is_encoded, open_corpus
from rnnlm.data.vocabulary import Vocabulary
from rnnlm.errors import ModelFileError

if TYPE_CHECKING:
    from rnnlm.inference.predictor import Predictor
    from rnnlm.models.base import Model

__all__ = ["model_folder", "open_model", "open_predictor", "words_of"]


def model_folder(folder: Path) -> Path:
    """Return the folder, or `model/` in it if it is a run's."""
    inner = folder / "model"
    return inner if inner.is_dir() else folder


def open_model(folder: Path) -> "tuple[Model, Vocabulary]":
    """Load the network in a model's or a run's folder; errors are those of `load_model`."""
    from rnnlm.saving.model_folder import load_model

    return load_model(model_folder(folder))


def open_predictor(path: Path) -> "tuple[Predictor, Vocabulary]":
    """Load a network as `open_model` does, or an n-gram model from a folder or an ARPA file.

    Raises:
        ModelFileError: there is no model.
    """
    from rnnlm.saving.ngram_files import is_ngram, load_ngram

    if not path.exists():
        raise ModelFileError(f"{path} does not exist: a model is a folder, or an ARPA file of n-grams")
    return load_ngram(path) if is_ngram(path) else open_model(path)


def words_of(path: Path) -> Vocabulary:
    """Load the vocabulary of a model, a run, an ARPA file, an encoded corpus, or a file with one word per line."""
    from rnnlm.ngrams.arpa import looks_like_arpa

    if path.is_dir():
        from rnnlm.saving.reading_files import load_words

        return load_words(model_folder(path))  # this one knows the model's text options
    if path.is_file() and is_encoded(path):
        return open_corpus(path)[1]
    if path.is_file() and looks_like_arpa(path):
        return open_predictor(path)[1]
    return Vocabulary.load(path, edited=True)
