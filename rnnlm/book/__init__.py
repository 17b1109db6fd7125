"""The names of Deep Learning from Scratch 2 that are nothing but another name or shape here."""

from rnnlm import HOMES
from rnnlm.lazy import lazy_names

__all__, __getattr__, __dir__ = lazy_names(__name__, HOMES)
