"""Reading the figures of a run from its folder."""

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rnnlm.errors import ModelFileError
from rnnlm.opening import lines_within, read_json, regular_file
from rnnlm.progress import note

__all__ = ["METRICS", "best_of_rows", "read_metrics"]

METRICS = "metrics.jsonl"


def read_metrics(folder: Path) -> list[dict[str, Any]]:
    """Return the rows of a run's metrics.jsonl; an incomplete last line is dropped with a note.

    Raises:
        ModelFileError: not the folder of a run, or the file is damaged.
    """
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


def _is_json(line: str) -> bool:
    """Whether a line is valid JSON."""
    try:
        read_json(line.encode())
        return True
    except ValueError:
        return False


def best_of_rows(rows: Sequence[Mapping[str, Any]]) -> tuple[int, float] | None:
    """Return the best epoch of a run so far and its valid perplexity, or None without one."""
    pairs = [(row.get("valid_perplexity"), row.get("epoch")) for row in rows]
    found = [(value, epoch) for value, epoch in pairs if isinstance(value, (int, float)) and isinstance(epoch, int)]
    value, epoch = min(found, default=(None, 0))
    return None if value is None else (epoch, value)
