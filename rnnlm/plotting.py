"""Pictures of results. matplotlib is imported when one is drawn, and comes with the extra `plot`."""

import os
from collections.abc import Mapping, Sequence
from typing import Any

from rnnlm.errors import MissingExtra

__all__ = ["draw_perplexity", "save_perplexity", "show_perplexity"]

FILE_ONLY = {"agg", "pdf", "pgf", "ps", "svg", "cairo", "template"}  # backends of matplotlib that have no window
Curve = tuple[Sequence[float], Sequence[float]]  # where along the axis, perplexity


def draw_perplexity(axes: Any, curves: Mapping[str, Curve], xlabel: str, title: str = "") -> None:
    """Draw perplexity curves, on a logarithmic scale where they span more than a factor of 4."""
    values = [y for _, ys in curves.values() for y in ys]
    for name, (xs, ys) in curves.items():
        axes.plot(xs, ys, label=name, marker="o" if len(xs) < 30 else None, markersize=4)
    if values and max(values) > 4 * min(values):
        axes.set_yscale("log")
    axes.set(xlabel=xlabel, ylabel="perplexity", title=title)
    axes.grid(alpha=0.3, which="both")
    axes.legend()


def save_perplexity(
    path: str | os.PathLike[str], curves: Mapping[str, Curve], xlabel: str = "epoch", title: str = ""
) -> None:
    """Write a picture of perplexity curves; the ending of `path` says in which format.

    Raises:
        MissingExtra: matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
        from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter, ScalarFormatter
    except ImportError as error:
        raise MissingExtra("a picture", "plot") from error
    figure = Figure(figsize=(7, 4.2), layout="constrained")
    axes = figure.subplots()
    draw_perplexity(axes, curves, xlabel, title)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    if axes.get_yscale() == "log":
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.yaxis.set_major_formatter(ScalarFormatter())
        axes.yaxis.set_minor_formatter(NullFormatter())
    figure.savefig(path, dpi=150)


def show_perplexity(perplexities: Sequence[float], xlabel: str, ylim: tuple[float, float] | None = None) -> Any:
    """Draw a curve with pyplot and show it if the session is interactive. Returns the axes.

    Raises:
        MissingExtra: matplotlib is not installed.
    """
    try:
        from matplotlib import pyplot
    except ImportError as error:
        raise MissingExtra("a picture", "plot") from error
    _, axes = pyplot.subplots()
    draw_perplexity(axes, {"train": (range(1, len(perplexities) + 1), perplexities)}, xlabel)
    if ylim is not None:
        axes.set_ylim(*ylim)
    if pyplot.get_backend().lower() not in FILE_ONLY:
        pyplot.show()
    return axes
