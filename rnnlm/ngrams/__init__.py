"""n-gram models: counted (`counts.py`), made probabilities (`smoothing.py`, `frequencies.py`), asked (`model.py`), read
from and written to the text files that others have, too (`arpa.py`, `arpa_reader.py`). No array library but NumPy.
"""

from rnnlm import HOMES
from rnnlm.lazy import lazy_names

__all__, __getattr__, __dir__ = lazy_names(__name__, HOMES)
