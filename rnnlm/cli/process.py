"""What a command line program owes its caller: exit codes, one sentence for an error, signals, streams.

Control characters are written out on a terminal, and in errors and notes always: words and names are a stranger's.

Exit codes: 0 fine, 1 failed, 2 wrong usage, 3 bad data or model, 4 busy; 129, 130 and 143 after SIGHUP, SIGINT and
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
AGAIN = 0.01  # seconds until a signal that came at a bad moment is looked at again


def whole_process(main: Callable[[], int]) -> int:
    """Run a command that is all that this process is for. A signal ends it with one line and its code from here on:
    while it begins there is nothing to lose, and once it is done nothing to stop.

    Args:
        main: imports what it needs itself.
    """
    if sys.stderr is not None:
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
    """Standard error, to which a training may go on writing when its disk is full or its reader gone."""

    def write(self, content: Any, /) -> int:
        try:
            written = super().write(content)  # None where a reader that is not waited for takes nothing
        except OSError:
            written = None
        return written or memoryview(content).nbytes


def _leave(number: int, _frame: FrameType | None) -> NoReturn:
    """End the process here and now."""
    with suppress(OSError):
        os.write(2, b"rnnlm: interrupted\n")
    os._exit(128 + number)


def handled(action: Callable[[], None]) -> int:
    """Do it; errors become a sentence on standard error and an exit code."""
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
    """The exit code of an error, which is told."""
    if isinstance(error, OSError) and error.filename in (None, "standard output"):
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # nothing more to print, nor to fail at when the process ends
    if isinstance(error, SystemExit):  # tyro has said what there was to say
        return error.code if isinstance(error.code, int) else FAILED
    if isinstance(error, Interrupted):
        return _fail(error, 128 + error.number)
    if isinstance(error, KeyboardInterrupt):
        return _fail("interrupted", 128 + signal.SIGINT)
    if stopped:  # libraries make other errors of an interrupt
        notes = getattr(error, "__notes__", None)
        return _fail(f"stopped; {notes[-1]}" if notes else "interrupted", 128 + stopped[0])
    if isinstance(error, RnnlmError):
        return _fail(error, _code(error))
    if isinstance(error, BrokenPipeError):  # the reader has gone, as `| head` does: nobody to tell
        return FAILED
    if isinstance(error, MemoryError):  # CuPy's own is one too, and says how much there is
        return _fail(f"{str(error).rstrip('.') or 'out of memory'}: {SMALLER}", FAILED)
    if isinstance(error, OSError):
        return _fail(error, FAILED)
    if isinstance(error, RuntimeError) and re.search("out of memory|OUT_OF_MEMORY|ALLOC_FAILED", str(error)):
        return _fail(f"the GPU is out of memory ({error}): {SMALLER}", FAILED)  # CUDA's libraries have these words
    raise error


def _mend_streams() -> None:
    """Streams that the caller closed swallow what is written; characters that a terminal has not are escaped."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115 - open to the end
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
    """Let SIGTERM and SIGHUP end the command the way Ctrl-C does: what must be saved is saved.

    An import is waited for: of a module that was imported by half, or in the callbacks of Python's own imports, an
    interrupt is lost or becomes another error. One that a destructor or a callback has swallowed is raised again.

    Args:
        stopped: gets the number of the signal that was heard.
    """
    waiting: list[int] = []
    told_before = sys.unraisablehook

    def stop(number: int, frame: FrameType | None) -> None:
        if hasattr(signal, "setitimer") and _imports(frame):
            again(number)
        else:
            waiting.clear()
            stopped[:] = [number]
            raise Interrupted("interrupted", number)

    def again(number: int) -> None:
        waiting[:] = [number]
        signal.signal(signal.SIGALRM, lambda _, frame: stop(number, frame))
        signal.setitimer(signal.ITIMER_REAL, AGAIN)

    def swallowed(unraisable: Any) -> None:
        if isinstance(unraisable.exc_value, Interrupted) and hasattr(signal, "setitimer"):
            again(unraisable.exc_value.number)
        else:
            told_before(unraisable)

    try:
        before = {
            number: signal.signal(number, stop) for number in ENDING if signal.getsignal(number) != signal.SIG_IGN
        }
    except ValueError:  # not the main thread: signals are the host program's business
        yield
        return
    sys.unraisablehook = swallowed
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        sys.unraisablehook = told_before
        if waiting:
            signal.setitimer(signal.ITIMER_REAL, 0)
            stopped[:] = waiting


def _imports(frame: FrameType | None) -> bool:
    """Whether a frame is part of an import."""
    while frame is not None:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            return True
        frame = frame.f_back
    return False
