"""Threads of the NumPy backend: one pool, and BLAS out of its way.

NumPy gives up Python's lock inside its products and ufuncs, so threads of Python can share an array's work. BLAS's own
threads are not used: half of the rows or columns in each of two threads, with one BLAS thread each, is up to a fifth
faster than one product with two BLAS threads at the shapes of a language model, elementwise work is shared too, and
BLAS's threads go on spinning on the cores for a while after a product. Here they sleep: to wake one and wait for it
takes about 50 microseconds.

Results are bit for bit the same for the same number of threads (`limits.py`) on the same machine.
"""

import os
from collections.abc import Callable
from contextlib import suppress
from contextvars import copy_context
from queue import SimpleQueue
from threading import Lock, Thread, get_ident, local
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnlm.backend.cpu.limits import limit_own, one_blas_thread, thread_count
from rnnlm.backend.memory import reused

__all__ = ["in_parallel", "scratch"]


class _Part:
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
        _own.in_part = True
        try:
            self.context.run(self.function, self.start, self.stop)
        except BaseException as error:
            self.error = error
        finally:
            _own.in_part = False
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


_tasks: "SimpleQueue[_Part]" = SimpleQueue()
_workers: list[Thread] = []
_starting = Lock()
_own = local()


def in_parallel(function: Callable[[int, int], object], size: int, unit: int = 1, worth: bool = True) -> None:
    """Call function(start, stop) on parts that cover range(size), one for each thread, cut at multiples of `unit`.

    If `worth` is False there is one part, and so there is within a part. An error in any part, or one that a signal
    raises, is raised here when no thread is at work any more.
    """
    count = min(thread_count(), -(-size // unit)) if worth and not getattr(_own, "in_part", False) else 1
    if count == 1:
        function(0, size)
        return
    cuts = [min(size, -(-size * k // (count * unit)) * unit) for k in range(count + 1)]
    parts = [_Part(function, start, stop) for start, stop in zip(cuts, cuts[1:])]
    with one_blas_thread:
        try:
            _start_workers(count - 1)
            for part in parts[1:]:
                _tasks.put(part)
            for part in parts:
                part.run()
        finally:
            for part in parts:
                part.settle()
    for part in parts:
        if part.error is not None:
            raise part.error


def scratch(name: str, shape: tuple[int, ...], dtype: Any) -> NDArray[Any]:
    """Uninitialised memory of this thread's, the same for the same name at each call: use it up before the next."""
    memory: dict[str, Any] | None = getattr(_own, "memory", None)
    if memory is None:
        memory = _own.memory = {}
    array: NDArray[Any] = reused(memory, name, shape, dtype, np.empty)
    return array


def _start_workers(count: int) -> None:
    """Have so many workers, or fewer where the system gives no more threads: who asks does what nobody else does."""
    with _starting, suppress(RuntimeError):
        while len(_workers) < count:
            worker = Thread(target=_work, args=(_tasks,), daemon=True, name="rnnlm")
            worker.start()
            _workers.append(worker)


def _work(tasks: "SimpleQueue[_Part]") -> None:
    """A worker's life."""
    limit_own()
    while True:
        tasks.get().run()


def _after_fork() -> None:
    """A child process has none of its parent's threads but the one that forked, and locks may have been theirs."""
    global _tasks, _starting
    _workers.clear()
    _tasks, _starting = SimpleQueue(), Lock()
    one_blas_thread.alone()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
