"""What a model may begin with: word vectors from a file, frequencies of words."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rnnlm.data.vocabulary import Vocabulary
from rnnlm.errors import InputError
from rnnlm.models.base import Model
from rnnlm.wordvec.vector_file import load_vectors

__all__ = ["begin_with", "begin_with_frequencies"]


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


def begin_with_frequencies(model: Model, counts: NDArray[np.float64]) -> None:
    """Let the output layer's bias be the logarithms of the words' frequencies.

    Where it begins with zeros, frequencies are at first learned by the hidden state, which takes on a value and keeps
    it: W h is then a bias. As tanh is symmetric, the state may as well take on the opposite value, for which rare words
    are the likely ones, where it begins with zeros in another text.

    Args:
        model: whose weights are changed.
        counts: (V,) how often each word occurs; one that never does counts half.
    """
    W = model.state_dict()
    logs = np.log(np.maximum(counts, 0.5) / counts.sum())
    for name, values in model.head.unigram_biases(logs).items():
        W[f"{model.head.called}.{name}"][...] = values
    model.load_state_dict(W)
