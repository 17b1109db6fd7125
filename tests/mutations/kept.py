"""Mutants that may survive, each with the reason: those that change nothing, or nothing but speed.

They are known by file, function and the text of the line, not by its number, so that other edits leave them alone.
"""

import tomllib
from pathlib import Path

from tests.mutations.mutants import Mutant

FILE = Path(__file__).parent.parent / "mutations_kept.toml"
KEYS = ("file", "where", "line", "becomes")


def read_kept(path: Path = FILE) -> dict[tuple[str, ...], str]:
    """The reason of each, by (file, where, line, becomes).

    Raises:
        ValueError: an entry without a reason.
    """
    kept = {}
    for entry in tomllib.loads(path.read_text())["kept"] if path.exists() else []:
        if not entry["reason"].strip():
            raise ValueError(f"{path}: an entry of {entry['file']} has no reason")
        kept[tuple(entry[key] for key in KEYS)] = entry["reason"]
    return kept


def key(mutant: Mutant) -> tuple[str, ...]:
    """What a mutant is known by in the list."""
    return mutant.file, mutant.where, mutant.before, mutant.after


def stale(kept: dict[tuple[str, ...], str], mutants: list[Mutant], files: set[str], root: Path) -> list[str]:
    """Entries, of files that were looked at or are gone, that are no mutant of the source as it is now."""
    keys = {key(mutant) for mutant in mutants}
    gone = (entry for entry in kept if entry not in keys and (entry[0] in files or not (root / entry[0]).exists()))
    return [f"{file} in {where}: {line} -> {becomes}" for file, where, line, becomes in gone]
