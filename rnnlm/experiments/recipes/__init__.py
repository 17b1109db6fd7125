"""Recipes: settings that reproduce a result, one TOML file each.

`[about]` says where it comes from, what to expect and, as `published`, the training perplexity that others reached; how
many parameters and words the model has, and, where that was measured, how long it takes. `[settings]` are options of
`rnnlm train`.
"""

import tomllib
from difflib import get_close_matches
from importlib.resources import files
from pathlib import Path
from typing import Any

from rnnlm.checks import positive
from rnnlm.data.corpora.named import BUILT_IN
from rnnlm.errors import DataError, InputError, ModelFileError
from rnnlm.experiments.going_on import NOT_SAID, PLACE, SETTINGS, read_settings
from rnnlm.opening import read_whole

__all__ = ["content", "load", "names", "run_name", "usual"]

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
    """The two tables of a recipe of this package, of a TOML file of one's own, or of a run: its folder, or its
    settings.json.

    Raises:
        InputError: no such recipe, and the nearest name is offered; or a file that is no recipe.
    """
    if name in names():
        return tomllib.loads(content(name))
    if name.endswith(".toml"):
        return _load_file(Path(name))
    if (settings := _settings_of(name)) is not None:
        return {"about": {}, "settings": _load_run(settings)}
    raise _unknown(name, ", a .toml file or a run")


def _unknown(name: str, others: str = "") -> InputError:
    near = get_close_matches(name, names(), 1)
    hint = f"; did you mean {near[0]}?" if near else ""
    return InputError(f"recipe must be one of {', '.join(names())}{others}, got {name!r}{hint}")


def content(name: str) -> str:
    """The TOML of a recipe of this package.

    Raises:
        InputError: there is none of this name, and the nearest one is offered.
    """
    if name not in names():
        raise _unknown(name)
    return (files(__name__) / f"{name}.toml").read_text(encoding="utf-8")


def run_name(name: str) -> str:
    """What folders of runs are called after: the recipe, or the one that the run began with which is taken for one."""
    settings = None if name in names() else _settings_of(name)
    return Path(name).stem if settings is None else Path(str(_read(settings).get("recipe"))).stem


def _settings_of(name: str) -> Path | None:
    """The settings.json of a run that is taken for a recipe; None where the name is none of a run's."""
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
    except (ValueError, RecursionError) as error:  # not TOML, not UTF-8
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
