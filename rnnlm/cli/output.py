"""The options of every command that say where output goes: `--quiet` and `--log-file`.

They are removed from the arguments before the command is parsed, so that they hold for parsing errors, too.
"""

import os
import stat
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from rnnlm.cli.arguments import taken_out, typed, value
from rnnlm.cli.process import handled
from rnnlm.errors import InputError
from rnnlm.progress import in_one_line, telling

__all__ = ["EVERYWHERE", "told"]

EVERYWHERE = """With every command:
  --quiet          no progress bars and no notes; results and errors remain
  --log-file FILE  also append all output to this file, without progress bars"""

OURS = (
    "config.json", "manifest.json", "metrics.jsonl", "settings.json", "state.json", "text.json", "timing.jsonl",
    "tokenizer.json", "vocab.txt",
)  # fmt: skip


def told(arguments: Sequence[str], action: Callable[[list[str]], None]) -> int:
    """Run an action with the arguments that remain, with its output as they say; returns the exit code."""
    words = list(arguments)
    with ExitStack() as stack:
        return handled(lambda: stack.enter_context(_obeyed(words))) or handled(lambda: action(_other(words)))


def _other(arguments: list[str]) -> list[str]:
    """Return the arguments without these two options."""
    return taken_out(taken_out(arguments, "quiet", with_value=False), "log_file")


@contextmanager
def _obeyed(arguments: list[str]) -> Iterator[None]:
    """Direct output within the block as the options say.

    Raises:
        InputError: the log file can't be written.
    """
    asked, name, stderr = typed(arguments), value(arguments, "log_file"), sys.stderr
    if any(word.startswith("--quiet=") for word in arguments):
        raise InputError("quiet takes no value: --quiet, or leave it out")
    if "log_file" in asked and not name:
        raise InputError("log_file must be followed by the name of a file: --log-file FILE")
    streams: dict[str, Any] = {"notes": None, "bars": None} if "quiet" in asked else {}
    if name is None:
        with telling(**streams):
            yield
        return
    for word in taken_out(arguments, "log_file"):
        given = word.partition("=")[2] if word.startswith("--") and "=" in word else word
        if os.path.isfile(given) and os.path.exists(name) and os.path.samefile(given, name):
            raise InputError(f"log_file must be a file of its own, and {name} is also what the command is given")
    if os.path.exists(name) and (
        Path(name).name in OURS or Path(name).suffix in (".arpa", ".ids", ".png", ".safetensors")
    ):
        raise InputError(f"log_file must be no file of a model, a run or a picture, got {name}")
    before, log = (sys.stdout, sys.stderr), _Log(_opened(Path(name)), stderr)
    sys.stdout, sys.stderr = _Both(sys.stdout, log), _Both(stderr, log)
    try:
        with telling(**{"bars": stderr, **streams, **({"notes": log} if streams else {})}):
            yield
    finally:
        sys.stdout, sys.stderr = before
        log.close()


def _opened(path: Path) -> IO[str]:
    """Open a file for appending, without waiting for the reader of a pipe.

    Raises:
        InputError: it can't be written, or is not a regular file.
    """
    try:
        number = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_NONBLOCK", 0), 0o666)
    except (OSError, ValueError) as error:  # ValueError: a null character in the name
        raise InputError(f"log_file must be a file that can be written, got {path}: {error}") from error
    if not stat.S_ISREG(os.fstat(number).st_mode):
        os.close(number)
        raise InputError(f"log_file must be a file, and {path} is none")
    return os.fdopen(number, "a", buffering=1, encoding="utf-8", errors="backslashreplace")


class _Log:
    """A log file. If it can't be written any more, a message says so once and the work goes on.

    Args:
        file: the open file.
        stderr: stream for that message.
    """

    def __init__(self, file: IO[str], stderr: Any) -> None:
        self.file: IO[str] | None = file
        self.stderr = stderr

    def write(self, text: str) -> int:
        """Append a text; returns its length."""
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
        """Stop writing."""
        with suppress(OSError):  # what could not be written before can't be now
            if self.file is not None:
                self.file.close()
        self.file = None

    def flush(self) -> None:
        """Do nothing: `write` flushes."""


class _Both:
    """A stream whose text is also logged. Compares equal to the stream, so that tqdm clears its bars on it."""

    def __init__(self, stream: Any, log: _Log) -> None:
        self.stream, self.log = stream, log

    def write(self, text: str) -> int:
        """Write a text to both; returns its length."""
        self.stream.write(text)
        return self.log.write(text)

    def __eq__(self, other: object) -> bool:
        return self is other or self.stream is other

    def __hash__(self) -> int:
        return hash(self.stream)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)
