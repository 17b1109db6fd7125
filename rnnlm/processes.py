"""Whether another process is still at work, on each kind of system."""

import os
import sys

__all__ = ["is_running"]

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
