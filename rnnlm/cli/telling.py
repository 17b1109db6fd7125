"""Where a command tells what it tells: `--quiet` and `--log-file`, which every command has.

They are taken out of the words before the command is parsed: errors obey them, too, and what is told by the way.
"""

import os
import stat
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from rnnlm.cli.process import handled
from rnnlm.cli.words import taken_out, typed, value
from rnnlm.errors import InputError
from rnnlm.progress import in_one_line, telling

__all__ = ["EVERYWHERE", "told"]

EVERYWHERE = """With every command:
  --quiet          no progress bars and no notes; results and errors remain
  --log-file FILE  what is told is added to that file, too, without bars"""


def told(arguments: Sequence[str], action: Callable[[list[str]], None]) -> int:
    """Do it, told what the words say but for where to tell; return the exit code, and errors as one sentence."""
    words = list(arguments)
    with ExitStack() as stack:
        return handled(lambda: stack.enter_context(_obeyed(words))) or handled(lambda: action(_other(words)))


def _other(arguments: list[str]) -> list[str]:
    """The words that are left for the command."""
    return taken_out(taken_out(arguments, "quiet", with_value=False), "log_file")


@contextmanager
def _obeyed(arguments: list[str]) -> Iterator[None]:
    """Inside, all is told where the words have it.

    Raises:
        InputError: a file for the log that can't be written.
    """
    asked, name, stderr = typed(arguments), value(arguments, "log_file"), sys.stderr
    if "log_file" in asked and not name:
        raise InputError("log_file must be followed by the name of a file: --log-file FILE")
    streams: dict[str, Any] = {"notes": None, "bars": None} if "quiet" in asked else {}
    if name is None:
        with telling(**streams):
            yield
        return
    before, log = (sys.stdout, sys.stderr), _Log(_opened(Path(name)), stderr)
    sys.stdout, sys.stderr = _Both(sys.stdout, log), _Both(stderr, log)
    try:
        with telling(**{"bars": stderr, **streams, **({"notes": log} if streams else {})}):
            yield
    finally:
        sys.stdout, sys.stderr = before
        log.close()


def _opened(path: Path) -> IO[str]:
    """A file to add lines to. A pipe that nobody reads is not waited for.

    Raises:
        InputError: it can't be written.
    """
    try:
        number = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_NONBLOCK", 0), 0o666)
    except (OSError, ValueError) as error:  # a name with a null in it
        raise InputError(f"log_file must be a file that can be written, got {path}: {error}") from error
    if not stat.S_ISREG(os.fstat(number).st_mode):
        os.close(number)
        raise InputError(f"log_file must be a file, and {path} is none")
    return os.fdopen(number, "a", buffering=1, encoding="utf-8", errors="backslashreplace")


class _Log:
    """A file to which what is told is added. No work is lost where it can't be written any more: that is said once.

    Args:
        file: it.
        stderr: where that is said.
    """

    def __init__(self, file: IO[str], stderr: Any) -> None:
        self.file: IO[str] | None = file
        self.stderr = stderr

    def write(self, text: str) -> int:
        """Add a text; returns how long it was."""
        if self.file is not None:
            try:
                self.file.write(text)
                self.file.flush()
            except OSError as error:
                self.close()
                with suppress(OSError):
                    print(f"rnnlm: nothing more goes to the log: {in_one_line(str(error))}", file=self.stderr)
        return len(text)

    def close(self) -> None:
        """Add nothing more."""
        with suppress(OSError):  # what could not be written can't be now
            if self.file is not None:
                self.file.close()
        self.file = None

    def flush(self) -> None:
        """All is written already."""


class _Both:
    """A stream whose text goes to the log, too. It is equal to the stream, so that bars on that make room for it."""

    def __init__(self, stream: Any, log: _Log) -> None:
        self.stream, self.log = stream, log

    def write(self, text: str) -> int:
        """Write a text to both; returns how long it was."""
        self.stream.write(text)
        return self.log.write(text)

    def __eq__(self, other: object) -> bool:
        return self is other or self.stream is other

    def __hash__(self) -> int:
        return hash(self.stream)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)
