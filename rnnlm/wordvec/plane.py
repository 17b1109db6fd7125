"""Vectors as points in a plane."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnlm.errors import InputError

__all__ = ["in_a_plane"]


def in_a_plane(vectors: Any) -> tuple[NDArray[np.float64], float]:
    """Principal component analysis: the two orthogonal directions in which vectors differ most.

    Args:
        vectors: (n, D), n and D at least 2.

    Returns:
        points: (n, 2).
        share: of the variance that the plane keeps.

    Raises:
        InputError: fewer than two vectors, or of fewer than two numbers.
    """
    X = np.asarray(vectors, np.float64)
    if X.ndim != 2 or min(X.shape) < 2:
        raise InputError(f"a plane takes at least two vectors of at least two numbers, got shape {X.shape}")
    U, S, _ = np.linalg.svd(X - X.mean(axis=0), full_matrices=False)
    total = float((S**2).sum())
    return U[:, :2] * S[:2], float((S[:2] ** 2).sum()) / total if total else 1.0
