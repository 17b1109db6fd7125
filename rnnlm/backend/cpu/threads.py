"""The thread pool of the NumPy backend, which replaces BLAS's own threads.

NumPy releases Python's lock inside its products and ufuncs, so Python threads can share an array's work. BLAS's own
threads are not used: at the shapes of a language model, half of the rows or columns in each of two threads is up to a
fifth faster than one product with two BLAS threads; elementwise work is shared too; and BLAS's threads keep spinning on
the cores for a while after a product. The threads here sleep: waking one and waiting for it takes about 50
microseconds.

Work whose result is not needed at once can be deferred: `later` splits it into parts that workers do while the calling
thread continues with serial work, such as a loop over time; `join` finishes them. It requires the context `joined`.

Results are bit for bit the same for the same number of threads (`limits.py`) on the same machine.
"""

import os
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
from threading import Lock, Thread
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnlm.backend.cpu.limits import limit_own, one_blas_thread, thread_count
from rnnlm.backend.cpu.parts import Part, own
from rnnlm.backend.memory import reused

__all__ = ["in_parallel", "join", "joined", "later", "scratch"]

PIECES = 8  # parts of each deferred product: enough that threads finish at about the same time
_tasks: "SimpleQueue[Part]" = SimpleQueue()
_workers: list[Thread] = []
_starting = Lock()


def in_parallel(function: Callable[[int, int], object], size: int, unit: int = 1, worth: bool = True) -> None:
    """Call function(start, stop) on parts that cover range(size), one for each thread, cut at multiples of `unit`.

    There is only one part if `worth` is False, or within a part of other work. An error in any part, or one raised by a
    signal, is raised here after all threads have stopped. Within `later` the parts are deferred.
    """
    most = max(PIECES, thread_count()) if own.gathering else thread_count()
    count = min(most, max(1, -(-size // unit))) if worth and not own.in_part else 1
    if count == 1:
        function(0, size)
        return
    cuts = [min(size, -(-size * k // (count * unit)) * unit) for k in range(count + 1)]
    parts = [Part(function, start, stop) for start, stop in zip(cuts, cuts[1:])]
    _start_workers(thread_count() - 1)
    if own.gathering:
        own.waiting += parts
        for part in parts:
            _tasks.put(part)
        return
    with one_blas_thread:
        try:
            for part in parts[1:]:
                _tasks.put(part)
            for part in parts:
                part.run()
        finally:
            _settle(parts)


def _settle(parts: list[Part]) -> None:
    """Wait until no thread works on the parts, then raise the error of the first one that has one."""
    for part in parts:
        part.settle()
    for part in parts:
        if part.error is not None:
            raise part.error


def later(function: Callable[[], object]) -> None:
    """Defer the parallel work of `function` until `join`; its pieces of work must not depend on each other.

    Outside of `joined`, or with one thread, it is done at once.
    """
    if not own.joined or thread_count() == 1:
        function()
        return
    own.gathering = True
    try:
        function()
    finally:
        own.gathering = False


def join() -> None:
    """Finish all deferred work."""
    parts, own.waiting = own.waiting, []
    try:
        for part in parts:
            part.run()
    finally:
        _settle(parts)


class _Joined:
    """A context in which work may be deferred; at its end all is finished, or, after an error, cancelled."""

    def __enter__(self) -> None:
        one_blas_thread.__enter__()
        own.joined += 1

    def __exit__(self, kind: object, *_exception: object) -> None:
        own.joined -= 1
        try:
            if kind is None:
                join()
        finally:
            given_up, own.waiting = own.waiting, []
            for part in given_up:
                part.claimed()  # so that no worker begins it while another part is waited for
            for part in given_up:
                part.settle()
            one_blas_thread.__exit__()


joined = _Joined()


def scratch(name: str, shape: tuple[int, ...], dtype: Any) -> NDArray[Any]:
    """Return uninitialised memory of this thread, which is reused by the next call with the same name."""
    array: NDArray[Any] = reused(own.memory, name, shape, dtype, np.empty)
    return array


def _start_workers(count: int) -> None:
    """Start workers up to `count`, or fewer if the system refuses: the calling thread does what no worker does."""
    with _starting, suppress(RuntimeError):
        while len(_workers) < count:
            worker = Thread(target=_work, args=(_tasks,), daemon=True, name="rnnlm")
            worker.start()
            _workers.append(worker)


def _work(tasks: "SimpleQueue[Part]") -> None:
    """Run parts from the queue forever: the main function of a worker."""
    limit_own()
    while True:
        tasks.get().run()


def _after_fork() -> None:
    """Reset the pool in a child process: only the forking thread exists there, and other threads may hold locks."""
    global _tasks, _starting
    _workers.clear()
    _tasks, _starting = SimpleQueue(), Lock()
    own.waiting = [Part(part.function, part.start, part.stop) for part in own.waiting if not part.ended]
    one_blas_thread.alone()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
