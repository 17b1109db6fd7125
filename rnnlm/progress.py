"""Output for the person at the terminal: progress bars, notes and results."""

import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from threading import RLock
from time import time
from typing import Any

from rnnlm.files import naming

__all__ = [
    "bytes_bar",
    "in_one_line",
    "not_counted",
    "note",
    "passing_bar",
    "progress_bar",
    "say",
    "telling",
    "terminal_kept_safe",
    "unread",
    "words_bar",
]

_unread: list[str] = []  # lines printed after the reader of standard output left
_elsewhere: dict[str, Any] = {}  # streams for "notes" and "bars" in place of standard error; None for no output
CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")  # control characters except tabs and line ends


@cache
def _bar_class() -> Any:
    """Return the class of all bars, created once: tqdm without its monitoring thread, which these bars don't need, and
    with a lock that is new after a fork, because another thread may hold it then."""
    from tqdm import tqdm

    class Bar(tqdm):  # type: ignore[type-arg]
        monitor_interval = 0

        def __init__(self, total: int, each: int = 1, counted: str = "", **options: Any) -> None:
            self.each, self.counted = each, counted
            stream = _elsewhere.get("bars", sys.stderr)
            options |= {"disable": True} if stream is None else {"file": stream}
            every = 0.2 if sys.stderr.isatty() else 20  # seconds
            super().__init__(total=total, mininterval=every, miniters=1, dynamic_ncols=True, **options)

        @property
        def format_dict(self) -> dict[str, Any]:
            values = dict(super().format_dict)
            rate = values["rate"] or (values["n"] / values["elapsed"] if values["elapsed"] else 0)
            speed = f"{rate * self.each:,.0f} {self.counted}/s, {1000 / rate:.1f} ms/window" if rate else "?"
            return {**values, "speed": speed}

    Bar.set_lock(RLock())
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=lambda: Bar.set_lock(RLock()))
    return Bar


def progress_bar(windows: int, tokens: int, done: int = 0, unit: str = "tokens", silent: bool = False) -> Any:
    """Return a bar on stderr: time per window, tokens per second, time left; rare lines if stderr is not a terminal.

    Args:
        windows: total number of windows.
        tokens: tokens, or samples (see `unit`), of a window.
        done: windows done before.
        unit: what the speed counts.
        silent: True to show nothing.
    """
    shown = "{percentage:3.0f}% {bar:20} {n_fmt}/{total_fmt} windows [{elapsed}<{remaining}, {speed}{postfix}]"
    return _bar_class()(windows, tokens, unit, initial=done, disable=silent, bar_format=shown)


def bytes_bar(total: int) -> Any:
    """Return a bar on stderr for bytes of a file, shown after a second; rare lines if stderr is not a terminal."""
    return _bar_class()(total, unit="B", unit_scale=True, delay=1)


def words_bar(total: int) -> Any:
    """Return a bar on stderr for words of a text; rare lines if stderr is not a terminal."""
    return _bar_class()(total, unit=" words", unit_scale=True)


def passing_bar(total: int, unit: str, silent: bool = False) -> Any:
    """Return a bar on stderr for work that ends with a result: shown after a second, removed at the end, and only on a
    terminal.

    Args:
        total: total number of bytes or other units.
        unit: what is counted, such as " tokens".
        silent: True to show nothing, for instance if results go to the same terminal.
    """
    return _bar_class()(total, unit=unit, unit_scale=True, delay=1, leave=False, disable=silent or None)


@contextmanager
def not_counted(bar: Any) -> Iterator[None]:
    """Exclude the time of the block, such as an evaluation, from the bar's speed."""
    begin = time()
    yield
    if not bar.disable:
        bar.start_t += time() - begin
        bar.last_print_t += time() - begin


def escaped(text: str) -> str:
    """Return the text with control characters escaped, such as \\x1b; tabs and line ends are kept."""
    return CONTROLS.sub(lambda found: f"\\x{ord(found[0]):02x}", text)


def in_one_line(text: str) -> str:
    """Return a message in one line, control characters escaped, so that names in it can't control a terminal."""
    return escaped(text).replace("\t", "\\t").replace("\n", "\\n")


class _Terminal:
    """A terminal stream that escapes control characters."""

    def __init__(self, stream: Any) -> None:
        self.stream = stream

    def write(self, text: str) -> int:
        """Write a text, escaped; returns its length."""
        self.stream.write(escaped(text))
        return len(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


@contextmanager
def terminal_kept_safe() -> Iterator[None]:
    """Escape control characters in what is printed to a terminal within the block: words come from files of strangers,
    and could control the terminal. Output to a file or another program is unchanged, as with `ls`."""
    before = sys.stdout
    if before.isatty():
        sys.stdout = _Terminal(before)
    try:
        yield
    finally:
        sys.stdout = before


@contextmanager
def telling(**streams: Any) -> Iterator[None]:
    """Redirect notes and bars from standard error within the block.

    Args:
        streams: "notes", "bars", or both; None for no output.
    """
    before = dict(_elsewhere)
    _elsewhere.update(streams)
    try:
        yield
    finally:
        _elsewhere.clear()
        _elsewhere.update(before)


def note(line: str) -> None:
    """Print a note for the user on standard error, above the progress bar if there is one."""
    stream = _elsewhere.get("notes", sys.stderr)
    if stream is not None:
        _bar_class().write(f"rnnlm: {in_one_line(line)}", file=stream)


def say(line: str) -> None:
    """Print a result on standard output, above the progress bar if there is one. If the reader has left (as `| head`
    does), this line and later ones are dropped, `unread` returns True, and the work goes on."""
    try:
        with naming("standard output"):
            _bar_class().write(line, file=sys.stdout)
            sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        _unread.append(line)


def unread() -> bool:
    """Whether lines were dropped because the reader of standard output left."""
    return bool(_unread)
