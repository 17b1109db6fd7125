"""The folder of results that a training leaves."""

from pathlib import Path
from typing import Any

from rnnlm.errors import InputError
from rnnlm.files import to_json

__all__ = ["METRICS", "Results"]

METRICS = "metrics.jsonl"


class Results:
    """A folder for one run alone, made new.

    Args:
        out: the folder, new or empty; runs/RECIPE-NNN, the first number that is free, unless given.
        recipe: name or file of the recipe.

    Raises:
        InputError: there is something in the folder already, which would be lost.
    """

    def __init__(self, out: Path | None, recipe: str) -> None:
        if out is not None and out.is_dir() and any(out.iterdir()):
            raise InputError(f"out must be a new or an empty folder, and {out} holds {next(out.iterdir()).name}")
        self.folder = _next_folder(Path(recipe).stem) if out is None else out
        self.folder.mkdir(parents=True, exist_ok=True)
        try:
            (self.folder / METRICS).touch(exist_ok=False)
        except FileExistsError as error:
            raise InputError(
                f"out must be a folder of this run alone, and another has just begun in {self.folder}"
            ) from error

    def write(self, name: str, row: dict[str, Any]) -> None:
        """Write a JSON object to a file of its own."""
        (self.folder / name).write_text(to_json(row, indent=2) + "\n", encoding="utf-8")

    def append(self, name: str, row: dict[str, Any]) -> None:
        """Write a JSON object as one more line of a file."""
        with open(self.folder / name, "a", encoding="utf-8") as file:
            file.write(to_json(row) + "\n")


def _next_folder(recipe: str) -> Path:
    """Make runs/RECIPE-001, or the first that nobody has, be it made at this very moment."""
    Path("runs").mkdir(exist_ok=True)
    number = 1
    while True:
        folder = Path("runs") / f"{recipe}-{number:03d}"
        try:
            folder.mkdir()
            return folder
        except FileExistsError:
            number += 1
