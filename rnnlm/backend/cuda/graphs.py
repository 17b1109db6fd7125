"""Launches recorded once, as a CUDA graph, and launched again as a whole.

What small kernels take on a GPU is less than what it costs Python to launch them. A function that does the same
launches each time, on the same memory, can be recorded: it runs once without anything being computed, and `replay` does
all of it by one launch. Products go through `blas.py`, because CuPy's own are refused meanwhile.

What nothing waits for is recorded beside the rest: at once (`beside`), or, large products above all, from where small
kernels that wait for each other leave most of the device idle (`later`, `idle`). A window in one launch does not: what
runs on its multiprocessors takes longer for both.
"""

import sys
from collections.abc import Callable, Sequence
from functools import cache, partial
from threading import local
from typing import Any

import numpy as np

from rnnlm.backend.cuda import blas, still
from rnnlm.backend.cuda.launch import FLOAT, empty, full, launch, word
from rnnlm.backend.cuda.still import when_still

__all__ = ["Graph", "Recorder", "beside", "idle", "join", "joined", "later", "masks_since"]

Array = Any
FIRST = -5  # the highest priority that there is, for what others wait for


class _Now(local):
    """What this thread records at present."""

    graph: "Graph | None" = None


_now = _Now()


class Recorder:
    """Records functions, whose graphs are replayed one at a time: they share memory that nobody else gets, streams, and
    cuBLAS's handles."""

    def __init__(self) -> None:
        import cupy

        if blas.library() is None:
            raise RuntimeError("cuBLAS can't be loaded: CuPy's own products can't be recorded")
        self.memory = cupy.cuda.MemoryPool(_from_device)
        self.memory.set_limit(size=0)  # at which CuPy would do as `_from_device` says, too
        self._device = cupy.cuda.device.get_device_id()
        self.stream = cupy.cuda.Stream(non_blocking=True, priority=FIRST)
        self.beside = cupy.cuda.Stream(non_blocking=True)
        self.handles = blas.Handle(), blas.Handle()

    def record(self, function: Callable[..., Any], *inputs: Array) -> "Graph":
        """The launches of function(*inputs), to be done again with other inputs of the same shapes.

        Raises:
            Exception: the function's own; or CuPy's, where it asks for a value or does what can't be recorded.
        """
        return Graph(self, function, inputs)

    def __del__(self) -> None:
        if hasattr(self, "_device") and not sys.is_finalizing():
            when_still(partial(_emptied, self.memory, self._device))


def _from_device(size: int) -> Any:
    """New memory for a pool.

    Raises:
        MemoryError: there is none left. On CUDA's own error the pool would free all blocks that no array holds, and
            recorded launches use those.
    """
    import cupy

    try:
        return cupy.cuda.MemoryPointer(cupy.cuda.Memory(size), 0)
    except cupy.cuda.runtime.CUDARuntimeError as error:
        raise MemoryError(f"no {size} bytes are left on the GPU to record launches") from error


def _emptied(memory: Any, device: int) -> bool:
    """Give back what a pool has; whether that is all. A pool that is dropped with memory in it never gives it back."""
    import cupy

    with cupy.cuda.Device(device):
        memory.free_all_blocks()
        return bool(memory.total_bytes() == 0)


class Graph:
    """The launches of a function of some arrays.

    Attributes:
        result: what the function returned: arrays that each `replay` overwrites.
    """

    def __init__(self, recorder: Recorder, function: Callable[..., Any], inputs: Sequence[Array]) -> None:
        import cupy

        self._inputs = [cupy.empty(a.shape, a.dtype) for a in inputs]
        self._recorder, self._has_beside = recorder, False
        self._waiting: list[Callable[[], Any]] = []  # to be done later
        self._kept: list[Any] = []  # what holds the arrays that are used beside the rest
        self._since: Array | None = None
        self._ahead = -1  # what `_since` holds: nothing yet
        stream = recorder.stream
        own_memory = cupy.cuda.using_allocator(recorder.memory.malloc)
        with still.recording(), own_memory, stream, blas.taking(recorder.handles[0]):
            stream.begin_capture()
            try:
                self.result = self._run(function)
            except BaseException:
                _give_up(stream)
                raise
            self._graph = stream.end_capture()

    def _run(self, function: Callable[..., Any]) -> Any:
        _now.graph = self
        try:
            result = function(*self._inputs)
            self.join()
            if self._since is not None:
                launch("dropout", "count_masks", FLOAT, 1, self._since)
        finally:
            _now.graph = None
        return result

    def later(self, function: Callable[[], Any]) -> None:
        """Record what a function launches where the device is idle, or before what else is done beside the rest."""
        self._waiting.append(function)

    def idle(self) -> None:
        """Let what waits begin here."""
        waiting, self._waiting = self._waiting, []
        for function in waiting:
            self.beside(function)

    def beside(self, function: Callable[[], Any]) -> Any:
        """Record what a function launches, after what waits, beside what follows; returns its result."""
        self.idle()
        self._kept.append(function)
        self._has_beside = True
        self._recorder.beside.wait_event(self._recorder.stream.record())
        with self._recorder.beside, blas.taking(self._recorder.handles[1]):
            return function()

    def join(self) -> None:
        """Let what follows wait for what is done beside it."""
        self.idle()
        if self._has_beside:
            self._recorder.stream.wait_event(self._recorder.beside.record())
            self._has_beside = False

    def since(self) -> Array:
        """How many masks later than recorded a replay is, on the device, which counts on by itself."""
        if self._since is None:
            self._since = empty((), word)
        return self._since

    def replay(self, inputs: Sequence[Array], ahead: int) -> None:
        """Do all of it again, and leave in `result` what comes out.

        Args:
            inputs: contiguous arrays, of the device or the host, of the shapes and dtypes that it was recorded with.
            ahead: how much higher the numbers of random masks are than when it was recorded.
        """
        for own, given in zip(self._inputs, inputs):
            if isinstance(given, np.ndarray):
                own.set(given)
            else:
                own.data.copy_from_device_async(given.data, given.nbytes)
        if self._since is not None:
            if ahead != self._ahead:
                self._since.fill(ahead % 2**64)  # the kernel's sum wraps, too
            self._ahead = ahead + 1
        self._graph.launch()


def _give_up(stream: Any) -> None:
    """End a recording that went wrong."""
    try:
        stream.end_capture()
    except Exception:  # it says again what went wrong
        return


def beside(function: Callable[[], Any]) -> Any:
    """The result of what nothing waits for before `join`."""
    return function() if _now.graph is None else _now.graph.beside(function)


def later(function: Callable[[], Any]) -> None:
    """Do what nothing waits for before `join` when the device is idle."""
    if _now.graph is None:
        function()
    else:
        _now.graph.later(function)


def idle() -> None:
    """Say that what follows is small kernels that wait for each other."""
    if _now.graph is not None:
        _now.graph.idle()


def join() -> None:
    """Wait, on the device, for all that is done beside or later."""
    if _now.graph is not None:
        _now.graph.join()


class _Joined:
    """A context at whose end nothing is done beside or later any more."""

    def __enter__(self) -> None:
        """There is nothing to begin."""

    def __exit__(self, kind: object, *_exception: object) -> None:
        if kind is None:
            join()


joined = _Joined()


def masks_since() -> Array:
    """What a mask's kernel adds to the number that it is given: 0, but for masks that are drawn again by a replay."""
    return _none() if _now.graph is None else _now.graph.since()


@cache
def _none() -> Array:
    return full((), 0, word)
