"""What a command line program owes its caller: exit codes, one sentence for an error, signals, streams.

Exit codes: 0 fine, 1 failed, 2 wrong usage, 3 bad data or model, 4 busy; 129, 130 and 143 after SIGHUP, SIGINT and
SIGTERM.
"""

import io
import os
import re
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rnnlm.errors import BusyError, DataError, InputError, Interrupted, ModelFileError, RnnlmError

__all__ = ["handled"]

FAILED, USAGE, BAD_DATA, BUSY = 1, 2, 3, 4
ENDING = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
SMALLER = "take smaller sizes (batch_size, time_size, hidden_size), or fewer lanes"


def handled(action: Callable[[], None]) -> int:
    """Do it; errors become a sentence on standard error and an exit code."""
    _mend_streams()
    try:
        with _stop_on_signals():
            action()
            sys.stdout.flush()
    except SystemExit as stop:  # tyro has said what there was to say
        return stop.code if isinstance(stop.code, int) else FAILED
    except RnnlmError as error:
        return _fail(error, _code(error))
    except BrokenPipeError:  # the reader has gone, as `| head` does: nobody to tell, and nothing more to print
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return FAILED
    except MemoryError as error:  # CuPy's own is one too, and says how much there is
        told = str(error).rstrip(".") or "out of memory"
        return _fail(f"{told}: {SMALLER}", FAILED)
    except OSError as error:
        return _fail(error, FAILED)
    except RuntimeError as error:  # CUDA's libraries have words of their own for the same
        if re.search("out of memory|OUT_OF_MEMORY|ALLOC_FAILED", str(error)) is None:
            raise
        return _fail(f"the GPU is out of memory ({error}): {SMALLER}", FAILED)
    except Interrupted as stop:
        return _fail(stop, 128 + stop.number)
    except KeyboardInterrupt:
        return _fail("interrupted", 128 + signal.SIGINT)
    return 0


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
    print(f"rnnlm: {message}", file=sys.stderr)
    return code


@contextmanager
def _stop_on_signals() -> Iterator[None]:
    """Let SIGTERM and SIGHUP end the command the way Ctrl-C does: what must be saved is saved."""

    def stop(number: int, _frame: object) -> None:
        raise Interrupted("terminated", number)

    try:
        before = {
            number: signal.signal(number, stop) for number in ENDING if signal.getsignal(number) != signal.SIG_IGN
        }
    except ValueError:  # not the main thread: signals are the host program's business
        yield
        return
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
