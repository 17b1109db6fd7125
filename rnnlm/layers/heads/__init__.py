"""Heads: the last layer of a model, from hidden states to a loss and its gradient, or to scores."""

from rnnlm import HOMES
from rnnlm.lazy import lazy_names

__all__, __getattr__, __dir__ = lazy_names(__name__, HOMES)
