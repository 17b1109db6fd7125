"""Convert settings that were read from a file to the types of their fields."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import Field
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

from rnnlm.checks import did_you_mean, number, shown
from rnnlm.errors import InputError

__all__ = ["expect_known", "typed"]


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _text(value: Any) -> bool:
    return isinstance(value, str)


def _texts(value: Any) -> bool:
    return isinstance(value, list) and all(map(_text, value))


def _wholes(value: Any) -> bool:
    return isinstance(value, list) and all(map(_whole, value))


# for each type: a check of what is accepted, its description, an example, and the conversion
TYPES: dict[Any, tuple[Callable[[Any], bool], str, str, Callable[[Any], Any]]] = {
    bool: (lambda value: isinstance(value, bool), "true or false", "false", bool),
    int: (_whole, "a whole number", "10", int),
    float: (lambda value: number(value) == number(value), "a number", "0.5", float),
    str: (_text, "a text", '"text"', str),
    Path: (_text, "a path", '"a/path"', Path),
    tuple[str, ...]: (_texts, "a list of texts", '["text"]', tuple),
    tuple[int, ...]: (_wholes, "a list of whole numbers", "[2000, 10000]", tuple),
}


def typed(settings: Mapping[str, Any], known: Mapping[str, Field[Any]], where: str) -> dict[str, Any]:
    """Return the settings in the types of their fields: TOML and JSON lack paths and tuples, and may have 1 for 1.0.

    Args:
        settings: as read from the file.
        known: all fields by name.
        where: name of the file for errors.

    Raises:
        InputError: an unknown setting, or a value of the wrong type.
    """
    expect_known(settings, known, where)
    return {key: _typed(key, value, known[key].type, where) for key, value in settings.items()}


def expect_known(names: Iterable[str], known: Iterable[str], where: str) -> None:
    """Check the names of settings.

    Raises:
        InputError: an unknown name; the message suggests the nearest one.
    """
    known = list(known)
    for name in names:
        if name not in known:
            hint = did_you_mean(name, known)
            raise InputError(f"a setting must be one of {', '.join(known)}, got {shown(name)} in {where}{hint}")


def _typed(key: str, value: Any, kind: Any, where: str) -> Any:
    if get_origin(kind) in (Union, UnionType):  # or None, which a file expresses by leaving the key out
        kind = next(one for one in get_args(kind) if one is not NoneType)
    if get_origin(kind) is Literal:
        choices = get_args(kind)
        if value not in choices:
            raise InputError(f"{where}: {key} must be one of {', '.join(choices)}, got {shown(value)}")
        return value
    fits, rule, example, made = TYPES[kind]
    if not fits(value):
        raise InputError(f"{where}: {key} must be {rule}, got {shown(value)}: write it as in {key} = {example}")
    return made(value)
