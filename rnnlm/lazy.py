"""Lazy names of a package: imported when first used, so that importing the package costs nearly nothing."""

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any

__all__ = ["lazy_names", "rooms_and_homes"]


def lazy_names(
    package: str, homes: Mapping[str, Sequence[str]], within: str | None = None
) -> tuple[list[str], Callable[[str], Any], Callable[[], list[str]]]:
    """Return `__all__`, `__getattr__` and `__dir__` for a package (PEP 562).

    Args:
        package: its name. It provides the names of all homes below it; subpackages and modules with a home are
            attributes, too, without an explicit import.
        homes: the names that each module is home to; a module's own name stands for the module.
        within: provide the names of homes below this package instead.
    """
    rooms, home_of = rooms_and_homes(package, homes, within)
    names = sorted(home_of)

    def getattr_(name: str) -> Any:
        if name in rooms:
            return import_module(f"{package}.{name}")
        if name not in home_of:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        home = import_module(home_of[name])
        value = home if home_of[name].endswith(f".{name}") else getattr(home, name)
        setattr(import_module(package), name, value)
        return value

    return names, getattr_, lambda: [*names, *sorted(rooms)]


def rooms_and_homes(
    package: str, homes: Mapping[str, Sequence[str]], within: str | None = None
) -> tuple[set[str], dict[str, str]]:
    """Return the subpackages and modules of a package that have a home in them, and for each name that it provides its
    home. Arguments as for `lazy_names`."""
    below = f"{within or package}."
    home_of = {name: home for home, names in homes.items() if home.startswith(below) for name in names}
    inside = [home for home in home_of.values() if home.startswith(f"{package}.")]
    return {home.removeprefix(f"{package}.").partition(".")[0] for home in inside}, home_of
