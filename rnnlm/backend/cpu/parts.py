"""A part of some work, which one of several threads does, and what each of these has of its own."""

from collections.abc import Callable
from contextvars import copy_context
from threading import Lock, get_ident, local
from typing import Any

__all__ = ["Part", "own"]


class _Own(local):
    """What each thread has of its own."""

    def __init__(self) -> None:
        self.memory: dict[str, Any] = {}  # that `scratch` gives
        self.in_part = False  # whether it is at work for another thread
        self.joined = 0  # how often it is within `joined`
        self.gathering = False  # whether `in_parallel` puts off
        self.waiting: list[Part] = []  # what was put off


own = _Own()


class Part:
    """A part of some work, done by whoever claims it first: a worker, or the thread that asked.

    The claim is an entry of a dictionary: `setdefault` is one step under Python's lock, so that of all threads that try
    just one finds its own number there, and a worker that comes too late goes on to other work. `running` is held until
    the part has ended: to wait for it is to acquire that lock. So the thread that asked never waits for what nobody has
    begun, and never leaves while another thread works in its arrays.
    """

    def __init__(self, function: Callable[[int, int], object], start: int, stop: int) -> None:
        self.function, self.start, self.stop = function, start, stop
        self.context = copy_context()  # in which NumPy keeps what to do about overflow
        self.claim: dict[str, int] = {}
        self.running = Lock()
        self.running.acquire()
        self.ended = False
        self.error: BaseException | None = None

    def claimed(self) -> bool:
        """Whether it is this thread's, now or from before."""
        return self.claim.setdefault("by", get_ident()) == get_ident()

    def run(self) -> None:
        """Do it, unless it is another thread's, and keep the error that it raises."""
        if not self.claimed():
            return
        own.in_part = True
        try:
            self.context.run(self.function, self.start, self.stop)
        except BaseException as error:
            self.error = error
        finally:
            own.in_part = False
            self.ended = True
            self.running.release()

    def settle(self) -> None:
        """Give it up if nobody has claimed it; else wait until it has ended, even if a signal comes meanwhile."""
        while not self.ended:
            try:
                if self.claimed():
                    self.ended = True
                else:
                    self.running.acquire()
            except BaseException as error:  # Ctrl-C, or what the program makes of a signal
                self.error = error
