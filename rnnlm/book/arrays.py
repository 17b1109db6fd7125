"""The array library by the name that the book gives it, and whether it is that of a GPU."""

from rnnlm.backend import NAME, xp

__all__ = ["GPU", "np"]

np = xp
GPU = NAME == "cupy"
