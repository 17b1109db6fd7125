"""The folder of results of a training."""

import errno
import os
from collections.abc import Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

from rnnlm.errors import InputError, ModelFileError
from rnnlm.experiments.metrics import METRICS
from rnnlm.experiments.recipes import run_name
from rnnlm.experiments.resuming import CHECKPOINTS, SETTINGS
from rnnlm.files import clear_away, expect_way, make_folder, naming, to_json, write_atomic
from rnnlm.opening import regular_file
from rnnlm.saving.lock import LOCK, locked
from rnnlm.training.callbacks import Callback
from rnnlm.training.tensorboard import LOG

if TYPE_CHECKING:
    from rnnlm.training.report import EpochReport


__all__ = ["METRICS", "TIMING", "JsonLines", "Results", "folder_for"]

TIMING = "timing.jsonl"


class Results:
    """A folder for one run, which holds its lock.

    Attributes:
        folder: its path.
        figures: content of `metrics.jsonl` as far as written or restored by this object.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.figures = folder, ""
        _expect_no_links(folder)
        self._lock = locked(folder)
        clear_away(folder)

    @classmethod
    def new(cls, out: Path | None, recipe: str) -> "Results":
        """Create a folder of results; one left by a run that ended before its first checkpoint is used again.

        Args:
            out: the folder, new or empty (default: runs/RECIPE-NNN with the first free number).
            recipe: name or file of the recipe.

        Raises:
            InputError: the folder has other content, which would be lost.
        """
        folder = _next_folder(run_name(recipe)) if out is None else out
        _expect_nothing_in(folder)
        make_folder(folder)
        results = cls(folder)
        try:
            _expect_nothing_in(folder)  # again, now under the lock
            write_atomic(folder / METRICS, b"")
        except BaseException:
            results.close()
            raise
        return results

    def expect_held(self) -> None:
        """Check, before writing, that the folder was neither removed nor moved; raises FileNotFoundError if it was."""
        self._lock.expect_held()

    def close(self) -> None:
        """Release the lock."""
        self._lock.release()

    def go_back(self, figures: str) -> None:
        """Restore the metrics of a checkpoint, and drop an incomplete last line of the timings."""
        write_atomic(self.folder / METRICS, figures.encode())
        self.figures = figures
        timing = self.folder / TIMING
        if timing.exists():
            with regular_file(timing, ModelFileError) as file:
                content = file.read()
            write_atomic(timing, content[: content.rfind(b"\n") + 1])

    def write(self, name: str, row: dict[str, Any]) -> None:
        """Save a JSON object as a file of its own."""
        write_atomic(self.folder / name, (to_json(row, indent=2) + "\n").encode())

    def append(self, name: str, row: dict[str, Any]) -> None:
        """Append a JSON object as a line to a file: all of it or, if the disk is full, nothing."""
        path = self.folder / name
        with naming(path), open(path, "ab", buffering=0) as file:
            before, line = file.tell(), (to_json(row) + "\n").encode()
            try:
                while line:
                    line = line[file.write(line) :]
                os.fsync(file.fileno())
            except BaseException:
                file.truncate(before)
                raise
        if name == METRICS:
            self.figures += to_json(row) + "\n"


class JsonLines(Callback):
    """Appends a line per epoch to `metrics.jsonl` (its figures) and to `timing.jsonl` (when it ended, in seconds since
    the training began or was resumed).

    Args:
        results: the folder of results.
    """

    def __init__(self, results: Results) -> None:
        self.results, self.began = results, perf_counter()

    def end_epoch(self, report: "EpochReport") -> None:
        """Append both lines."""
        row: dict[str, Any] = {"epoch": report.epoch, "lr": report.lr}
        row |= {"train_perplexity": report.perplexity, "grad_norm": report.grad_norm}
        if report.valid_loss is not None:
            row |= {"valid_perplexity": report.valid_perplexity, "valid_lanes": report.valid_lanes}
        self.results.append(METRICS, row)
        self.results.append(TIMING, {"epoch": report.epoch, "seconds": perf_counter() - self.began})


def _expect_no_links(folder: Path) -> None:
    """Check that no file of a run is a symbolic link: in a folder from a stranger, a link could make a resumed run
    overwrite any of the user's files with content of its checkpoint.

    Raises:
        InputError: one of the files is a link.
    """
    for name in (LOCK, METRICS, TIMING, SETTINGS, CHECKPOINTS, LOG):
        if (folder / name).is_symlink():
            raise InputError(f"{folder / name} must not be a link: a run writes to its own folder alone")


def _expect_nothing_in(folder: Path) -> None:
    """Check that a folder is new, empty, or left by a run that ended before its first checkpoint.

    Raises:
        InputError: it has other content.
    """
    expect_way(folder)
    for path in folder.iterdir() if folder.is_dir() else ():
        if path.name == METRICS:
            nothing = path.stat().st_size == 0
        elif path.name == CHECKPOINTS:
            nothing = all(inner.name.startswith(".") for inner in path.iterdir())
        else:
            nothing = path.name in (LOCK, SETTINGS) or path.name.startswith((f".{METRICS}.", f".{SETTINGS}."))
        if not nothing:
            raise InputError(f"out must be a new or an empty folder, and {folder} holds {path.name}")


def folder_for(out: Path | None, recipe: str) -> Path:
    """Return the folder that `Results.new` would create, without creating it.

    Raises:
        InputError: the folder has content that would be lost.
        OSError: it can't be created.
    """
    folder = next(path for path in _folders(run_name(recipe)) if not path.exists()) if out is None else out
    _expect_nothing_in(folder)
    above = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    wrong = 0 if os.access(above, os.W_OK) else errno.EACCES
    wrong = wrong if above.is_dir() else errno.ENOTDIR
    if wrong:
        raise OSError(wrong, os.strerror(wrong), str(above))
    return folder


def _folders(recipe: str) -> Iterator[Path]:
    """Yield runs/RECIPE-001, runs/RECIPE-002 and so on."""
    return (Path("runs") / f"{recipe}-{number:03d}" for number in count(1))


def _next_folder(recipe: str) -> Path:
    """Create runs/RECIPE-NNN with the first free number, safe against other processes doing the same."""
    Path("runs").mkdir(exist_ok=True)
    for folder in _folders(recipe):
        with suppress(FileExistsError):
            folder.mkdir()
            return folder
    raise AssertionError("there is always one more number")
