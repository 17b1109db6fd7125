"""Pictures of a seq2seq model's attention and learning curves."""

import os
from collections.abc import Sequence
from typing import Any

from numpy.typing import NDArray

from rnnlm.drawing import drawn, legend, new_figure, write_figure

__all__ = ["save_attention", "save_learning"]


@drawn
def save_attention(path: str | os.PathLike[str], maps: Sequence[tuple[str, str, NDArray[Any]]]) -> None:
    """Save a picture of attention, one panel per question: columns are the question's characters, rows the answer's;
    the brighter, the larger the weight of that column when that row is written.

    Args:
        path: the picture's file; its extension chooses the format.
        maps: question (T characters), answer (T'), and weights (T', T) in [0, 1].

    Raises:
        MissingExtra: matplotlib is not installed.
    """
    figure = new_figure(1.5 + 0.24 * len(maps[0][0]), 0.6 + (0.3 + 0.24 * len(maps[0][1])) * len(maps))
    panels = figure.subplots(len(maps), squeeze=False)[:, 0]
    for axes, (question, answer, weights) in zip(panels, maps):
        image = axes.imshow(weights, cmap="Greys_r", vmin=0, vmax=1, aspect="auto")
        axes.set_xticks(range(len(question)), list(question), parse_math=False)
        axes.set_yticks(range(len(answer)), list(answer), parse_math=False)
        axes.tick_params(length=0)
    figure.colorbar(image, ax=list(panels), label="weight", fraction=0.03)
    write_figure(path, figure)


@drawn
def save_learning(path: str | os.PathLike[str], curves: dict[str, Sequence[dict[str, Any]]]) -> None:
    """Save a picture of accuracy and loss by epoch.

    Args:
        path: the picture's file; its extension chooses the format.
        curves: for each name, rows with epoch, loss and accuracy.

    Raises:
        MissingExtra: matplotlib is not installed.
    """
    figure, handles = new_figure(9, 3.8), {}
    for axes, what in zip(figure.subplots(1, 2), ("accuracy", "loss")):
        for name, rows in curves.items():
            epochs, values = [row["epoch"] for row in rows], [row[what] for row in rows]
            (handles[name],) = axes.plot(epochs, values, marker="o", markersize=3)
        axes.set(xlabel="epoch", ylabel=what)
        axes.grid(alpha=0.3)
    figure.axes[0].set_ylim(-0.03, 1.03)
    figure.axes[1].set_yscale("log")
    legend(figure, handles, loc="outside upper center", ncols=min(len(curves), 4))
    write_figure(path, figure)
