"""Numbers of threads: of this library's pool, and of BLAS while the pool works.

The pool's size is `RNNLM_THREADS`, read once, at import; by default as many threads as BLAS would use (the cores this
process may use, or `OPENBLAS_NUM_THREADS`).
"""

import os
from collections.abc import Sequence
from functools import cache
from threading import Lock, get_ident
from typing import Any

from rnnlm.backend.cpu.blas import libraries
from rnnlm.errors import BackendError

__all__ = ["limit_own", "one_blas_thread", "thread_count"]


def _setting() -> int | None:
    """Return RNNLM_THREADS as a number; None if it is not set.

    Raises:
        BackendError: it is not a whole number of at least 1.
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
    """Return the number of threads that share the work."""
    return SETTING or max((library.get_num_threads() or 1 for library in libraries()), default=os.cpu_count() or 1)


class _Limited:
    """A BLAS library whose number of threads any thread may set.

    From version 3.8 on, threadpoolctl lets only one thread, the first that set a limit of the whole process, change it.
    Results here must not depend on which thread that was, so the claim is cleared before and after each change.
    """

    def __init__(self, library: Any) -> None:
        self._get, self._set = library.get_num_threads, library.set_num_threads
        self._give_up = getattr(library, "clear_controlling_thread", None)

    def count(self) -> int:
        """Return its number of threads."""
        return self._get() or 1

    def limit(self, count: int) -> None:
        """Set its number of threads."""
        if self._give_up is None:
            self._set(count)
            return
        self._give_up(force=True)
        self._set(count)
        self._give_up(force=True)


@cache
def _blas(each_thread: bool) -> list[_Limited]:
    """Return the BLAS libraries with a limit for each calling thread (those with OpenMP), or for the process."""
    layers = [(library, library.info().get("threading_layer") == "openmp") for library in libraries()]
    return [_Limited(library) for library, openmp in layers if openmp == each_thread]


def _limit(limited: Sequence[_Limited], counts: Sequence[int]) -> None:
    """Set the numbers of threads of some libraries."""
    for library, count in zip(limited, counts):
        library.limit(count)


def _limit_to_one(each_thread: bool) -> list[int]:
    """Set the libraries of `_blas(each_thread)` to one thread; return their previous numbers."""
    limited = _blas(each_thread)
    before = [library.count() for library in limited]
    for library in limited:
        library.limit(1)
    return before


def limit_own() -> list[int]:
    """Limit BLAS calls of this thread to one thread, in libraries with a limit per thread; return previous limits."""
    return _limit_to_one(each_thread=True)


class _OneBlasThread:
    """A context in which BLAS uses one thread; it is reentrant, and may be entered by several threads at once.

    `in_parallel` enters it: two threads with two BLAS threads each would be four on two cores, and the last bits would
    depend on how BLAS splits the work. Models, trainings and evaluations stay in it, because entering takes longer than
    a small product: 12 to 24 microseconds, or one if the thread is already inside (OpenBLAS with Haswell kernels). It
    also makes forks safe: if a process forks while another of its threads is in a multi-threaded BLAS product, the
    child hangs.
    """

    def __init__(self) -> None:
        self.lock = Lock()
        self.times: dict[int, int] = {}  # how many times each thread has entered, by thread
        self.before: list[int] = []  # limits of the process before the first thread entered
        self.own: dict[int, list[int]] = {}  # limits of each thread before it entered

    def __enter__(self) -> None:
        me = get_ident()
        if me not in self.times:
            with self.lock:
                first, self.times[me] = not self.times, 0
                try:
                    if first:
                        thread_count()  # cached now, while BLAS still reports its default
                        self.before = _limit_to_one(each_thread=False)
                    self.own[me] = limit_own()
                except BaseException:  # Ctrl-C: the thread has not entered
                    del self.times[me]
                    raise
        self.times[me] += 1

    def __exit__(self, *exception: object) -> None:
        me = get_ident()
        self.times[me] -= 1
        if self.times[me]:
            return
        with self.lock:
            try:
                _limit(_blas(each_thread=True), self.own.pop(me, []))
                if len(self.times) == 1:
                    _limit(_blas(each_thread=False), self.before)
            finally:  # even after Ctrl-C
                del self.times[me]

    def alone(self) -> None:
        """Forget all threads but this one, and their locks: after a fork they exist only in the parent process."""
        self.lock, others, me = Lock(), set(self.times), get_ident()
        for number in others - {me}:
            del self.times[number]
            self.own.pop(number, None)
        if others and not self.times:
            _limit(_blas(each_thread=False), self.before)


one_blas_thread = _OneBlasThread()
