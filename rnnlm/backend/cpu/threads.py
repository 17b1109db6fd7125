"""Threads of the NumPy backend: one pool, and BLAS out of its way.

NumPy gives up Python's lock inside its products and ufuncs, so threads of Python can share an array's work. BLAS's own
threads are not used: half of the rows or columns in each of two threads, with one BLAS thread each, is up to a fifth
faster than one product with two BLAS threads at the shapes of a language model, elementwise work is shared too, and
BLAS's threads go on spinning on the cores for a while after a product. Here they sleep: to wake one and wait for it
takes about 50 microseconds.

The one setting is `RNNLM_THREADS`, read once, at import; unless set, as many as BLAS would take (the cores this process
may use, or `OPENBLAS_NUM_THREADS`). Results are bit for bit the same for the same number of threads on the
same machine.
"""

import os
from collections.abc import Callable
from contextvars import copy_context
from functools import cache
from queue import SimpleQueue
from threading import Lock, Thread, get_ident, local
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnlm.backend.cpu.blas import libraries
from rnnlm.backend.memory import reused
from rnnlm.errors import BackendError

__all__ = ["in_parallel", "one_blas_thread", "scratch", "thread_count"]


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
    with _starting:
        while len(_workers) < count:
            worker = Thread(target=_work, args=(_tasks,), daemon=True, name="rnnlm")
            worker.start()
            _workers.append(worker)


def _work(tasks: "SimpleQueue[_Part]") -> None:
    """A worker's life."""
    while True:
        tasks.get().run()


def _after_fork() -> None:
    """A child process has none of its parent's threads, and locks may have been theirs."""
    global _tasks, _starting
    _workers.clear()
    _tasks, _starting, one_blas_thread.lock = SimpleQueue(), Lock(), Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def _setting() -> int | None:
    """What RNNLM_THREADS says.

    Raises:
        BackendError: something that is not a whole number from 1 on.
    """
    wanted = os.environ.get("RNNLM_THREADS")
    if not wanted:
        return None
    if not wanted.isdecimal() or not int(wanted):
        raise BackendError(f"RNNLM_THREADS must be a whole number from 1 on, got {wanted!r}")
    return int(wanted)


SETTING = _setting()


@cache
def thread_count() -> int:
    """How many threads share the work."""
    return SETTING or max((library.get_num_threads() or 1 for library in libraries()), default=os.cpu_count() or 1)


class _OneBlasThread:
    """A context in which BLAS takes one thread; may be entered within itself and by several threads at once.

    `in_parallel` enters it: two threads with two BLAS threads each would be four on two cores, and bits would depend on
    how BLAS shares out work. Models and trainings stay in it, since entering it takes longer than a small product.
    """

    def __init__(self) -> None:
        self.lock, self.depth = Lock(), 0
        self.before: list[int] = []

    def __enter__(self) -> None:
        with self.lock:
            if not self.depth:
                thread_count()  # before BLAS says 1
                self.before = [library.get_num_threads() or 1 for library in libraries()]
                for library in libraries():
                    library.set_num_threads(1)
            self.depth += 1

    def __exit__(self, *exception: object) -> None:
        with self.lock:
            self.depth -= 1
            if not self.depth:
                for library, count in zip(libraries(), self.before):
                    library.set_num_threads(count)


one_blas_thread = _OneBlasThread()
