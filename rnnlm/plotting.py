"""Pictures of results. matplotlib (extra `plot`) is imported when the first one is drawn."""

import os
from collections.abc import Mapping, Sequence
from math import inf
from typing import Any

from rnnlm.checks import array_of, finite as number_of, refused, sequence, text as text_of
from rnnlm.drawing import drawn, expect_picture_name, legend, new_figure, plain, write_figure
from rnnlm.errors import InputError, MissingExtra

__all__ = [
    "draw_perplexity",
    "save_gates",
    "save_norms",
    "save_perplexity",
    "save_surprise",
    "show_curve",
]

WORDS_A_ROW, WORD = 10, 14  # words in a row of a heat strip, and characters shown of a word
FILE_ONLY = {"agg", "pdf", "pgf", "ps", "svg", "cairo", "template"}  # backends of matplotlib without a window
Curve = tuple[Sequence[float], Sequence[float]]  # positions along the axis, perplexities


def draw_perplexity(
    axes: Any, curves: Mapping[str, Curve], xlabel: str, title: str = "", levels: Mapping[str, float] | None = None
) -> None:
    """Draw perplexity curves and horizontal levels, on a logarithmic scale if they span more than a factor of 4."""
    levels = {} if levels is None else _by_name("levels", levels)
    values = [number_of("each of levels", level) for level in levels.values()]
    for name, curve in _by_name("curves", curves).items():
        if not isinstance(curve, (tuple, list)) or len(curve) != 2:
            raise refused(f"{name!r:.80} of curves", "a pair of lists, places and values", curve)
        places, heights = (_numbers(f"{name!r:.80} of curves", part) for part in curve)
        if len(places) != len(heights):
            got = f"{len(heights)} for {len(places)}"
            raise InputError(f"{name!r:.80} of curves must have a value for each place, got {got}")
        values += heights
    handles = {}
    for name, (xs, ys) in curves.items():
        (handles[name],) = axes.plot(xs, ys, marker="o" if len(xs) < 30 else None, markersize=4)
    for name, value in levels.items():
        handles[f"{name} {value:.4g}"] = axes.axhline(value, color="black", linestyle="--", linewidth=1)
    if values and max(values) > 4 * min(values):
        axes.set_yscale("log")
    axes.set(xlabel=text_of("xlabel", xlabel), ylabel="perplexity")
    axes.set_title(plain(text_of("title", title)), parse_math=False)
    axes.grid(alpha=0.3, which="both")
    legend(axes, handles)


@drawn
def save_perplexity(
    path: str | os.PathLike[str],
    curves: Mapping[str, Curve],
    xlabel: str = "epoch",
    title: str = "",
    levels: Mapping[str, float] | None = None,
) -> None:
    """Save a picture of perplexity curves; the extension of `path` chooses the format.

    Raises:
        MissingExtra: matplotlib is not installed.
    """
    expect_picture_name(path)
    figure = new_figure(7, 4.2)
    from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter, ScalarFormatter

    axes = figure.subplots()
    draw_perplexity(axes, curves, xlabel, title, levels)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    if all(len(xs) < 2 for xs, _ in curves.values()):
        axes.set_xlim(0, 2)  # centre a single epoch
    if axes.get_yscale() == "log":
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.yaxis.set_major_formatter(ScalarFormatter())
        axes.yaxis.set_minor_formatter(NullFormatter())
    write_figure(path, figure)


@drawn
def save_surprise(path: str | os.PathLike[str], words: Sequence[str], probabilities: Sequence[float]) -> None:
    """Save a strip of words on colours from dark (probability of at most 1/10,000) to bright (1).

    Raises:
        MissingExtra: matplotlib is not installed.
    """
    expect_picture_name(path)
    words, probabilities = _words(words), _numbers("probabilities", probabilities)
    if len(words) != len(probabilities):
        raise InputError(f"probabilities must be one for each of words, got {len(probabilities)} for {len(words)}")
    rows = [range(i, min(i + WORDS_A_ROW, len(words))) for i in range(0, len(words), WORDS_A_ROW)]
    figure = new_figure(11, 0.7 + 0.6 * len(rows))
    from matplotlib.colors import LogNorm

    axes = figure.subplots(len(rows), squeeze=False)[:, 0]
    for ax, row in zip(axes, rows):
        shares = [[max(probabilities[i], 1e-4) for i in row] + [float("nan")] * (WORDS_A_ROW - len(row))]
        image = ax.imshow(shares, aspect="auto", cmap="viridis", norm=LogNorm(1e-4, 1))
        for column, i in enumerate(row):
            bright = probabilities[i] > 0.05
            word, color = plain(words[i], WORD), "black" if bright else "white"
            size = min(9, 90 / len(word)) if word else 9
            ax.text(column, 0, word, ha="center", va="center", color=color, fontsize=size, parse_math=False)
        ax.set_axis_off()
    figure.colorbar(image, ax=list(axes), label="probability", fraction=0.03)
    write_figure(path, figure)


@drawn
def save_norms(path: str | os.PathLike[str], norms: Mapping[str, Sequence[float]], title: str = "") -> None:
    """Save a picture of gradient norms by the number of time steps that the gradient was propagated back.

    Raises:
        MissingExtra: matplotlib is not installed.
    """
    expect_picture_name(path)
    curves = {name: _numbers(f"{name!r:.80} of norms", values) for name, values in _by_name("norms", norms).items()}
    text_of("title", title)
    figure = new_figure(7, 4.2)
    axes = figure.subplots()
    handles = {name: axes.plot(range(len(values)), values)[0] for name, values in curves.items()}
    axes.set_yscale("log")
    axes.set(xlabel="time steps back", ylabel="norm of the gradient")
    axes.set_title(plain(title), parse_math=False)
    axes.grid(alpha=0.3)
    legend(axes, handles)
    write_figure(path, figure)


@drawn
def save_gates(path: str | os.PathLike[str], words: Sequence[str], gates: Mapping[str, Any]) -> None:
    """Save a picture of gates over a sentence, one panel per gate: a column for each word, a row for each hidden unit.

    Args:
        path: the picture's file; its extension chooses the format.
        words: the words of the sentence.
        gates: by name, (words, H) host arrays of values in [-1, 1]. Units are sorted by their mean in the first gate.

    Raises:
        MissingExtra: matplotlib is not installed.
    """
    expect_picture_name(path)
    words, panels = _words(words), {n: array_of(f"{n!r:.80} of gates", a) for n, a in _by_name("gates", gates).items()}
    for values in panels.values():
        if values.ndim != 2 or len(values) != len(words) or not values.size:
            raise InputError(f"gates must be arrays (words, H), a row for each of {len(words)}, got {values.shape}")
    figure = new_figure(max(5, 2 + 0.45 * len(words)), 2.2 * len(panels))
    rows = figure.subplots(len(panels), sharex=True, squeeze=False)[:, 0]
    order = next(iter(panels.values())).mean(axis=0).argsort()[::-1]
    for ax, (name, values) in zip(rows, panels.items()):
        low = -1 if values.min() < 0 else 0
        cmap = "RdBu_r" if low else "viridis"
        image = ax.imshow(values[:, order].T, aspect="auto", cmap=cmap, vmin=low, vmax=1, interpolation="nearest")
        ax.set_ylabel("hidden unit")
        ax.set_title(plain(name), loc="left", fontsize=10, parse_math=False)
        figure.colorbar(image, ax=ax)
    rows[-1].set_xticks(range(len(words)), map(plain, words), rotation=60, ha="right", parse_math=False)
    write_figure(path, figure)


def _by_name(name: str, given: Any) -> Mapping[str, Any]:
    """Check that `given` is a mapping of names to values, not empty except for levels; returns it."""
    if not isinstance(given, Mapping) or not (given or name == "levels"):
        raise refused(name, "values by their names, one at least", given)
    return given


def _words(words: Any) -> list[str]:
    found: list[str] = sequence("words", words, "strings")
    if not found or not all(isinstance(word, str) for word in found):
        raise refused("words", "a list of strings, one at least", words)
    return found


def _numbers(name: str, values: Any) -> list[float]:
    """Return numbers to draw; NaN leaves a gap."""
    found = array_of(name, sequence(name, values, "numbers"))
    if found.ndim != 1:
        raise refused(name, "a list of numbers", values)
    numbers: list[float] = found.astype(float).tolist()
    return numbers


@drawn
def show_curve(values: Sequence[float], xlabel: str, ylabel: str, ylim: tuple[float, float] | None = None) -> Any:
    """Draw a curve with pyplot and show it if the backend has windows; returns the axes.

    Raises:
        MissingExtra: matplotlib is not installed.
    """
    try:
        from matplotlib import pyplot
    except ImportError as error:
        raise MissingExtra("a picture", "plot") from error
    numbers, limits = _numbers("values", values), None if ylim is None else _numbers("ylim", ylim)
    if limits is not None and (len(limits) != 2 or not -inf < limits[0] < limits[1] < inf):
        raise refused("ylim", "two finite numbers, the lower one first", ylim)
    for name, label in (("xlabel", xlabel), ("ylabel", ylabel)):
        text_of(name, label)
    _, axes = pyplot.subplots()
    draw_perplexity(axes, {"train": (range(1, len(numbers) + 1), numbers)}, xlabel)
    axes.set_ylabel(ylabel)
    if limits is not None:
        if limits[0] <= 0:
            axes.set_yscale("linear")  # a logarithmic one has no zero
        axes.set_ylim(*limits)
    if pyplot.get_backend().lower() not in FILE_ONLY:
        pyplot.show()
    return axes
