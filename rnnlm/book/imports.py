"""What a script of the book imports: `common.*`, `dataset.*` and the chapters' model files are ours.

`FILES` of `rnnlm.book` says which names each of them has, be they imported as `ch06.rnnlm` or, from the same folder, as
`rnnlm`. All other files of the reader's copy are its own. `pickle` is one that reads plain data only (`pickles.py`).
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
BARE = {name.partition(".")[2]: name for name in book.FILES if name.startswith("ch")}  # as their own folder sees them


def builtins_of_a_script() -> dict[str, Any]:
    """Python's own, with an import that knows the book's `rnnlm.py` from this package, and a `pickle` that is safe."""

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
    """The book's rnnlm.py, which has this package's names too."""
    import rnnlm

    _settle()
    module = ModuleType("rnnlm")
    module.__dict__.update({name: getattr(book, name) for name in book.FILES["ch06.rnnlm"]})
    module.__getattr__ = lambda name: getattr(rnnlm, name)  # type: ignore[method-assign]
    return module


class Finder(MetaPathFinder):
    """Finds the book's files among ours, and the reader's own files with the same import as the script."""

    def __init__(self, script: Path) -> None:
        self.folder, self.root = script.parent, script.parent.parent

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        """Where a module comes from; None to leave it to Python."""
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
        """Whether a module is one that was found here."""
        module = sys.modules[name]
        loader = getattr(getattr(module, "__spec__", None), "loader", None)
        return name == "common.config" or isinstance(loader, (_Ours, _Theirs))

    def _is_the_readers(self, origin: str | None) -> bool:
        """Whether a file lies in the script's folder, or in one beside it, or above it."""
        folder = Path(origin).parent if origin else None
        return folder is not None and (folder in (self.folder, self.root) or folder.parent == self.root)


class _Ours(Loader):
    """A module with names of `rnnlm.book`."""

    def __init__(self, name: str) -> None:
        self.name = name

    def exec_module(self, module: ModuleType) -> None:
        """Put its names into it."""
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
    """A file of the reader's."""

    def exec_module(self, module: ModuleType) -> None:
        """Run it, with the same import as the script."""
        module.__dict__["__builtins__"] = builtins_of_a_script()
        super().exec_module(module)


def _settle() -> None:
    """Choose the backend as the script has asked for it, before it is loaded.

    Raises:
        BackendError: it is loaded already, and is another.
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
