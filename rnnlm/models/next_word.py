"""Text generation with a network that was trained on padded prefixes."""

import warnings

import numpy as np

from rnnlm.checks import instance_of, size, text, whole_number
from rnnlm.data.padding import pad_sequences
from rnnlm.data.tokenizer import Tokenizer
from rnnlm.errors import InputError
from rnnlm.models.sequential import Sequential

__all__ = ["sentence_generation"]


def sentence_generation(
    model: Sequential, tokenizer: Tokenizer, current_word: str, n: int, maxlen: int | None = None
) -> str:
    """Return a text continued by n words, each the most likely next word; the pad is never generated.

    Args:
        model: maps ids (N, T), padded in front, to scores or probabilities (N, V).
        tokenizer: the one the model was trained with.
        current_word: one word or more.
        n: number of words to generate.
        maxlen: T, to which rows are padded; by default that of the model's training. Longer rows lose their first
            words, with a warning if the given text is too long.

    Returns:
        sentence: the text and the words, separated by blanks.

    Raises:
        InputError: the tokenizer knows no word of the text, or belongs to another model.
    """
    instance_of("model", model, Sequential)
    instance_of("tokenizer", tokenizer, Tokenizer)
    current_word, n = text("current_word", current_word), whole_number("n", n, 1)
    maxlen = None if maxlen is None else size("maxlen", maxlen)
    words = next(iter(model.layers.values())).takes_ids
    if words != tokenizer.size:
        raise InputError(f"tokenizer must be the model's own: it has {tokenizer.size} ids, and the model takes {words}")
    (ids,) = tokenizer.texts_to_sequences([current_word])
    if not ids:
        raise InputError(f"current_word must have a word that the tokenizer knows, got {current_word!r}")
    length = model.sample_shape[0] if maxlen is None and model.sample_shape else maxlen
    if length is not None and len(ids) > length:
        warnings.warn(
            f"the model was padded for {length} words: of the {len(ids)} given the first {len(ids) - length} are not "
            "read",
            stacklevel=2,
        )
    written = []
    for _ in range(n):
        model.reset_state()
        outputs = model.predict(pad_sequences([ids], length))
        if outputs.shape != (1, words):
            raise InputError(f"model must give a row of {words} scores, got {outputs.shape}")
        outputs[:, 0] = -np.inf  # the pad
        ids.append(int(outputs.argmax()))
        written.append(tokenizer.index_word[ids[-1]])
    return " ".join([current_word, *written])
