"""Threads of the NumPy backend: one pool, and BLAS out of its way.

NumPy gives up Python's lock inside its products and ufuncs, so threads of Python can share an array's work. BLAS's own
threads are not used: half of the rows or columns in each of two threads, with one BLAS thread each, is up to a fifth
faster than one product with two BLAS threads at the shapes of a language model, elementwise work is shared too, and
BLAS's threads go on spinning on the cores for a while after a product. Here they sleep: to wake one and wait for it
takes about 50 microseconds.

The one setting is `RNNLM_THREADS`, read once, at import; unless set, as many as BLAS would take (the cores this process
may use, or `OPENBLAS_NUM_THREADS`). Results are bit for bit the same for the same number of threads.
"""

import os
from collections.abc import Callable
from functools import cache
from math import prod
from queue import SimpleQueue
from threading import Lock, Thread, local
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnlm.errors import BackendError

__all__ = ["in_parallel", "one_blas_thread", "scratch", "thread_count"]

Task = tuple[Callable[[int, int], object], int, int, "SimpleQueue[BaseException | None]"]
_tasks: "SimpleQueue[Task]" = SimpleQueue()
_workers: list[Thread] = []
_own = local()


def in_parallel(function: Callable[[int, int], object], size: int, unit: int = 1, worth: bool = True) -> None:
    """Call function(start, stop) on parts that cover range(size), one for each thread, cut at multiples of `unit`.

    If `worth` is False there is one part. An error in any part is raised here, when all have ended.
    """
    parts = min(thread_count(), -(-size // unit)) if worth else 1
    if parts == 1:
        function(0, size)
        return
    cuts = [min(size, -(-size * k // (parts * unit)) * unit) for k in range(parts + 1)]
    _start_workers(parts - 1)
    done: SimpleQueue[BaseException | None] = SimpleQueue()
    with one_blas_thread:
        for start, stop in zip(cuts[1:], cuts[2:]):
            _tasks.put((function, start, stop, done))
        try:
            function(0, cuts[1])
        finally:
            errors = [error for error in _wait(done, parts - 1) if error is not None]
    if errors:
        raise errors[0]


def scratch(name: str, shape: tuple[int, ...], dtype: Any) -> NDArray[Any]:
    """Uninitialised memory of this thread's, the same for the same name at each call: use it up before the next.

    The first touch of fresh memory can cost more than the work that is done in it.
    """
    size = prod(shape)
    memory: NDArray[Any] | None = getattr(_own, name, None)
    if memory is None or memory.size < size or memory.dtype != dtype:
        memory = np.empty(size, dtype)
        setattr(_own, name, memory)
    return memory[:size].reshape(shape)


def _wait(done: "SimpleQueue[BaseException | None]", count: int) -> list[BaseException | None]:
    """What `count` workers have to say; also if Ctrl-C comes meanwhile, for they write into the caller's arrays."""
    answers: list[BaseException | None] = []
    interrupt = None
    while len(answers) < count:
        try:
            answers.append(done.get())
        except KeyboardInterrupt as error:
            interrupt = error
    return [*answers, interrupt]


def _start_workers(count: int) -> None:
    while len(_workers) < count:
        _workers.append(Thread(target=_work, args=(_tasks,), daemon=True, name="rnnlm"))
        _workers[-1].start()


def _work(tasks: "SimpleQueue[Task]") -> None:
    """A worker's life."""
    while True:
        function, start, stop, done = tasks.get()
        error: BaseException | None = None
        try:
            function(start, stop)
        except BaseException as caught:  # it is raised in the thread that asked
            error = caught
        del function
        done.put(error)


def _after_fork() -> None:
    """A child process has none of its parent's threads."""
    global _tasks
    _workers.clear()
    _tasks = SimpleQueue()


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
    return SETTING or max((library.get_num_threads() or 1 for library in _libraries()), default=os.cpu_count() or 1)


@cache
def _libraries() -> list[Any]:
    """Handles of the BLAS libraries in this process."""
    from threadpoolctl import ThreadpoolController

    return [library for library in ThreadpoolController().lib_controllers if library.user_api == "blas"]


class _OneBlasThread:
    """A context in which BLAS takes one thread; may be entered within itself and by several threads at once."""

    def __init__(self) -> None:
        self.lock, self.depth = Lock(), 0
        self.before: list[int] = []

    def __enter__(self) -> None:
        with self.lock:
            if not self.depth:
                thread_count()  # before BLAS says 1
                self.before = [library.get_num_threads() or 1 for library in _libraries()]
                for library in _libraries():
                    library.set_num_threads(1)
            self.depth += 1

    def __exit__(self, *exception: object) -> None:
        with self.lock:
            self.depth -= 1
            if not self.depth:
                for library, count in zip(_libraries(), self.before):
                    library.set_num_threads(count)


one_blas_thread = _OneBlasThread()
