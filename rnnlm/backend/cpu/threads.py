"""Threads of the NumPy backend: one pool, and BLAS out of its way.

NumPy gives up Python's lock inside its products and ufuncs, so threads of Python can share an array's work. BLAS's own
threads are not used: half of the rows or columns in each of two threads, with one BLAS thread each, is up to a fifth
faster than one product with two BLAS threads at the shapes of a language model, elementwise work is shared too, and
BLAS's threads go on spinning on the cores for a while after a product. Here they sleep: to wake one and wait for it
takes about 50 microseconds.

What nothing waits for can be put off: `later` cuts it into parts that workers do while the thread that asked goes on
with what only one thread can do, a loop over time say, and that all do in the end. It has to be within `joined`.

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

PIECES = 8  # of each product that is put off: so many that threads end at about the same time
_tasks: "SimpleQueue[Part]" = SimpleQueue()
_workers: list[Thread] = []
_starting = Lock()


def in_parallel(function: Callable[[int, int], object], size: int, unit: int = 1, worth: bool = True) -> None:
    """Call function(start, stop) on parts that cover range(size), one for each thread, cut at multiples of `unit`.

    If `worth` is False there is one part, and so there is within a part. An error in any part, or one that a signal
    raises, is raised here when no thread is at work any more.
    """
    most = max(PIECES, thread_count()) if own.gathering else thread_count()
    count = min(most, -(-size // unit)) if worth and not own.in_part else 1
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
    """Wait until no thread is at work at them, and raise the error of the first that has one."""
    for part in parts:
        part.settle()
    for part in parts:
        if part.error is not None:
            raise part.error


def later(function: Callable[[], object]) -> None:
    """Do what nothing waits for before `join`: shared work that does not wait for other work of the same function.

    At once, outside of `joined` or in one thread.
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
    """Have done what was put off."""
    parts, own.waiting = own.waiting, []
    try:
        for part in parts:
            part.run()
    finally:
        _settle(parts)


class _Joined:
    """A context in which work may be put off, and at whose end none is left: after an error it is given up."""

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
                part.claimed()  # so that no worker begins with it while another is waited for
            for part in given_up:
                part.settle()
            one_blas_thread.__exit__()


joined = _Joined()


def scratch(name: str, shape: tuple[int, ...], dtype: Any) -> NDArray[Any]:
    """Uninitialised memory of this thread's, the same for the same name at each call: use it up before the next."""
    array: NDArray[Any] = reused(own.memory, name, shape, dtype, np.empty)
    return array


def _start_workers(count: int) -> None:
    """Have so many workers, or fewer where the system gives no more threads: who asks does what nobody else does."""
    with _starting, suppress(RuntimeError):
        while len(_workers) < count:
            worker = Thread(target=_work, args=(_tasks,), daemon=True, name="rnnlm")
            worker.start()
            _workers.append(worker)


def _work(tasks: "SimpleQueue[Part]") -> None:
    """A worker's life."""
    limit_own()
    while True:
        tasks.get().run()


def _after_fork() -> None:
    """A child process has none of its parent's threads but the one that forked, and locks may have been theirs."""
    global _tasks, _starting
    _workers.clear()
    _tasks, _starting = SimpleQueue(), Lock()
    own.waiting = [Part(part.function, part.start, part.stop) for part in own.waiting if not part.ended]
    one_blas_thread.alone()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
