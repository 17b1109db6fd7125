"""Layers: weights, matrix products and the loop over time, forward and backward. `base.py` states their contract."""

from rnnlm import HOMES
from rnnlm.lazy import lazy_names

__all__, __getattr__, __dir__ = lazy_names(__name__, HOMES)
