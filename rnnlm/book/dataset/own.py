"""The reader's copy of the book's data."""

from pathlib import Path

__all__ = ["own", "set_folder"]

_folder: Path | None = None  # `dataset/` of the copy that a script is run in


def set_folder(folder: Path | None) -> None:
    """Look for data in this folder, or in none."""
    global _folder
    _folder = folder


def own(name: str) -> Path | None:
    """The reader's own file of this name, if there is one."""
    path = None if _folder is None else _folder / name
    return path if path is not None and path.is_file() else None
