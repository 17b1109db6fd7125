"""A text and what it is encoded to."""

import numpy as np

from rnnlm.data import Vocabulary, encode_corpus

WORDS = Vocabulary(["<unk>", "<eos>", "a", "b", "c"])


def of_text(folder, text, **options):
    """Paths of a text and of what it was encoded to."""
    path, out = folder / "text", folder / "out"
    path.write_text(text, encoding="utf-8")
    encode_corpus(path, out, overwrite=True, **options)
    return path, out


def parts_of(corpus):
    """Its parts as lists."""
    return [np.asarray(part).tolist() for part in (corpus.train, corpus.valid, corpus.test)]
