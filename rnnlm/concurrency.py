"""Concurrency: other processes, a guard against two threads using one model, and a property without a lock."""

import os
import sys
from collections.abc import Callable
from threading import Lock, get_ident
from typing import Any, Generic, TypeVar

from rnnlm.errors import BusyError

__all__ = ["OneThread", "is_running", "once"]

T = TypeVar("T")

SYNCHRONIZE, INVALID_PARAMETER, STILL_RUNNING = 0x100000, 87, 258  # Windows: a right, no such process, WAIT_TIMEOUT


def is_running(process: int) -> bool:
    """Whether a process with this id is running, possibly another user's."""
    return _runs_on_windows(process) if sys.platform == "win32" else _takes_signals(process)


def _takes_signals(process: int) -> bool:
    """`is_running` for systems where signal 0 does nothing; on Windows it is Ctrl-C."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:  # another user's process
        return True
    return True


def _runs_on_windows(process: int) -> bool:
    """`is_running` for Windows; a process that can't be opened for lack of rights is running."""
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
    """A reentrant context for one thread at a time: a model's state belongs to one reader.

    It raises instead of waiting, because after a wait the model would hold the other thread's state.
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
        """Give a copy a lock of its own."""
        return OneThread, ()

    def _claim(self) -> None:
        """Take the lock for this thread.

        Raises:
            BusyError: another thread has it.
        """
        if self._process != os.getpid():  # forked: the holder is a thread of the parent process
            self.__init__()  # type: ignore[misc]
        if not self._lock.acquire(blocking=False):
            raise BusyError(
                "a model serves one thread at a time, and another thread uses this one: give each thread its own by "
                "model.shared_copy(), which takes no memory for weights"
            )
        self._user = get_ident()


class once(Generic[T]):
    """A property that is computed once for each object, without a lock.

    Up to Python 3.11 all objects of a class share the lock of a `functools.cached_property`. A process that is forked
    while another thread holds it waits for it for ever.
    """

    def __init__(self, function: Callable[[Any], T]) -> None:
        self.function, self.__doc__ = function, function.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, instance: Any, owner: type | None = None) -> T:
        found = instance.__dict__[self.name] = self.function(instance)
        return found
