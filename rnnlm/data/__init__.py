"""Data: from text to windows of word ids. No backend is imported before a window is cut."""

from rnnlm import HOMES
from rnnlm.lazy import lazy_names

__all__, __getattr__, __dir__ = lazy_names(__name__, HOMES)
