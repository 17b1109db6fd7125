"""`rnnlm plot`."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from tyro.conf import Positional, arg

from rnnlm.cli.commands.base import Command
from rnnlm.drawing import expect_new_picture, expect_picture_name
from rnnlm.errors import DataError, InputError, ModelFileError
from rnnlm.experiments.metrics import METRICS, read_metrics
from rnnlm.plotting import save_perplexity

__all__ = ["Plot", "plot_runs"]


@dataclass(frozen=True)
class Plot(Command):
    """Plot the perplexities of several runs in one picture.

    Example: rnnlm plot runs/story-001 runs/story-002 --out both.png

    Attributes:
        runs: folders of runs.
        out: the picture's file; its extension chooses the format.
        overwrite: replace an existing picture.
    """

    runs: Annotated[Positional[tuple[Path, ...]], arg(metavar="RUN [RUN ...]")]
    out: Path = Path("perplexity.png")
    overwrite: bool = False

    def run(self) -> None:
        """Draw the picture."""
        if not self.runs:
            raise InputError("runs must name at least one folder of a run")
        expect_new_picture("out", self.out, self.overwrite)
        plot_runs(self.runs, self.out)


def plot_runs(folders: Sequence[Path], out: Path) -> None:
    """Plot the perplexities of several runs in one picture and print its path."""
    expect_picture_name(out)
    levels: dict[str, float] = {}
    curves: dict[str, tuple[list[float], list[float]]] = {}
    for folder in folders:
        rows = read_metrics(folder)
        floors = [row["floor"] for row in rows if row.get("part") == "valid" and _drawable(row.get("floor"))]
        if floors:
            levels["floor of the valid part:"] = floors[-1]
        for kind in ("train", "valid"):
            points = [(r.get("epoch"), r[f"{kind}_perplexity"]) for r in rows if r.get(f"{kind}_perplexity")]
            if not all(_drawable(x) and _drawable(y) for x, y in points):
                raise ModelFileError(f"{folder / METRICS} is damaged: epochs and perplexities must be positive numbers")
            if points:
                epochs, values = zip(*points)
                curves[f"{folder} {kind}"] = list(epochs), list(values)
    if not curves:
        raise DataError("no epoch is finished in any of these runs")
    save_perplexity(out, curves, levels=levels)
    print(out)


def _drawable(x: Any) -> bool:
    return isinstance(x, (int, float)) and not isinstance(x, bool) and 0 < x < 1e30
