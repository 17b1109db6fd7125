"""n-gram models: counting (`counts.py`), probabilities (`smoothing.py`, `frequencies.py`), the predictor (`model.py`),
and ARPA files (`arpa.py`, `arpa_reader.py`). Needs no array library but NumPy.
"""

from rnnlm import HOMES
from rnnlm.lazy import lazy_names

__all__, __getattr__, __dir__ = lazy_names(__name__, HOMES)
