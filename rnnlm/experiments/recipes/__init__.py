"""Recipes: settings that reproduce a result, one TOML file each.

`[about]` says where it comes from, what to expect and, as `published`, the training perplexity that others reached;
`[settings]` are options of `rnnlm train`.
"""

import tomllib
from difflib import get_close_matches
from importlib.resources import files
from pathlib import Path
from typing import Any

from rnnlm.data.corpora.named import BUILT_IN
from rnnlm.errors import DataError, InputError
from rnnlm.opening import read_whole

__all__ = ["arguments", "load", "names", "usual"]

LARGEST = 20_000  # bytes of a recipe
LONGEST = 1_000  # and of a line: Python's reader takes time and memory that grow with the square of a dotted key


def names() -> list[str]:
    """All recipes."""
    return sorted(path.name.removesuffix(".toml") for path in files(__name__).iterdir() if path.name.endswith(".toml"))


def usual(corpus: str | None, model: str | None) -> str:
    """The recipe for a corpus and a model, as they were asked for, where none is named: `text`, which has a cell, for
    text of one's own and a recurrent model."""
    own = corpus is not None and corpus not in BUILT_IN
    return "text" if own and model in (None, "recurrent") else "story"


def load(name: str) -> dict[str, Any]:
    """The two tables of a recipe of this package, or of a TOML file of one's own.

    Raises:
        InputError: no such recipe, and the nearest name is offered; or a file that is no recipe.
    """
    if name.endswith(".toml"):
        return _load_file(Path(name))
    if name not in names():
        near = get_close_matches(name, names(), 1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise InputError(f"recipe must be one of {', '.join(names())} or a .toml file, got {name!r}{hint}")
    return tomllib.loads((files(__name__) / f"{name}.toml").read_text(encoding="utf-8"))


def _load_file(path: Path) -> dict[str, Any]:
    try:
        content = read_whole(path, DataError, LARGEST).decode()
        if any(len(line) > LONGEST for line in content.split("\n")):
            raise ValueError(f"a line must have at most {LONGEST:,} characters")
        tables = tomllib.loads(content)
    except FileNotFoundError as error:
        raise InputError(f"recipe {path} does not exist") from error
    except DataError as error:
        raise InputError(f"recipe {error}") from error
    except (ValueError, RecursionError) as error:  # not TOML, not UTF-8
        raise InputError(f"recipe {path} is not a TOML file: {error}") from error
    tables = {"about": {}, **tables}
    for name in ("settings", "about"):
        if not isinstance(tables.get(name), dict):
            raise InputError(f"recipe {path} must have a table [{name}]")
    return tables


def arguments(settings: dict[str, Any]) -> list[str]:
    """Settings as options of the command line, to stand before the user's own, which then win."""
    options: list[str] = []
    for key, value in settings.items():
        flag = key.replace("_", "-")
        if isinstance(value, bool):
            options += [f"--{flag}" if value else f"--no-{flag}"]
        else:
            options += [f"--{flag}", *(map(str, value) if isinstance(value, list) else [str(value)])]
    return options
