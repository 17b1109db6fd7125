"""Running a script of the book unchanged on this library.

The script runs in its own folder, as with `python SCRIPT`, except for its imports (`imports.py`). Without a display,
pictures are written to files (`pictures.py`).
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

from rnnlm.book import config
from rnnlm.book.dataset import own
from rnnlm.book.imports import Finder, builtins_of_a_script
from rnnlm.errors import InputError, MissingExtra

__all__ = ["run_script"]


def run_script(path: Path) -> None:
    """Run a script of the book, or one written like it.

    Args:
        path: the script; the user's copy of the book, if any, is around its folder.

    Raises:
        InputError: there is no such script.
        BackendError: it asks for a GPU after the backend was loaded without one.
        MissingExtra: it needs matplotlib, which is not installed.
    """
    script = path.resolve()
    if not script.is_file():
        near = sorted(p.name for p in script.parent.glob("*.py")) if script.parent.is_dir() else []
        hint = f"; there are {', '.join(near)}" if near else ""
        raise InputError(f"script must be a file of Python, and {path} is none{hint}")
    config.GPU = (os.environ.get("RNNLM_DEVICE") or os.environ.get("RNNLM_BACKEND") or "cpu")[:2] == "cu"
    main = ModuleType("__main__")
    main.__dict__.update({"__file__": str(script), "__builtins__": builtins_of_a_script()})
    with _as_if_alone(script, main):
        try:
            exec(compile(script.read_bytes(), str(script), "exec"), main.__dict__)
        except ModuleNotFoundError as error:
            if error.name is not None and error.name.partition(".")[0] == "matplotlib":
                raise MissingExtra("a picture", "plot") from error
            raise


@contextmanager
def _as_if_alone(script: Path, main: ModuleType) -> Iterator[None]:
    """Set up folder, arguments, path and modules as in a process of this script alone; restore them at the end."""
    folder, before, path, arguments = Path.cwd(), sys.modules["__main__"], [*sys.path], sys.argv
    finder = Finder(script)
    os.chdir(script.parent)
    sys.path[:] = [str(script.parent), *(str(folder) if entry == "" else entry for entry in path)]
    sys.argv, sys.modules["__main__"] = [str(script)], main
    sys.meta_path.insert(0, finder)
    _forget_relative_paths()
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
        _forget_relative_paths()


def _forget_relative_paths() -> None:
    """Drop Python's cache for relative entries of its path, such as `..`, which depend on the current folder."""
    for entry in [entry for entry in sys.path_importer_cache if not os.path.isabs(entry)]:
        del sys.path_importer_cache[entry]


@contextmanager
def _pictures() -> Iterator[None]:
    """Write pictures to files within the block if there is no display and no other backend was requested."""
    display = sys.platform in ("darwin", "win32") or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    if display or "MPLBACKEND" in os.environ:
        yield
        return
    os.environ["MPLBACKEND"] = "module://rnnlm.book.pictures"  # matplotlib reads it when it is first imported
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
