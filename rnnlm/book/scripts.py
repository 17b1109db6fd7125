"""Running a script of the book as it is, on this library.

The script runs in its own folder, as `python SCRIPT` would, but for what it imports: `common.*`, `dataset.*` and the
chapters' model files are ours (`FILES`), be they imported as `ch06.rnnlm` or, from the same folder, as `rnnlm`. All
other files of the reader's copy are its own. `pickle` is one that reads plain data only (`pickles.py`), and pictures go
to files where there is no display (`pictures.py`).
"""

import builtins
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from importlib.util import spec_from_loader
from pathlib import Path
from types import ModuleType
from typing import Any

from rnnlm import book
from rnnlm.book import config, pickles
from rnnlm.book.dataset import own
from rnnlm.errors import BackendError, InputError, MissingExtra

__all__ = ["run_script"]

DATA_SETS = {name: f"rnnlm.book.{name}" for name in ("dataset.ptb", "dataset.sequence", "dataset.spiral")}
PACKAGES = {"common", "dataset", *(name.partition(".")[0] for name in book.FILES)}
BARE = {name.partition(".")[2]: name for name in book.FILES if name.startswith("ch")}  # as their own folder sees them


def run_script(path: Path) -> None:
    """Run a script of the book, or one in its manner.

    Args:
        path: of the script; beside its folder are those of the reader's copy of the book, if there is one.

    Raises:
        InputError: there is no such script.
        BackendError: it asks for a GPU after it has begun without one.
        MissingExtra: it draws, and matplotlib is not installed.
    """
    script = path.resolve()
    if not script.is_file():
        near = sorted(p.name for p in script.parent.glob("*.py")) if script.parent.is_dir() else []
        hint = f"; there are {', '.join(near)}" if near else ""
        raise InputError(f"script must be a file of Python, and {path} is none{hint}")
    config.GPU = (os.environ.get("RNNLM_DEVICE") or os.environ.get("RNNLM_BACKEND") or "cpu")[:2] == "cu"
    main = ModuleType("__main__")
    main.__dict__.update({"__file__": str(script), "__builtins__": _builtins()})
    with _as_if_alone(script, main):
        try:
            exec(compile(script.read_bytes(), str(script), "exec"), main.__dict__)
        except ModuleNotFoundError as error:
            if error.name is not None and error.name.partition(".")[0] == "matplotlib":
                raise MissingExtra("a picture", "plot") from error
            raise


@contextmanager
def _as_if_alone(script: Path, main: ModuleType) -> Iterator[None]:
    """The folder, arguments, path and modules of a process that runs this script and nothing else."""
    folder, before, path, arguments = Path.cwd(), sys.modules["__main__"], [*sys.path], sys.argv
    finder = Finder(script)
    os.chdir(script.parent)
    sys.path[:] = [str(script.parent), *(str(folder) if entry == "" else entry for entry in path)]
    sys.argv, sys.modules["__main__"] = [str(script)], main
    sys.meta_path.insert(0, finder)
    own.set_folder(script.parent.parent / "dataset")
    try:
        with _pictures():
            yield
    finally:
        own.set_folder(None)
        sys.meta_path.remove(finder)
        for name in [name for name in sys.modules if finder.has(name)]:
            del sys.modules[name]
        sys.argv, sys.path[:], sys.modules["__main__"] = arguments, path, before
        os.chdir(folder)


@contextmanager
def _pictures() -> Iterator[None]:
    """Where a window can't be opened, and nothing else is asked for, pictures are written to files."""
    display = sys.platform in ("darwin", "win32") or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    if display or "MPLBACKEND" in os.environ:
        yield
        return
    os.environ["MPLBACKEND"] = "module://rnnlm.book.pictures"  # which matplotlib reads when it is first imported
    loaded = sys.modules.get("matplotlib")
    before = None if loaded is None else loaded.get_backend()
    if loaded is not None:
        loaded.use(os.environ["MPLBACKEND"])
    try:
        yield
    finally:
        del os.environ["MPLBACKEND"]
        if loaded is not None:
            loaded.use(before)


# ---------------------------------------------------------------------- what a script imports


def _builtins() -> dict[str, Any]:
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
            spec = spec_from_loader(fullname, _Ours(fullname, self.root), is_package=True)
            if spec is not None:
                spec.submodule_search_locations = [str(self.root / fullname)]
            return spec
        if fullname in book.FILES or fullname in DATA_SETS or fullname in BARE:
            return spec_from_loader(fullname, _Ours(fullname, self.root))
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

    def __init__(self, name: str, root: Path) -> None:
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
        module.__dict__["__builtins__"] = _builtins()
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
