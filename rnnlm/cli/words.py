"""The words of a command line, as far as they can be understood before the command is known.

What begins with `--` is an option, up to a bare `--`: tyro takes no such word for the value of the option before it.
"""

from collections.abc import Sequence

__all__ = ["taken_out", "typed", "value"]


def _options(arguments: Sequence[str]) -> list[tuple[int, str, str | None]]:
    """Place, name (`max_words` of `--max-words`) and value, if it is given by `=`, of each option."""
    found = []
    for place, word in enumerate(arguments):
        if word == "--":
            break
        if word.startswith("--"):
            name, given, after = word[2:].partition("=")
            found.append((place, name.replace("-", "_"), after if given else None))
    return found


def typed(arguments: Sequence[str]) -> set[str]:
    """The names of all options that are given; of `--no-tied`, `tied` too."""
    names = {name for _, name, _ in _options(arguments)}
    return names | {name.removeprefix("no_") for name in names}


def value(arguments: Sequence[str], option: str) -> str | None:
    """The value of an option, by its name, if it is given; the last one wins."""
    found = None
    for place, name, after in _options(arguments):
        if name == option:
            found = _after(arguments, place) if after is None else after
    return found


def _after(arguments: Sequence[str], place: int) -> str | None:
    """The word after an option, which is its value unless it is an option, too."""
    following = next(iter(arguments[place + 1 : place + 2]), None)
    return None if following is None or following.startswith("--") else following


def taken_out(arguments: Sequence[str], option: str, with_value: bool = True) -> list[str]:
    """The words without an option, by its name, and its value, if it takes one."""
    gone = set()
    for place, name, after in _options(arguments):
        if name == option:
            takes = with_value and after is None and _after(arguments, place) is not None
            gone |= {place, place + 1} if takes else {place}
    return [word for place, word in enumerate(arguments) if place not in gone]
