"""Read options from a command line before its command is known.

A word that begins with `--` is an option, up to a bare `--`: tyro never takes such a word as the value of an option.
"""

from collections.abc import Sequence

__all__ = ["taken_out", "typed", "value"]


def _options(arguments: Sequence[str]) -> list[tuple[int, str, str | None]]:
    """Return place, name (`max_words` for `--max-words`) and value, if given with `=`, of each option."""
    found = []
    for place, word in enumerate(arguments):
        if word == "--":
            break
        if word.startswith("--"):
            name, given, after = word[2:].partition("=")
            found.append((place, name.replace("-", "_"), after if given else None))
    return found


def typed(arguments: Sequence[str]) -> set[str]:
    """Return the names of all options that are given; for `--no-tied` both `no_tied` and `tied`."""
    names = {name for _, name, _ in _options(arguments)}
    return names | {name.removeprefix("no_") for name in names}


def value(arguments: Sequence[str], option: str) -> str | None:
    """Return the value of an option, given by name, or None; the last one wins."""
    found = None
    for place, name, after in _options(arguments):
        if name == option:
            found = _after(arguments, place) if after is None else after
    return found


def _after(arguments: Sequence[str], place: int) -> str | None:
    """Return the word after an option, or None if that is an option, too."""
    following = next(iter(arguments[place + 1 : place + 2]), None)
    return None if following is None or following.startswith("--") else following


def taken_out(arguments: Sequence[str], option: str, with_value: bool = True) -> list[str]:
    """Return the arguments without an option, given by name, and without its value if it takes one."""
    gone = set()
    for place, name, after in _options(arguments):
        if name == option:
            takes = with_value and after is None and _after(arguments, place) is not None
            gone |= {place, place + 1} if takes else {place}
    return [word for place, word in enumerate(arguments) if place not in gone]
