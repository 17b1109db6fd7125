"""CUDA graphs: launches recorded once and replayed as a whole.

Small kernels take less time on a GPU than Python takes to launch them. A function that does the same launches each
time, on the same memory, can be recorded: it runs once without computing anything, and `replay` repeats all of its
launches by one. Products go through `blas.py`, because CuPy's own can't be recorded.

Work whose result is not needed at once is recorded on a second stream, in parallel with the rest: immediately
(`beside`), or, above all large products, from a point at which a chain of small kernels leaves most of the device idle
(`later`, `idle`). A window in one launch leaves no room for it: sharing its multiprocessors slows both down.
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
FIRST = -5  # the highest priority of a stream, for work that other work waits for


class _Now(local):
    """The graph that each thread is recording, or None."""

    graph: "Graph | None" = None


_now = _Now()


class Recorder:
    """Records functions as graphs. These share a private memory pool, streams and cuBLAS handles, so only one of them
    may be replayed at a time."""

    def __init__(self) -> None:
        import cupy

        if blas.library() is None:
            raise RuntimeError("cuBLAS can't be loaded: CuPy's own products can't be recorded")
        self.memory = cupy.cuda.MemoryPool(_from_device)
        self.memory.set_limit(size=0)  # no limit: CuPy would free blocks at it, as `_from_device` says
        self._device = cupy.cuda.device.get_device_id()
        self.stream = cupy.cuda.Stream(non_blocking=True, priority=FIRST)
        self.beside = cupy.cuda.Stream(non_blocking=True)
        self.handles = blas.Handle(), blas.Handle()

    def record(self, function: Callable[..., Any], *inputs: Array) -> "Graph":
        """Record the launches of function(*inputs), to be replayed with other inputs of the same shapes.

        Raises:
            Exception: the function's own; or CuPy's, if the function reads a value or does what can't be recorded.
        """
        return Graph(self, function, inputs)

    def __del__(self) -> None:
        if hasattr(self, "_device") and not sys.is_finalizing():
            when_still(partial(_emptied, self.memory, self._device))


def _from_device(size: int) -> Any:
    """Return new device memory for a pool.

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
    """Free a pool's unused memory; return whether nothing is left. A pool dropped with memory in it leaks that."""
    import cupy

    with cupy.cuda.Device(device):
        memory.free_all_blocks()
        return bool(memory.total_bytes() == 0)


class Graph:
    """The recorded launches of a function of some arrays.

    Attributes:
        result: what the function returned: arrays that each `replay` overwrites.
    """

    def __init__(self, recorder: Recorder, function: Callable[..., Any], inputs: Sequence[Array]) -> None:
        import cupy

        self._inputs = [cupy.empty(a.shape, a.dtype) for a in inputs]
        self._recorder, self._has_beside = recorder, False
        self._waiting: list[Callable[[], Any]] = []  # deferred functions
        self._kept: list[Any] = []  # functions on the second stream, kept alive because they hold its arrays
        self._since: Array | None = None
        self._ahead = -1  # value that `_since` holds; -1 for none yet
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
        """Defer a function until `idle`, `beside` or `join`, which record its launches on the second stream."""
        self._waiting.append(function)

    def idle(self) -> None:
        """Record the deferred functions from here on, on the second stream."""
        waiting, self._waiting = self._waiting, []
        for function in waiting:
            self.beside(function)

    def beside(self, function: Callable[[], Any]) -> Any:
        """Record a function on the second stream, in parallel with what follows, and return its result."""
        self.idle()
        self._kept.append(function)
        self._has_beside = True
        self._recorder.beside.wait_event(self._recorder.stream.record())
        with self._recorder.beside, blas.taking(self._recorder.handles[1]):
            return function()

    def join(self) -> None:
        """Make what follows wait for the second stream."""
        self.idle()
        if self._has_beside:
            self._recorder.stream.wait_event(self._recorder.beside.record())
            self._has_beside = False

    def since(self) -> Array:
        """Return by how much mask numbers exceed the recorded ones, a device array that each replay increments."""
        if self._since is None:
            self._since = empty((), word)
        return self._since

    def replay(self, inputs: Sequence[Array], ahead: int) -> None:
        """Repeat all launches with new inputs and update `result`.

        Args:
            inputs: contiguous arrays, on the device or the host, of the shapes and dtypes recorded.
            ahead: by how much the numbers of random masks are higher than at the recording.
        """
        for own, given in zip(self._inputs, inputs):
            if isinstance(given, np.ndarray):
                own.set(given)
            else:
                own.data.copy_from_device_async(given.data, given.nbytes)
        if self._since is not None:
            if ahead != self._ahead:
                self._since.fill(ahead % 2**64)  # the kernel's sum wraps too
            self._ahead = ahead + 1
        self._graph.launch()


def _give_up(stream: Any) -> None:
    """End a failed recording."""
    try:
        stream.end_capture()
    except Exception:  # reports the same failure again
        return


def beside(function: Callable[[], Any]) -> Any:
    """Return function(), whose effects are needed only after `join`; replays run it in parallel with what follows."""
    return function() if _now.graph is None else _now.graph.beside(function)


def later(function: Callable[[], Any]) -> None:
    """Defer a function whose effects are needed only after `join` until the device is idle; run it if not recording."""
    if _now.graph is None:
        function()
    else:
        _now.graph.later(function)


def idle() -> None:
    """Declare that a chain of small kernels follows, during which deferred work can run."""
    if _now.graph is not None:
        _now.graph.idle()


def join() -> None:
    """Make the device wait for all work of `beside` and `later`."""
    if _now.graph is not None:
        _now.graph.join()


class _Joined:
    """A context at whose end all work of `beside` and `later` is joined."""

    def __enter__(self) -> None:
        """Do nothing."""

    def __exit__(self, kind: object, *_exception: object) -> None:
        if kind is None:
            join()


joined = _Joined()


def masks_since() -> Array:
    """Return the offset that a mask's kernel adds to the number of the mask: 0, except in replays."""
    return _none() if _now.graph is None else _now.graph.since()


@cache
def _none() -> Array:
    return full((), 0, word)
