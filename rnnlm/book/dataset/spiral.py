"""Points of three classes on interleaved spirals."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnlm.randomness import old_generator

__all__ = ["load_data"]

POINTS, CLASSES = 100, 3  # points of a class


def load_data(seed: int = 1984) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return points (300, 2) and their classes, one-hot (300, 3).

    Point i of class j has radius i / 100 and angle 4 j + 4 i / 100 plus noise; the same numbers as the book's for a
    seed, but without NumPy's global generator.
    """
    rng = old_generator(seed)
    rate = np.arange(POINTS) / POINTS
    points = []
    for j in range(CLASSES):
        angle = 4.0 * j + 4.0 * rate + 0.2 * rng.standard_normal(POINTS)
        points.append(np.stack([rate * np.sin(angle), rate * np.cos(angle)], axis=1))
    return np.concatenate(points), np.eye(CLASSES, dtype=np.int32).repeat(POINTS, axis=0)
