"""Shared by all pictures: figures, names, fonts and files, and error handling that lets work go on."""

import os
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from rnnlm.checks import path_of
from rnnlm.errors import InputError, MissingExtra, PictureError, RnnlmError
from rnnlm.files import atomic_file, expect_new_file
from rnnlm.progress import in_one_line, note

__all__ = [
    "drawn",
    "expect_new_picture",
    "expect_picture_name",
    "legend",
    "new_figure",
    "or_told",
    "plain",
    "write_figure",
]

ENDINGS = (".png", ".svg", ".pdf", ".jpg")
LONGEST = 100  # characters of a name
LIKELY = ("CJK", "Noto Sans", "Nanum", "Malgun", "Gothic", "Hiragino", "YaHei", "WenQuanYi", "Unicode", "Unifont")
BOXES = "Last Resort"  # fonts with this name prefix have a box for every character
Options = ParamSpec("Options")
Drawn = TypeVar("Drawn")
Path_ = str | os.PathLike[str]


def drawn(save: Callable[Options, Drawn]) -> Callable[Options, Drawn]:
    """Decorate a function that draws a picture: errors of matplotlib become PictureError. Errors of arguments and of
    the operating system are unchanged."""

    @wraps(save)
    def saved(*args: Options.args, **options: Options.kwargs) -> Drawn:
        try:
            return save(*args, **options)
        except (RnnlmError, OSError):
            raise
        except Exception as error:
            why = f"{type(error).__name__}: {str(error).strip()}".split("\n")[0].rstrip(": ")
            raise PictureError(f"matplotlib can't draw this picture: {why}") from error

    return saved


@contextmanager
def or_told() -> Iterator[None]:
    """Turn any error within the block into a note on standard error."""
    try:
        yield
    except Exception as error:
        note(f"no picture: {error or type(error).__name__}")


def expect_picture_name(path: Path_) -> None:
    """Check that a picture's name ends with one of `ENDINGS`.

    Raises:
        InputError: it does not.
    """
    if path_of("path", path).suffix.lower() not in ENDINGS:
        raise InputError(f"a picture's name must end with one of {', '.join(ENDINGS)}, got {os.fspath(path)!r}")


def expect_new_picture(name: str, path: Path, overwrite: bool) -> None:
    """Check that a picture can be saved to `path` without losing an existing file.

    Raises:
        InputError: another extension, or a file exists and `overwrite` is False; the message names the argument.
    """
    expect_picture_name(path)
    expect_new_file(name, path, overwrite)


def new_figure(width: float, height: float) -> Any:
    """Return an empty figure, sizes in inches; raises MissingExtra if matplotlib is not installed."""
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        if (error.name or "matplotlib").partition(".")[0] != "matplotlib":
            raise  # a library that matplotlib needs
        raise MissingExtra("a picture", "plot") from error
    return Figure(figsize=(width, height), layout="constrained")


@drawn
def write_figure(path: Path_, figure: Any) -> None:
    """Save a picture atomically. Characters that no installed font has are drawn as boxes, with a note."""
    _find_fonts(figure)
    with warnings.catch_warnings(), atomic_file(path) as file:
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        warnings.filterwarnings("ignore", message="constrained_layout not applied")  # too little space
        figure.savefig(file, dpi=150, format=Path(path).suffix[1:].lower() or None)


# ---------------------------------------------------------------- names


def plain(name: str, longest: int = LONGEST) -> str:
    """Return a name for a picture: in one line, shortened to `longest` characters, without lone surrogates."""
    shown = in_one_line(str(name).encode("utf-8", "backslashreplace").decode())
    return shown if len(shown) <= longest else f"{shown[: longest // 2]}…{shown[1 - longest // 2 :]}"


def legend(place: Any, handles: Mapping[str, Any], **options: Any) -> None:
    """Add a legend in which names appear literally, also those that matplotlib would hide for a leading underscore or
    take for a formula."""
    made = place.legend(list(handles.values()), ["-"] * len(handles), **options)
    for text, name in zip(made.get_texts(), handles):
        text.set_text(plain(name))
        text.set_parse_math(False)


# ---------------------------------------------------------------- fonts


def _find_fonts(figure: Any) -> None:
    """Use other installed fonts for texts with characters that the default font lacks, such as Korean ones."""
    from matplotlib import font_manager
    from matplotlib.text import Text

    usual = _characters_of(font_manager.findfont(font_manager.FontProperties()))
    texts = [text for text in figure.findobj(Text) if not usual.issuperset(map(ord, text.get_text()))]
    missing = {ord(letter) for text in texts for letter in text.get_text()} - usual - {ord("\n")}
    families = []
    for font in sorted(font_manager.fontManager.ttflist, key=_is_unlikely) if missing else ():
        if font.name.startswith(BOXES) or not missing & (has := _characters_of(font.fname)):
            continue
        families.append(font.name)
        missing -= has
        if not missing:
            break
    for text in texts:
        text.set_fontfamily([*text.get_fontfamily(), *families])
    if missing:
        some = "".join(map(chr, sorted(missing)[:5]))
        note(f"no installed font has {some}: boxes are drawn; install one that has, Noto Sans CJK, say")


def _is_unlikely(font: Any) -> bool:
    """Whether a font is not known for covering many scripts; such fonts are tried last."""
    return not any(part in font.name for part in LIKELY)


def _characters_of(path: str) -> set[int]:
    """Return the code points in a font file; none if it can't be read."""
    from matplotlib.ft2font import FT2Font

    try:
        return set(FT2Font(path).get_charmap())
    except (OSError, RuntimeError):
        return set()
