"""Named corpora: Penn Treebank, and the built-in stories with the grammar that generates them."""

from rnnlm import HOMES
from rnnlm.lazy import lazy_names

__all__, __getattr__, __dir__ = lazy_names(__name__, HOMES)
