"""Word vectors from counts and from word2vec, and similarity of words."""

from rnnlm import HOMES
from rnnlm.lazy import lazy_names

__all__, __getattr__, __dir__ = lazy_names(__name__, HOMES)
