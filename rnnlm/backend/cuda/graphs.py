"""Launches recorded once, as a CUDA graph, and launched again as a whole.

What small kernels take on a GPU is less than what it costs Python to launch them. A function that does the same launches
each time, on the same memory, can be recorded: it runs once without anything being computed, and `replay` does all of it
by one launch. Products go through `blas.py`, because CuPy's own are refused meanwhile.
"""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import numpy as np

from rnnlm.backend.cuda.launch import FLOAT, empty, full, launch, word

__all__ = ["Recorded", "masks_since"]

Array = Any
_recording: "Recorded | None" = None


class Recorded:
    """The launches of a function of some arrays.

    Attributes:
        result: what the function returned: arrays that each `replay` overwrites.
    """

    def __init__(self, function: Callable[..., Any], inputs: Sequence[Array]) -> None:
        import cupy

        self._inputs = [cupy.empty(a.shape, a.dtype) for a in inputs]
        self._memory = cupy.cuda.MemoryPool()  # nobody else gets what is given back between two replays
        self._since: Array | None = None
        self._ahead = -1  # what `_since` holds: nothing yet
        stream = cupy.cuda.Stream(non_blocking=True)
        with cupy.cuda.using_allocator(self._memory.malloc), stream:
            stream.begin_capture()
            try:
                self.result = self._run(function, self._inputs)
            except BaseException:
                _give_up(stream)
                raise
            self._graph = stream.end_capture()

    def _run(self, function: Callable[..., Any], inputs: Sequence[Array]) -> Any:
        global _recording
        _recording = self
        try:
            result = function(*inputs)
            if self._since is not None:
                launch("dropout", "count_masks", FLOAT, 1, self._since)
        finally:
            _recording = None
        return result

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
                self._since.fill(ahead)
            self._ahead = ahead + 1
        self._graph.launch()


def _give_up(stream: Any) -> None:
    """End a recording that went wrong."""
    try:
        stream.end_capture()
    except Exception:  # it says again what went wrong
        return


def masks_since() -> Array:
    """What a mask's kernel adds to the number that it is given: 0, but for masks that are drawn again by a replay."""
    return _none() if _recording is None else _recording.since()


@cache
def _none() -> Array:
    return full((), 0, word)
