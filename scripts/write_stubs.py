"""Write the `__init__.pyi` of each package, from which type checkers and editors know the names that it loads lazily.

    python scripts/write_stubs.py

The names and their homes stand in `HOMES` of `rnnlm/__init__.py`, and of `rnnlm/book/__init__.py`; a test checks that
the files are those that this script writes.
"""

from pathlib import Path

import rnnlm
import rnnlm.book
from rnnlm.lazy import rooms_and_homes

ROOT = Path(rnnlm.__file__).parent
NOTE = "# Written by scripts/write_stubs.py from the names that this package loads lazily.\n"
OTHERS = {  # what else is read from a package
    "rnnlm": "\n__version__: str\nHOMES: dict[str, tuple[str, ...]]\n",
    "rnnlm.book": "\nHOMES: dict[str, tuple[str, ...]]\nFILES: dict[str, tuple[str, ...]]\n",
}


def stubs() -> dict[Path, str]:
    """Return the text of each file, by its path."""
    found = {}
    for path in sorted(ROOT.rglob("__init__.py")):
        package = ".".join(("rnnlm", *path.parent.relative_to(ROOT).parts))
        if "lazy_names" in path.read_text(encoding="utf-8"):
            found[path.with_suffix(".pyi")] = stub(package)
    return found


def stub(package: str) -> str:
    """Return the text of a package's `__init__.pyi`."""
    own = package == "rnnlm.book"
    rooms, homes = rooms_and_homes(package, rnnlm.book.HOMES if own else rnnlm.HOMES, "rnnlm" if own else None)
    lines = [f"from {package} import {room} as {room}\n" for room in sorted(rooms - homes.keys())]
    for name, home in sorted(homes.items(), key=lambda item: (item[1], item[0])):
        lines.append(f"from {home.removesuffix(f'.{name}')} import {name} as {name}\n")
    return NOTE + "".join(lines) + OTHERS.get(package, "")


if __name__ == "__main__":
    for path, text in stubs().items():
        path.write_text(text, encoding="utf-8")
        print(f"{path.relative_to(ROOT.parent)}: {text.count(' as ')} names")
