"""Imports of the book's scripts: `common.*`, `dataset.*` and the chapters' model files come from this package.

`FILES` of `rnnlm.book` has the names in each of them, whether imported as `ch06.rnnlm` or, from the same folder, as
`rnnlm`. All other files of the user's copy are used as they are. `pickle` reads plain data only (`pickles.py`).
"""

import builtins
import os
import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from importlib.util import spec_from_loader
from pathlib import Path
from types import ModuleType
from typing import Any

from rnnlm import book
from rnnlm.book import config, pickles
from rnnlm.errors import BackendError

__all__ = ["Finder", "builtins_of_a_script"]

DATA_SETS = {"dataset.ptb", "dataset.sequence", "dataset.spiral"}
PACKAGES = {"common", "dataset", *(name.partition(".")[0] for name in book.FILES)}
BARE = {name.partition(".")[2]: name for name in book.FILES if name.startswith("ch")}  # names within a chapter's folder


def builtins_of_a_script() -> dict[str, Any]:
    """Return Python's builtins with an import that gives this package's `rnnlm` of chapter 6, and a safe `pickle`."""

    def book_import(
        name: str, globals: Any = None, locals: Any = None, fromlist: Sequence[str] = (), level: int = 0
    ) -> Any:
        if level == 0 and name == "rnnlm":
            return _of_chapter_6()
        if level == 0 and name == "pickle":
            return pickles
        return builtins.__import__(name, globals, locals, fromlist, level)

    return {**vars(builtins), "__import__": book_import}


def _of_chapter_6() -> ModuleType:
    """Return the book's module rnnlm, which has this package's names, too."""
    import rnnlm

    _settle()
    module = ModuleType("rnnlm")
    module.__dict__.update({name: getattr(book, name) for name in book.FILES["ch06.rnnlm"]})
    module.__getattr__ = lambda name: getattr(rnnlm, name)  # type: ignore[method-assign]
    return module


class Finder(MetaPathFinder):
    """Finds the book's modules in this package, and runs the user's own files with the same import as the script."""

    def __init__(self, script: Path) -> None:
        self.folder, self.root = script.parent, script.parent.parent

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        """Return the spec of a module; None to leave it to Python."""
        if fullname in PACKAGES:
            spec = spec_from_loader(fullname, _Ours(fullname), is_package=True)
            if spec is not None:
                spec.submodule_search_locations = [str(self.root / fullname)]
            return spec
        if fullname in book.FILES or fullname in DATA_SETS or fullname in BARE:
            return spec_from_loader(fullname, _Ours(fullname))
        found = PathFinder.find_spec(fullname, path)
        if found is not None and self._is_the_readers(found.origin) and isinstance(found.loader, SourceFileLoader):
            found.loader = _Theirs(fullname, str(found.origin))
        return found

    def has(self, name: str) -> bool:
        """Whether a module was found by this finder."""
        module = sys.modules[name]
        loader = getattr(getattr(module, "__spec__", None), "loader", None)
        return name == "common.config" or isinstance(loader, (_Ours, _Theirs))

    def _is_the_readers(self, origin: str | None) -> bool:
        """Whether a file is in the script's folder, one beside it, or the one above it."""
        folder = Path(origin).parent if origin else None
        return folder is not None and (folder in (self.folder, self.root) or folder.parent == self.root)


class _Ours(Loader):
    """Loader of a module with names of `rnnlm.book`."""

    def __init__(self, name: str) -> None:
        self.name = name

    def exec_module(self, module: ModuleType) -> None:
        """Put the names into the module."""
        if self.name == "common":
            module.__dict__["config"] = sys.modules["common.config"] = config
        elif self.name in DATA_SETS:
            inside = getattr(book, self.name.partition(".")[2])
            module.__dict__.update({name: getattr(inside, name) for name in inside.__all__})
        elif self.name not in PACKAGES:
            _settle()
            names = book.FILES[BARE.get(self.name, self.name)]
            module.__dict__.update({name: getattr(book, name) for name in names})


class _Theirs(SourceFileLoader):
    """Loader of a file in the user's copy of the book."""

    def exec_module(self, module: ModuleType) -> None:
        """Run the file with the same import as the script."""
        module.__dict__["__builtins__"] = builtins_of_a_script()
        super().exec_module(module)


def _settle() -> None:
    """Select the GPU if the script asked for it, before the backend is loaded.

    Raises:
        BackendError: the backend is already loaded, without a GPU.
    """
    loaded = sys.modules.get("rnnlm.backend")
    if not config.GPU:
        return
    if loaded is None:
        os.environ.setdefault("RNNLM_DEVICE", "cuda")
    elif loaded.NAME != "cupy" and os.environ.get("RNNLM_DEVICE") is None:
        raise BackendError(
            "config.GPU = True must stand before the first import of the book's other files: this process has begun "
            "without a GPU; or name it from outside: --device cuda"
        )
