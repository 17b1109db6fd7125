"""How many threads: of ours, and of BLAS while ours are at work.

The one setting is `RNNLM_THREADS`, read once, at import; unless set, as many as BLAS would take (the cores this process
may use, or `OPENBLAS_NUM_THREADS`).
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


class _Limited:
    """A BLAS library, whose number of threads any thread may set.

    From version 3.8 on threadpoolctl hears no thread but the first one that has set a limit of the whole process. What
    is computed here must not depend on which thread that was, so that claim is given up, before and after.
    """

    def __init__(self, library: Any) -> None:
        self._get, self._set = library.get_num_threads, library.set_num_threads
        self._give_up = getattr(library, "clear_controlling_thread", None)

    def count(self) -> int:
        """How many threads it takes."""
        return self._get() or 1

    def limit(self, count: int) -> None:
        """Let it take so many."""
        if self._give_up is None:
            self._set(count)
            return
        self._give_up(force=True)
        self._set(count)
        self._give_up(force=True)


@cache
def _blas(each_thread: bool) -> list[_Limited]:
    """The BLAS libraries whose threads are limited for each thread by itself, OpenMP's; or those for the process."""
    layers = [(library, library.info().get("threading_layer") == "openmp") for library in libraries()]
    return [_Limited(library) for library, openmp in layers if openmp == each_thread]


def _limit(limited: Sequence[_Limited], counts: Sequence[int]) -> None:
    """Let each of some libraries take so many threads."""
    for library, count in zip(limited, counts):
        library.limit(count)


def _limit_to_one(each_thread: bool) -> list[int]:
    """One thread for each of those libraries; returns what they had."""
    limited = _blas(each_thread)
    before = [library.count() for library in limited]
    for library in limited:
        library.limit(1)
    return before


def limit_own() -> list[int]:
    """One thread for what this thread asks of BLAS, where each has its own limit; returns what they were."""
    return _limit_to_one(each_thread=True)


class _OneBlasThread:
    """A context in which BLAS takes one thread; may be entered within itself and by several threads at once.

    `in_parallel` enters it: two threads with two BLAS threads each would be four on two cores, and bits would depend on
    how BLAS shares out work. Models, trainings and evaluations stay in it, since entering it takes longer than a small
    product: 12 to 24 microseconds, and one where the thread is inside already (OpenBLAS with Haswell kernels). It
    also makes a fork safe: a process that forks while another of its threads is in a product of several BLAS threads
    has a child that hangs.
    """

    def __init__(self) -> None:
        self.lock = Lock()
        self.times: dict[int, int] = {}  # that each thread is inside
        self.before: list[int] = []  # limits of the process, before the first thread came in
        self.own: dict[int, list[int]] = {}  # and of each thread

    def __enter__(self) -> None:
        me = get_ident()
        if me not in self.times:
            with self.lock:
                first, self.times[me] = not self.times, 0
                if first:
                    thread_count()  # before BLAS says 1
                    self.before = _limit_to_one(each_thread=False)
                self.own[me] = limit_own()
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
            finally:  # Ctrl-C may have come
                del self.times[me]

    def alone(self) -> None:
        """This thread is the process's only one: the others, and their locks, are of the process that it was forked
        from."""
        self.lock, others, me = Lock(), set(self.times), get_ident()
        for number in others - {me}:
            del self.times[number]
            self.own.pop(number, None)
        if others and not self.times:
            _limit(_blas(each_thread=False), self.before)


one_blas_thread = _OneBlasThread()
