"""What a person sees while something long is under way."""

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

_unread: list[str] = []  # the line that was said to nobody
_elsewhere: dict[str, Any] = {}  # streams that "notes" and "bars" go to instead of standard error; None for nowhere
CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")  # what a terminal may obey, but for tabs and line ends


@cache
def _bar_class() -> Any:
    """The class of all bars: one, without tqdm's thread that would watch them, since they look at the clock themselves;
    and with a lock that a process which is forked while another thread holds it has anew."""
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
    """A bar on stderr: time per window, tokens per second, time left. Rare lines where stderr is no terminal.

    Args:
        windows: in all.
        tokens: of a window; or samples, as `unit` says.
        done: windows that were done before it began.
        unit: what is counted by the second.
        silent: True to show nothing.
    """
    shown = "{percentage:3.0f}% {bar:20} {n_fmt}/{total_fmt} windows [{elapsed}<{remaining}, {speed}{postfix}]"
    return _bar_class()(windows, tokens, unit, initial=done, disable=silent, bar_format=shown)


def bytes_bar(total: int) -> Any:
    """A bar on stderr for bytes of a file, once it takes more than a second. Rare lines where stderr is no terminal."""
    return _bar_class()(total, unit="B", unit_scale=True, delay=1)


def words_bar(total: int) -> Any:
    """A bar on stderr for words of a text. Rare lines where stderr is no terminal."""
    return _bar_class()(total, unit=" words", unit_scale=True)


def passing_bar(total: int, unit: str, silent: bool = False) -> Any:
    """A bar on stderr for what ends with a result: it comes after a second, goes when that is done, and is shown on a
    terminal alone.

    Args:
        total: bytes or the like, in all.
        unit: what is counted, as " tokens".
        silent: True to show nothing, where results go to the same terminal, say.
    """
    return _bar_class()(total, unit=unit, unit_scale=True, delay=1, leave=False, disable=silent or None)


@contextmanager
def not_counted(bar: Any) -> Iterator[None]:
    """What is done inside, an evaluation, say, is no part of the time that the bar divides by."""
    begin = time()
    yield
    if not bar.disable:
        bar.start_t += time() - begin
        bar.last_print_t += time() - begin


def escaped(text: str) -> str:
    """The text with its control characters written out, an escape as \\x1b, tabs and line ends left as they are."""
    return CONTROLS.sub(lambda found: f"\\x{ord(found[0]):02x}", text)


def in_one_line(text: str) -> str:
    """A message: with all control characters written out, so that no name of a file in it is obeyed by a terminal."""
    return escaped(text).replace("\t", "\\t").replace("\n", "\\n")


class _Terminal:
    """A stream to a terminal, on which control characters are written out."""

    def __init__(self, stream: Any) -> None:
        self.stream = stream

    def write(self, text: str) -> int:
        """Write a text, escaped; returns how long it was."""
        self.stream.write(escaped(text))
        return len(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


@contextmanager
def terminal_kept_safe() -> Iterator[None]:
    """Inside, what is printed on a terminal has its control characters written out: words come from strangers' files,
    and a terminal would obey them. To a file or another program they go as they are, as `ls` has it."""
    before = sys.stdout
    if before.isatty():
        sys.stdout = _Terminal(before)
    try:
        yield
    finally:
        sys.stdout = before


@contextmanager
def telling(**streams: Any) -> Iterator[None]:
    """Inside, notes and bars go to other streams than standard error.

    Args:
        streams: "notes", "bars", or both; None for nowhere.
    """
    before = dict(_elsewhere)
    _elsewhere.update(streams)
    try:
        yield
    finally:
        _elsewhere.clear()
        _elsewhere.update(before)


def note(line: str) -> None:
    """Print on standard error what a user should know and need not act on, above the progress bar if there is one."""
    stream = _elsewhere.get("notes", sys.stderr)
    if stream is not None:
        _bar_class().write(f"rnnlm: {in_one_line(line)}", file=stream)


def say(line: str) -> None:
    """Print a result on standard output, above the progress bar if there is one. Where whoever read that has left, as
    `| head` does, this line and those after it are for nobody, and `unread` says so: what is under way goes on."""
    try:
        with naming("standard output"):
            _bar_class().write(line, file=sys.stdout)
            sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        _unread.append(line)


def unread() -> bool:
    """Whether standard output had a reader who has left."""
    return bool(_unread)
