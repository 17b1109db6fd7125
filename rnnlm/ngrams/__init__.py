"""n-gram models: counted (`counts.py`), made probabilities of (`kneser_ney.py`, `maximum_likelihood.py`), asked
(`model.py`), and kept in files (`arpa.py`, `binary.py`, `files.py`). They need no array library but NumPy.
"""
