"""Pictures of results. matplotlib is imported when one is drawn, and comes with the extra `plot`."""

import os
import warnings
from collections.abc import Mapping, Sequence
from math import inf
from pathlib import Path
from typing import Any

from rnnlm.checks import array_of, finite as number_of, path_of, refused, sequence, text as text_of
from rnnlm.errors import InputError, MissingExtra
from rnnlm.files import atomic_file

__all__ = [
    "draw_perplexity",
    "expect_picture_name",
    "new_figure",
    "save_gates",
    "save_norms",
    "save_perplexity",
    "save_surprise",
    "show_curve",
    "write_figure",
]

WORDS_A_ROW = 10  # of a heat strip
ENDINGS = (".png", ".svg", ".pdf", ".jpg")
FILE_ONLY = {"agg", "pdf", "pgf", "ps", "svg", "cairo", "template"}  # backends of matplotlib that have no window
Curve = tuple[Sequence[float], Sequence[float]]  # where along the axis, perplexity


def expect_picture_name(path: str | os.PathLike[str]) -> None:
    """Check that a picture can have this name: it ends with one of `ENDINGS`.

    Raises:
        InputError: it does not.
    """
    if path_of("path", path).suffix.lower() not in ENDINGS:
        raise InputError(f"a picture's name must end with one of {', '.join(ENDINGS)}, got {os.fspath(path)!r}")


def draw_perplexity(
    axes: Any, curves: Mapping[str, Curve], xlabel: str, title: str = "", levels: Mapping[str, float] | None = None
) -> None:
    """Draw perplexity curves and known levels, on a logarithmic scale where they span more than a factor of 4."""
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
    for name, (xs, ys) in curves.items():
        axes.plot(xs, ys, label=name, marker="o" if len(xs) < 30 else None, markersize=4)
    for name, value in levels.items():
        axes.axhline(value, label=f"{name} {value:.4g}", color="black", linestyle="--", linewidth=1)
    if values and max(values) > 4 * min(values):
        axes.set_yscale("log")
    axes.set(xlabel=text_of("xlabel", xlabel), ylabel="perplexity")
    axes.set_title(text_of("title", title), parse_math=False)
    axes.grid(alpha=0.3, which="both")
    for text in axes.legend().get_texts():
        text.set_parse_math(False)


def save_perplexity(
    path: str | os.PathLike[str],
    curves: Mapping[str, Curve],
    xlabel: str = "epoch",
    title: str = "",
    levels: Mapping[str, float] | None = None,
) -> None:
    """Write a picture of perplexity curves; the ending of `path` says in which format.

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
        axes.set_xlim(0, 2)  # round a single epoch
    if axes.get_yscale() == "log":
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.yaxis.set_major_formatter(ScalarFormatter())
        axes.yaxis.set_minor_formatter(NullFormatter())
    write_figure(figure, path)


def save_surprise(path: str | os.PathLike[str], words: Sequence[str], probabilities: Sequence[float]) -> None:
    """Write a strip of words on colours from dark (improbable, below 1 in 10,000) to bright (certain).

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
            color = "black" if bright else "white"
            ax.text(column, 0, words[i], ha="center", va="center", color=color, fontsize=9, parse_math=False)
        ax.set_axis_off()
    figure.colorbar(image, ax=list(axes), label="probability", fraction=0.03)
    write_figure(figure, path)


def save_norms(path: str | os.PathLike[str], norms: Mapping[str, Sequence[float]], title: str = "") -> None:
    """Write a picture of gradient norms by the number of time steps that the gradient has gone back.

    Raises:
        MissingExtra: matplotlib is not installed.
    """
    expect_picture_name(path)
    drawn = {name: _numbers(f"{name!r:.80} of norms", values) for name, values in _by_name("norms", norms).items()}
    text_of("title", title)
    figure = new_figure(7, 4.2)
    axes = figure.subplots()
    for name, values in drawn.items():
        axes.plot(range(len(values)), values, label=name)
    axes.set_yscale("log")
    axes.set(xlabel="time steps back", ylabel="norm of the gradient")
    axes.set_title(title, parse_math=False)
    axes.grid(alpha=0.3)
    axes.legend()
    write_figure(figure, path)


def save_gates(path: str | os.PathLike[str], words: Sequence[str], gates: Mapping[str, Any]) -> None:
    """Write a picture of gates over a sentence, one panel for each: a column for a word, a row for a hidden unit.

    Args:
        path: the picture; its ending says in which format.
        words: of the sentence.
        gates: by name, (words, H) host arrays of values in [-1, 1]. Units are in the order of their means of the first
            one.

    Raises:
        MissingExtra: matplotlib is not installed.
    """
    expect_picture_name(path)
    words, drawn = _words(words), {n: array_of(f"{n!r:.80} of gates", a) for n, a in _by_name("gates", gates).items()}
    for values in drawn.values():
        if values.ndim != 2 or len(values) != len(words) or not values.size:
            raise InputError(f"gates must be arrays (words, H), a row for each of {len(words)}, got {values.shape}")
    figure = new_figure(max(5, 2 + 0.45 * len(words)), 2.2 * len(drawn))
    panels = figure.subplots(len(drawn), sharex=True, squeeze=False)[:, 0]
    order = next(iter(drawn.values())).mean(axis=0).argsort()[::-1]
    for ax, (name, values) in zip(panels, drawn.items()):
        low = -1 if values.min() < 0 else 0
        cmap = "RdBu_r" if low else "viridis"
        image = ax.imshow(values[:, order].T, aspect="auto", cmap=cmap, vmin=low, vmax=1, interpolation="nearest")
        ax.set_ylabel("hidden unit")
        ax.set_title(name, loc="left", fontsize=10)
        figure.colorbar(image, ax=ax)
    panels[-1].set_xticks(range(len(words)), words, rotation=60, ha="right", parse_math=False)
    write_figure(figure, path)


def _by_name(name: str, given: Any) -> Mapping[str, Any]:
    """What is drawn, by its names, of which there must be one at least, but for levels."""
    if not isinstance(given, Mapping) or not (given or name == "levels"):
        raise refused(name, "values by their names, one at least", given)
    return given


def _words(words: Any) -> list[str]:
    found: list[str] = sequence("words", words, "strings")
    if not found or not all(isinstance(word, str) for word in found):
        raise refused("words", "a list of strings, one at least", words)
    return found


def _numbers(name: str, values: Any) -> list[float]:
    """Numbers that can be drawn; a gap for one that is NaN."""
    found = array_of(name, sequence(name, values, "numbers"))
    if found.ndim != 1:
        raise refused(name, "a list of numbers", values)
    numbers: list[float] = found.astype(float).tolist()
    return numbers


def new_figure(width: float, height: float) -> Any:
    """An empty figure of so many inches; a MissingExtra where matplotlib is not installed."""
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingExtra("a picture", "plot") from error
    return Figure(figsize=(width, height), layout="constrained")


def write_figure(figure: Any, path: str | os.PathLike[str]) -> None:
    """Save a picture, whole or not at all. Characters that the font has not are drawn as boxes, without a warning for
    each."""
    with warnings.catch_warnings(), atomic_file(path) as file:
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure.savefig(file, dpi=150, format=Path(path).suffix[1:].lower() or None)


def show_curve(values: Sequence[float], xlabel: str, ylabel: str, ylim: tuple[float, float] | None = None) -> Any:
    """Draw a curve with pyplot and show it if the session is interactive. Returns the axes.

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
