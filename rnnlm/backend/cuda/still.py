"""Deferred release of GPU resources: it waits for the device, which nothing may while launches are recorded.

Destroying a cuBLAS handle or freeing device memory waits, which ends a recording, and Python may drop the last
reference at any moment, in any thread. So destructors leave a function here, which is called before the next recording.
"""

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock

__all__ = ["give_back", "recording", "when_still"]

_recording = Lock()
_left: deque[Callable[[], bool]] = deque()  # each returns whether it has nothing more to do


@contextmanager
def recording() -> Iterator[None]:
    """A context in which nothing is released; one thread at a time can be in it."""
    give_back()
    with _recording:
        yield


def when_still(function: Callable[[], bool]) -> None:
    """Call a function when nothing is being recorded, again each time until it returns True."""
    _left.append(function)


def give_back() -> None:
    """Call the functions that were left, unless something is being recorded."""
    if not _recording.acquire(blocking=False):
        return
    try:
        for _ in range(len(_left)):  # what is left meanwhile waits for the next time
            function = _left.popleft()
            if not function():
                _left.append(function)
    finally:
        _recording.release()
