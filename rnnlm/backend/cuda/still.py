"""Giving back what waits for the device: put off while launches are recorded, because to wait would end a recording.

Python may drop the last reference to a handle or a memory pool at any moment, in any thread. What would be done then
is left here, and done before the next recording begins.
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
    """A context in which nothing is given back. One thread at a time is in it."""
    give_back()
    with _recording:
        yield


def when_still(function: Callable[[], bool]) -> None:
    """Call a function when nothing is recorded, again and again until it returns True."""
    _left.append(function)


def give_back() -> None:
    """Do what was left, unless something is being recorded."""
    if not _recording.acquire(blocking=False):
        return
    try:
        for _ in range(len(_left)):  # what is left meanwhile waits for the next time
            function = _left.popleft()
            if not function():
                _left.append(function)
    finally:
        _recording.release()
