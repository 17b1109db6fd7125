"""Parts of parallel work, each done by one thread, and thread-local data."""

from collections.abc import Callable
from contextvars import copy_context
from threading import Lock, get_ident, local
from typing import Any

__all__ = ["Part", "own"]


class _Own(local):
    """Thread-local data."""

    def __init__(self) -> None:
        self.memory: dict[str, Any] = {}  # buffers of `scratch`
        self.in_part = False  # whether the thread is running a part
        self.joined = 0  # nesting depth of `joined`
        self.gathering = False  # whether `in_parallel` defers its parts
        self.waiting: list[Part] = []  # deferred parts


own = _Own()


class Part:
    """A part of some work, done by the thread that claims it first: a worker, or the thread that created it.

    The claim is an entry of a dictionary: `setdefault` is atomic under Python's lock, so exactly one thread finds its
    own number there, and others skip the part. The lock `running` is held until the part has ended, so acquiring it
    waits for that. Thus the creating thread never waits for a part that no thread has begun, and never returns while
    another thread works in its arrays.
    """

    def __init__(self, function: Callable[[int, int], object], start: int, stop: int) -> None:
        self.function, self.start, self.stop = function, start, stop
        self.context = copy_context()  # has NumPy's errstate
        self.claim: dict[str, int] = {}
        self.running = Lock()
        self.running.acquire()
        self.ended = False
        self.error: BaseException | None = None

    def claimed(self) -> bool:
        """Claim the part for this thread unless another has it; return whether it is this thread's."""
        return self.claim.setdefault("by", get_ident()) == get_ident()

    def run(self) -> None:
        """Run the part, unless it has ended or another thread has claimed it, and store the error that it raises."""
        if self.ended or not self.claimed():
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
        """Cancel the part if no thread has begun it; else wait until it has ended, even if a signal arrives."""
        while not self.ended:
            try:
                if self.claimed():
                    self.ended = True
                else:
                    self.running.acquire()
            except BaseException as error:  # Ctrl-C, or an exception from a signal handler
                self.error = error
