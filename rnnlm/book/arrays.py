"""The array library under the book's name, and whether it is CuPy."""

from rnnlm.backend import NAME, xp

__all__ = ["GPU", "np"]

np = xp
GPU = NAME == "cupy"
