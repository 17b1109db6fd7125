"""`rnnlm plot`."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tyro.conf import Positional

from rnnlm.cli.commands.base import Command
from rnnlm.errors import DataError, InputError, ModelFileError
from rnnlm.opening import lines_within, read_json, regular_file
from rnnlm.plotting import expect_picture_name, save_perplexity
from rnnlm.progress import note

__all__ = ["Plot", "plot_runs"]

METRICS = "metrics.jsonl"


@dataclass(frozen=True)
class Plot(Command):
    """Draw the perplexities of several runs in one picture.

    Example: rnnlm plot runs/story-001 runs/story-002 --out both.png

    Attributes:
        runs: folders of runs.
        out: the picture; its ending says in which format.
    """

    runs: Positional[tuple[Path, ...]]
    out: Path = Path("perplexity.png")

    def run(self) -> None:
        """Do it."""
        if not self.runs:
            raise InputError("runs must name at least one folder of a run")
        plot_runs(self.runs, self.out)


def plot_runs(folders: Sequence[Path], out: Path) -> None:
    """Draw the perplexities of several runs in one picture."""
    expect_picture_name(out)
    levels: dict[str, float] = {}
    curves: dict[str, tuple[list[float], list[float]]] = {}
    for folder in folders:
        rows = _metrics(folder)
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


def _is_json(line: str) -> bool:
    """Whether a line can be read."""
    try:
        read_json(line.encode())
        return True
    except ValueError:
        return False


def _metrics(folder: Path) -> list[dict[str, Any]]:
    path = folder / METRICS
    try:
        with io.TextIOWrapper(regular_file(path, ModelFileError), encoding="utf-8", newline="\n") as file:
            lines = list(lines_within(file, path, ModelFileError))
        if lines and not lines[-1].endswith("\n") and not _is_json(lines[-1]):
            note(f"{path}: the last line was cut short, and is left out")
            lines.pop()
        rows = [read_json(line.encode()) for line in lines]
    except (FileNotFoundError, NotADirectoryError) as error:
        raise ModelFileError(f"{folder} is not the folder of a run: it has no {METRICS}") from error
    except ValueError as error:
        raise ModelFileError(f"{path} is damaged: {error}") from error
    if not all(isinstance(row, dict) for row in rows):
        raise ModelFileError(f"{path} is damaged: each line must be a JSON object")
    return rows
