"""Writing with a network that was trained on padded prefixes."""

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
    """A text, and n words after it, each the most likely one after all before it; a pad is never written.

    Args:
        model: takes ids (N, T), padded in front, and gives a row (N, V) of scores or probabilities.
        tokenizer: that the model was trained with.
        current_word: a word, or more.
        n: how many words to write.
        maxlen: T, to which rows are padded; as in the model's training unless given. Longer ones lose their front,
            which is warned of where it is the text that was given.

    Returns:
        sentence: the text and the words, with blanks between them.

    Raises:
        InputError: a text of which the tokenizer knows no word, or a tokenizer of another model.
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
        outputs = model.predict(pad_sequences([ids], length))
        if outputs.shape != (1, words):
            raise InputError(f"model must give a row of {words} scores, got {outputs.shape}")
        outputs[:, 0] = -np.inf  # the pad
        ids.append(int(outputs.argmax()))
        written.append(tokenizer.index_word[ids[-1]])
    return " ".join([current_word, *written])
