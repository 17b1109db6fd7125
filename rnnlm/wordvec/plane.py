"""Projection of vectors to a plane, and a picture of it."""

import os
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnlm.checks import array_of, path_of, sequence, text
from rnnlm.drawing import drawn, new_figure, plain, write_figure
from rnnlm.errors import InputError

__all__ = ["in_a_plane", "save_points"]


def in_a_plane(vectors: Any) -> tuple[NDArray[np.float64], float]:
    """Project vectors to the plane of their two largest principal components (PCA).

    Args:
        vectors: (n, D), n and D at least 2.

    Returns:
        points: (n, 2).
        share: fraction of the variance within the plane.

    Raises:
        InputError: fewer than two vectors, or vectors of fewer than two numbers.
    """
    X = array_of("vectors", vectors).astype(np.float64)
    if X.ndim != 2 or min(X.shape) < 2:
        raise InputError(f"vectors must be at least two of at least two numbers, for a plane, got shape {X.shape}")
    if not np.isfinite(X).all():
        raise InputError("vectors must be finite, got NaN or infinity")
    U, S, _ = np.linalg.svd(X - X.mean(axis=0), full_matrices=False)
    total = float((S**2).sum())
    return U[:, :2] * S[:2], float((S[:2] ** 2).sum()) / total if total else 1.0


@drawn
def save_points(path: str | os.PathLike[str], words: Sequence[str], points: Any, title: str = "") -> None:
    """Save a picture of words as points in a plane.

    Args:
        path: the picture's file; its extension chooses the format.
        words: n words.
        points: (n, 2) host array.
        title: title of the picture.

    Raises:
        InputError: different numbers of words and points, or points that are not two finite numbers.
        MissingExtra: matplotlib is not installed.
    """
    where, names, points = path_of("path", path), sequence("words", words, "words"), array_of("points", points)
    if points.shape != (len(names), 2) or not np.isfinite(points).all():
        raise InputError(
            f"points must be ({len(names)}, 2), finite, one for each of the words, got shape {points.shape}"
        )
    figure = new_figure(8, 6.5)
    axes = figure.subplots()
    axes.scatter(points[:, 0], points[:, 1], s=12)
    for word, point in zip(names, points):
        axes.annotate(plain(word), point, (3, 3), textcoords="offset points", fontsize=9, parse_math=False)
    axes.set_title(plain(text("title", title)), parse_math=False)
    axes.grid(alpha=0.3)
    write_figure(where, figure)
