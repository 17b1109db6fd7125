"""Word vectors from a file, for a model to begin with."""

from pathlib import Path

import numpy as np

from rnnlm.data.vocabulary import Vocabulary
from rnnlm.errors import InputError
from rnnlm.models.base import Model
from rnnlm.wordvec.vector_file import load_vectors

__all__ = ["begin_with"]


def begin_with(path: Path, model: Model, words: Vocabulary) -> int:
    """Take the vectors of a file for those words of a model that have one; returns how many.

    Raises:
        DataError: the file is none, or damaged.
        InputError: vectors of another length than the model's, or of none of its words.
    """
    named, vectors = load_vectors(path)
    D = model.config.wordvec_size
    if vectors.shape[1] != D:
        raise InputError(
            f"init_embedding must have vectors of wordvec_size {D}, got {vectors.shape[1]} in {path}: set wordvec_size"
        )
    pairs = [(i, named.word_to_id[word]) for i, word in enumerate(words.words) if word in named]
    if not pairs:
        raise InputError(f"init_embedding must have vectors of words of the corpus, and {path} has none of them")
    own, theirs = map(np.array, zip(*pairs))
    W = model.state_dict()
    W["embed.W"][own] = vectors[theirs]
    model.load_state_dict(W)
    return len(pairs)
