"""How cost grows, as a Markdown table and as a picture: slopes on log-log axes beside those that theory allows."""

from dataclasses import dataclass
from math import log

from rnnlm.drawing import new_figure, write_figure

SLACK = 0.1  # of a slope, a factor of 1.23 in cost over one of 8 in size: what a shared machine may add
MEASURES = {"time": "ms a step", "memory": "peak MiB"}
COLOURS = {False: "#27557f", True: "#c0392b"}  # by whether it is worse than theory says


@dataclass(frozen=True)
class Growth:
    """A size that grows: its name in full, where it begins, and the largest exponent of cost that theory allows."""

    title: str
    first: int
    most: int


GROWTHS = {
    "N": Growth("N, sequences", 5, 1),
    "T": Growth("T, time steps", 10, 1),
    "H": Growth("H, hidden units", 64, 2),  # (H, 4H) recurrent weights; those of the output grow as H alone
    "V": Growth("V, words", 2_500, 1),
    "layers": Growth("layers", 1, 1),
    "corpus": Growth("tokens of the corpus", 1_000_000, 0),  # it stays in its file
}


def slope(sizes, costs):
    """Exponent of growth between the ends: of costs ~ sizes^slope."""
    return log(costs[-1] / costs[0]) / log(sizes[-1] / sizes[0])


def is_worse(found, most):
    """Whether a slope is larger than theory's, by more than SLACK."""
    return found > most + SLACK


def shown(found):
    """A slope with two digits; nothing is -0.00."""
    return f"{round(found, 2) + 0:.2f}"


def held(found, most):
    """A slope beside theory's, marked where it is worse."""
    return f"{shown(found)} (≤ {most}){' ✗' if is_worse(found, most) else ''}"


def short(size):
    """A size in few letters, as in 2.5k."""
    unit, letter = next(pair for pair in ((1e6, "M"), (1e3, "k"), (1, "")) if size >= pair[0])
    return f"{size / unit:g}{letter}"


def table(results):
    """The results in Markdown: a line for each size that grows."""
    heads = ("what grows", "sizes", *(head for unit in MEASURES.values() for head in (unit, "slope (theory)")))
    lines = [f"| {' | '.join(heads)} |", "|" + " --- |" * len(heads)]
    for name, result in results.items():
        cells = [GROWTHS[name].title, " / ".join(map(short, result["sizes"]))]
        for measure in MEASURES:
            found = slope(result["sizes"], result[measure])
            cells += [" / ".join(f"{cost:,.1f}" for cost in result[measure]), held(found, GROWTHS[name].most)]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def draw(results, path):
    """Write a picture: a column for each size that grows, time above and memory below."""
    figure = new_figure(1.9 * len(results), 4.4)
    grid = figure.subplots(len(MEASURES), len(results), sharex="col", sharey="row", squeeze=False)
    for row, (measure, unit) in zip(grid, MEASURES.items()):
        for axes, (name, result) in zip(row, results.items()):
            draw_panel(axes, name, result["sizes"], result[measure])
        costs = [cost for result in results.values() for cost in result[measure]]
        row[0].set(ylabel=unit, ylim=(min(costs) / 1.6, max(costs) * 1.4))  # theory's lines may leave
    for axes, name in zip(grid[0], results):
        axes.set_title(GROWTHS[name].title, fontsize=10)
    figure.supxlabel("thin line: what theory allows at most, from the smallest size on", fontsize=9)
    write_figure(path, figure)


def draw_panel(axes, name, sizes, costs):
    """One size and one cost, and the line that theory draws through its first point."""
    from matplotlib.ticker import LogLocator, ScalarFormatter

    most, found = GROWTHS[name].most, slope(sizes, costs)
    colour = COLOURS[is_worse(found, most)]
    axes.loglog(sizes, [costs[0] * (size / sizes[0]) ** most for size in sizes], color="0.45", linewidth=0.8)
    axes.loglog(sizes, costs, marker="o", markersize=4.5, linewidth=0, color=colour)
    axes.text(0.95, 0.05, f"slope {shown(found)}", transform=axes.transAxes, ha="right", color=colour, fontsize=9)
    axes.set_xticks(sizes, [short(size) for size in sizes])
    axes.yaxis.set(major_locator=LogLocator(subs=(1, 2, 5)), major_formatter=ScalarFormatter())
    axes.minorticks_off()
    axes.grid(alpha=0.25, linewidth=0.6)
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=8, length=2)
