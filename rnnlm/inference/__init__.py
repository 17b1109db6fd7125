"""Inference with trained models: evaluation, scoring, generation, comparison and mixtures."""

from rnnlm import HOMES
from rnnlm.lazy import lazy_names

__all__, __getattr__, __dir__ = lazy_names(__name__, HOMES)
