"""The folder of results that a training leaves."""

from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from rnnlm.errors import BusyError, InputError
from rnnlm.files import remove_leftovers, to_json, write_atomic

__all__ = ["METRICS", "Results"]

METRICS = "metrics.jsonl"


class Results:
    """A folder for one run alone.

    Attributes:
        folder: where it is.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = FileLock(folder / ".lock")
        try:
            self._lock.acquire(timeout=0)
        except Timeout as error:
            raise BusyError(f"{folder} is in use: another training writes to it") from error
        remove_leftovers(folder)

    @classmethod
    def new(cls, out: Path | None, recipe: str) -> "Results":
        """A folder made new.

        Args:
            out: the folder, new or empty; runs/RECIPE-NNN, the first number that is free, unless given.
            recipe: name or file of the recipe.

        Raises:
            InputError: there is something in the folder already, which would be lost.
        """
        if out is not None and out.is_dir() and any(out.iterdir()):
            raise InputError(f"out must be a new or an empty folder, and {out} holds {next(out.iterdir()).name}")
        folder = _next_folder(Path(recipe).stem) if out is None else out
        folder.mkdir(parents=True, exist_ok=True)
        try:
            (folder / METRICS).touch(exist_ok=False)
        except FileExistsError as error:
            raise InputError(
                f"out must be a folder of this run alone, and another has just begun in {folder}"
            ) from error
        return cls(folder)

    def close(self) -> None:
        """Let others write to it."""
        self._lock.release()

    @property
    def length(self) -> int:
        """Bytes of the figures so far."""
        return (self.folder / METRICS).stat().st_size

    def cut(self, length: int) -> None:
        """Forget figures after so many bytes: they were written after what is gone on from."""
        with open(self.folder / METRICS, "r+b") as file:
            file.truncate(length)

    def write(self, name: str, row: dict[str, Any]) -> None:
        """Write a JSON object to a file of its own."""
        write_atomic(self.folder / name, (to_json(row, indent=2) + "\n").encode())

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
