"""Recipes: settings that reproduce a result, one TOML file each.

`[about]` has the source of the result, the result to expect and, as `published`, the training perplexity that others
reached; the numbers of parameters and words of the model and, where measured, the time it takes. `[settings]` holds
options of `rnnlm train`.
"""

import tomllib
from importlib.resources import files
from pathlib import Path
from typing import Any

from rnnlm.checks import did_you_mean, positive
from rnnlm.data.corpora.named import BUILT_IN
from rnnlm.errors import DataError, InputError, ModelFileError
from rnnlm.experiments.resuming import NOT_SAID, PLACE, SETTINGS, read_settings
from rnnlm.opening import read_whole

__all__ = ["content", "load", "names", "run_name", "usual"]

LARGEST = 20_000  # largest recipe, in bytes
LONGEST = 1_000  # longest line: the time and memory of tomllib grow with the square of a dotted key's length


def names() -> list[str]:
    """Return the names of all recipes."""
    return sorted(path.name.removesuffix(".toml") for path in files(__name__).iterdir() if path.name.endswith(".toml"))


def usual(corpus: str | None, model: str | None) -> str:
    """Return the recipe to use if none is named: `text`, which has its own choice of cell, for a recurrent model of a
    text file, else `story`."""
    own = corpus is not None and corpus not in BUILT_IN
    return "text" if own and model in (None, "recurrent") else "story"


def load(name: str) -> dict[str, Any]:
    """Return both tables of a recipe of this package, of a TOML file, or of a run (its folder or its settings.json).

    Raises:
        InputError: no such recipe (the message suggests the nearest name), or the file is not a recipe.
    """
    if name in names():
        return tomllib.loads(content(name))
    if name.endswith(".toml"):
        return _load_file(Path(name))
    if (settings := _settings_of(name)) is not None:
        return {"about": {}, "settings": _load_run(settings)}
    raise _unknown(name, ", a .toml file or a run")


def _unknown(name: str, others: str = "") -> InputError:
    hint = did_you_mean(name, names())
    return InputError(f"recipe must be one of {', '.join(names())}{others}, got {name!r}{hint}")


def content(name: str) -> str:
    """Return the TOML text of a recipe of this package.

    Raises:
        InputError: no such recipe; the message suggests the nearest name.
    """
    if name not in names():
        raise _unknown(name)
    return (files(__name__) / f"{name}.toml").read_text(encoding="utf-8")


def run_name(name: str) -> str:
    """Return the name for folders of runs: the recipe's; for a run used as recipe, that of its own recipe."""
    settings = None if name in names() else _settings_of(name)
    return Path(name).stem if settings is None else Path(str(_read(settings).get("recipe"))).stem


def _settings_of(name: str) -> Path | None:
    """Return the settings.json of a run that is used as a recipe; None if `name` is not a run."""
    path = Path(name)
    if path.name == SETTINGS:
        return path
    return path / SETTINGS if (path / SETTINGS).is_file() else None


def _load_run(path: Path) -> dict[str, Any]:
    settings = _read(path)
    return {key: x for key, x in settings.items() if key not in (*NOT_SAID, *PLACE) and x is not None}


def _read(path: Path) -> dict[str, Any]:
    try:
        return read_settings(path)
    except (OSError, ModelFileError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"recipe {path} must be the settings of a run: {error}") from error


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
    except (ValueError, RecursionError) as error:  # not TOML, or not UTF-8
        raise InputError(f"recipe {path} is not a TOML file: {error}") from error
    tables = {"about": {}, **tables}
    for name in ("settings", "about"):
        if not isinstance(tables.get(name), dict):
            raise InputError(f"recipe {path} must have a table [{name}]")
    if strange := [name for name in tables if name not in ("settings", "about")]:
        raise InputError(f"recipe {path} must have [settings] and [about] alone, got {strange[0]!r} beside them")
    if "published" in tables["about"]:
        positive(f"published in recipe {path}", tables["about"]["published"])
    return tables
