"""Recipes: settings that reproduce a result, one TOML file each.

`[about]` says where it comes from, what to expect and, as `published`, the training perplexity that others reached;
`[settings]` are options of `rnnlm train`.
"""

import tomllib
from difflib import get_close_matches
from importlib.resources import files
from typing import Any

from rnnlm.errors import InputError

__all__ = ["arguments", "load", "names"]


def names() -> list[str]:
    """All recipes."""
    return sorted(path.name.removesuffix(".toml") for path in files(__name__).iterdir() if path.name.endswith(".toml"))


def load(name: str) -> dict[str, Any]:
    """A recipe's two tables.

    Raises:
        InputError: no such recipe; the nearest name is offered.
    """
    if name not in names():
        near = get_close_matches(name, names(), 1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise InputError(f"recipe must be one of {', '.join(names())}, got {name!r}{hint}")
    return tomllib.loads((files(__name__) / f"{name}.toml").read_text(encoding="utf-8"))


def arguments(name: str) -> list[str]:
    """A recipe's settings as options of the command line, to stand before the user's own, which then win."""
    options: list[str] = []
    for key, value in load(name)["settings"].items():
        flag = key.replace("_", "-")
        options += [f"--{flag}" if value else f"--no-{flag}"] if isinstance(value, bool) else [f"--{flag}", str(value)]
    return options
