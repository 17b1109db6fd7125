"""Initial values from data: word vectors from a file, output biases from word frequencies."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rnnlm.data.vocabulary import Vocabulary
from rnnlm.errors import InputError
from rnnlm.models.base import Model
from rnnlm.wordvec.vector_file import load_vectors

__all__ = ["begin_with", "begin_with_frequencies"]


def begin_with(path: Path, model: Model, words: Vocabulary) -> int:
    """Set the vectors of the words that a file has; returns how many.

    Raises:
        DataError: not a file of word vectors, or a damaged one.
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


def begin_with_frequencies(model: Model, counts: NDArray[np.float64]) -> None:
    """Set the output layer's bias to the log frequencies of the words.

    With a bias of zeros, frequencies are first learned through the hidden state: it takes on a constant value, so that
    W h acts as a bias. tanh is symmetric, so in another text, which begins with a zero state, the state may take on the
    opposite value, for which rare words are the likely ones.

    Args:
        model: the model; its weights are changed.
        counts: (V,) how often each word occurs; 0 counts as 0.5.
    """
    W = model.state_dict()
    logs = np.log(np.maximum(counts, 0.5) / counts.sum())
    for name, values in model.head.unigram_biases(logs).items():
        W[f"{model.head.called}.{name}"][...] = values
    model.load_state_dict(W)
