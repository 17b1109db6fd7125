"""Names of a package that are imported when they are first used, so importing the package costs nearly nothing."""

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any

__all__ = ["lazy_names"]


def lazy_names(
    package: str, homes: Mapping[str, Sequence[str]], within: str | None = None
) -> tuple[list[str], Callable[[str], Any], Callable[[], list[str]]]:
    """`__all__`, `__getattr__` and `__dir__` of a package (PEP 562).

    Args:
        package: its name. It has the names of all homes below it; its folders and modules with a home in them are
            attributes of it too, without an import of their own.
        homes: the names that each module is home to; its own name stands for the module itself.
        within: take the names of homes below this package instead.
    """
    below = f"{within or package}."
    home_of = {name: home for home, names in homes.items() if home.startswith(below) for name in names}
    inside = [home for home in home_of.values() if home.startswith(f"{package}.")]
    rooms = {home.removeprefix(f"{package}.").partition(".")[0] for home in inside}
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
