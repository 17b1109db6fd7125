"""How a command line program ends and talks: exit codes, errors in one sentence, signals, streams.

Control characters are escaped on a terminal, and in errors and notes always: words and file names are untrusted.

Exit codes: 0 success, 1 failure, 2 wrong usage, 3 bad data or model, 4 busy; 129, 130 and 143 after SIGHUP, SIGINT and
SIGTERM.
"""

import io
import os
import re
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any, NoReturn

from rnnlm.errors import BusyError, DataError, InputError, Interrupted, ModelFileError, RnnlmError
from rnnlm.progress import in_one_line

__all__ = ["handled", "whole_process"]

FAILED, USAGE, BAD_DATA, BUSY = 1, 2, 3, 4
ENDING = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
SMALLER = "take smaller sizes (batch_size, time_size, hidden_size), or fewer lanes"
TIMER = sys.platform != "win32"  # whether setitimer exists
AGAIN = 0.01  # seconds until a signal that came during an import is tried again


def whole_process(main: Callable[[], int]) -> int:
    """Run a command that is the whole purpose of this process. Before and after it, when there is nothing to save, a
    signal ends the process with one line and its exit code.

    Args:
        main: the command, which imports what it needs itself.
    """
    console = sys.platform == "win32" and sys.stderr is not None and sys.stderr.isatty()  # takes text, not bytes
    if sys.stderr is not None and not console:
        raw, like = _Unheard(2, "wb", closefd=False), sys.stderr
        sys.stderr = io.TextIOWrapper(io.BufferedWriter(raw), like.encoding, like.errors, line_buffering=True)
    heard = [number for number in ENDING if signal.getsignal(number) != signal.SIG_IGN]
    for number in heard:
        signal.signal(number, _leave)
    code = main()
    for number in heard:
        signal.signal(number, signal.SIG_IGN)
    return code


class _Unheard(io.FileIO):
    """Standard error that drops what can't be written, so that training goes on with a full disk or a closed pipe."""

    def write(self, content: Any, /) -> int:
        try:
            written = super().write(content)  # None: a non-blocking reader takes nothing now
        except OSError:
            written = None
        return written or memoryview(content).nbytes


def _leave(number: int, _frame: FrameType | None) -> NoReturn:
    """End the process at once."""
    with suppress(OSError):
        os.write(2, b"rnnlm: interrupted\n")
    os._exit(128 + number)


def handled(action: Callable[[], None]) -> int:
    """Run an action; an error becomes a sentence on standard error and an exit code."""
    _mend_streams()
    stopped: list[int] = []
    try:
        with _stop_on_signals(stopped):
            action()
            sys.stdout.flush()
    except BaseException as error:
        return _ended(error, stopped)
    return _fail("interrupted", 128 + stopped[0]) if stopped else 0


def _ended(error: BaseException, stopped: list[int]) -> int:
    """Report an error and return its exit code."""
    if isinstance(error, OSError) and error.filename in (None, "standard output"):
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # nothing more is printed, and flushing at exit can't fail
    if isinstance(error, SystemExit):  # tyro has printed its message
        return error.code if isinstance(error.code, int) else FAILED
    if isinstance(error, Interrupted):
        return _fail(error, 128 + error.number)
    if isinstance(error, KeyboardInterrupt):
        return _fail("interrupted", 128 + signal.SIGINT)
    if stopped:  # libraries turn an interrupt into other errors
        notes = getattr(error, "__notes__", None)
        return _fail(f"stopped; {notes[-1]}" if notes else "interrupted", 128 + stopped[0])
    if isinstance(error, RnnlmError):
        return _fail(error, _code(error))
    if isinstance(error, BrokenPipeError):  # the reader has gone, as with `| head`
        return FAILED
    if isinstance(error, MemoryError):  # CuPy's is one too, and its message gives sizes
        return _fail(f"{str(error).rstrip('.') or 'out of memory'}: {SMALLER}", FAILED)
    if isinstance(error, OSError):
        return _fail(error, FAILED)
    if isinstance(error, RuntimeError) and re.search("out of memory|OUT_OF_MEMORY|ALLOC_FAILED", str(error)):
        return _fail(f"the GPU is out of memory ({error}): {SMALLER}", FAILED)  # messages of CUDA's libraries
    raise error


def _mend_streams() -> None:
    """Replace closed streams by ones that discard, and escape characters that the terminal can't show."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115 - open to the end
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _code(error: RnnlmError) -> int:
    if isinstance(error, InputError):
        return USAGE
    if isinstance(error, BusyError):
        return BUSY
    return BAD_DATA if isinstance(error, (DataError, ModelFileError)) else FAILED


def _fail(message: object, code: int) -> int:
    print(f"rnnlm: {in_one_line(str(message))}", file=sys.stderr)
    return code


@contextmanager
def _stop_on_signals(stopped: list[int]) -> Iterator[None]:
    """Make SIGTERM and SIGHUP end the command as Ctrl-C does, so that what must be saved is saved.

    During an import the signal is delayed: an interrupted import leaves a broken module, and in callbacks of Python's
    import system the interrupt is lost or becomes another error. An interrupt that a destructor or a callback has
    swallowed is raised again.

    Args:
        stopped: receives the number of the signal.
    """
    waiting: list[int] = []
    told_before = sys.unraisablehook

    def stop(number: int, frame: FrameType | None) -> None:
        if TIMER and _imports(frame):
            again(number)
        else:
            waiting.clear()
            stopped[:] = [number]
            raise Interrupted("interrupted", number)

    def again(number: int) -> None:
        if sys.platform != "win32":  # setitimer is missing there
            waiting[:] = [number]
            signal.signal(signal.SIGALRM, lambda _, frame: stop(number, frame))
            signal.setitimer(signal.ITIMER_REAL, AGAIN)

    def swallowed(unraisable: Any) -> None:
        if isinstance(unraisable.exc_value, Interrupted) and TIMER:
            again(unraisable.exc_value.number)
        else:
            told_before(unraisable)

    try:
        before = {
            number: signal.signal(number, stop) for number in ENDING if signal.getsignal(number) != signal.SIG_IGN
        }
    except ValueError:  # not the main thread: signals are left to the host program
        yield
        return
    sys.unraisablehook = swallowed
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        sys.unraisablehook = told_before
        if sys.platform != "win32":
            signal.setitimer(signal.ITIMER_REAL, 0)  # whatever waits: the handler is gone
        if waiting:
            stopped[:] = waiting


def _imports(frame: FrameType | None) -> bool:
    """Whether a frame is part of an import."""
    while frame is not None:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            return True
        frame = frame.f_back
    return False
