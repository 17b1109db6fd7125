"""Who else is at work: whether another process is, on each kind of system; and that no other thread uses a model."""

import os
import sys
from threading import Lock, get_ident
from typing import Any

from rnnlm.errors import BusyError

__all__ = ["OneThread", "is_running"]

SYNCHRONIZE, INVALID_PARAMETER, STILL_RUNNING = 0x100000, 87, 258  # of Windows: a right, no such process, WAIT_TIMEOUT


def is_running(process: int) -> bool:
    """Whether the process of this number runs, be it someone else's."""
    return _runs_on_windows(process) if sys.platform == "win32" else _takes_signals(process)


def _takes_signals(process: int) -> bool:
    """The same, where signal 0 is none; on Windows it is Ctrl-C."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:  # it is someone else's
        return True
    return True


def _runs_on_windows(process: int) -> bool:
    """The same, asked of Windows; a process that can't be opened for want of rights runs."""
    import ctypes

    kernel = ctypes.WinDLL("kernel32", use_last_error=True)  # type: ignore[attr-defined,unused-ignore]
    kernel.OpenProcess.restype = ctypes.c_void_p
    handle = kernel.OpenProcess(SYNCHRONIZE, False, process)
    if not handle:
        last: int = ctypes.get_last_error()  # type: ignore[attr-defined,unused-ignore]
        return last != INVALID_PARAMETER
    running: bool = kernel.WaitForSingleObject(ctypes.c_void_p(handle), 0) == STILL_RUNNING
    kernel.CloseHandle(ctypes.c_void_p(handle))
    return running


class OneThread:
    """A context that one thread at a time may be in, and may enter again: a model's state is that of one reader.

    To wait for the other thread would be no remedy: what it reads is not what this one has read.
    """

    def __init__(self) -> None:
        self._lock, self._process = Lock(), os.getpid()
        self._user, self._times = 0, 0

    def __enter__(self) -> None:
        if self._user != get_ident() or not self._times:
            self._claim()
        self._times += 1

    def __exit__(self, *exception: object) -> None:
        self._times -= 1
        if not self._times:
            self._lock.release()

    def __reduce__(self) -> Any:
        """A copy is another one's."""
        return OneThread, ()

    def _claim(self) -> None:
        """Make it this thread's.

        Raises:
            BusyError: it is another one's.
        """
        if self._process != os.getpid():  # whoever had it is a thread of the process that this one was forked from
            self.__init__()  # type: ignore[misc]
        if not self._lock.acquire(blocking=False):
            raise BusyError(
                "a model serves one thread at a time, and another thread uses this one: give each thread its own by "
                "model.shared_copy(), which takes no memory for weights"
            )
        self._user = get_ident()
