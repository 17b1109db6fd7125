"""CUDA's streams that record what is launched, and graphs that launch it again, for the stand-in for CuPy.

While one records, nothing is computed in place, no value can be asked for and nothing can be uploaded, as on a device.
What a function returns has to have a shape, so that is computed, and computed again by each replay in the same memory.
"""

from contextlib import contextmanager

import numpy as np


class Recorder:
    """What is recorded at present, if anything is.

    Attributes:
        steps: what is to be done by a replay; None where nothing is recorded.
        arrays: all that was made meanwhile: the memory belongs to the graph.
        beside: what is to be done by the streams beside the one that records, as late as these may: when it waits for
            them.
        valid: False once something was asked for that can't be recorded.
        stream: number of the current stream; 0 is the one that all others wait for.
    """

    def __init__(self):
        self.steps, self.arrays, self.beside, self.valid, self.stream = None, [], {}, True, 0

    def do(self, function):
        """Do it now, or record it."""
        if self.steps is None:
            function()
        else:
            self.beside.get(self.stream, self.steps).append(function)

    def forbid(self, what):
        """Refuse what can't be recorded."""
        if self.steps is not None:
            self.valid = False
            raise RuntimeError(f"cudaErrorStreamCaptureUnsupported: {what} while launches are recorded")

    def made(self, array, again):
        """A result, which a replay makes again by a function; views need not be."""
        if self.steps is not None:
            self.do(lambda: np.copyto(array, again()))
            self.arrays.append(array)


recorder = Recorder()


class Graph:
    """What was recorded.

    Args:
        launched: is called at each launch.
    """

    def __init__(self, steps, arrays, launched):
        self.steps, self.arrays, self.launched = steps, arrays, launched

    def launch(self, stream=None):
        self.launched()
        with np.errstate(all="ignore"):
            for step in self.steps:
                step()


def stream_class(launched):
    """CuPy's `Stream`, whose graphs call a function when they are launched."""

    class Stream:
        def __init__(self, non_blocking=False, priority=0):
            assert non_blocking, "the stream that all others wait for can't be recorded"
            self.ptr = id(self)

        def __enter__(self):
            self.outer, recorder.stream = recorder.stream, self.ptr
            return self

        def record(self):
            """An event: what was given to this stream so far."""
            return self

        def wait_event(self, event):
            if event.ptr in recorder.beside:
                recorder.steps += recorder.beside.pop(event.ptr)
            else:
                recorder.beside.setdefault(self.ptr, [])

        def __exit__(self, *exception):
            recorder.stream = self.outer
            assert self.outer or recorder.steps is None, "a recording has to be ended"

        def begin_capture(self):
            recorder.steps, recorder.arrays, recorder.beside, recorder.valid = [], [], {}, True

        def end_capture(self):
            steps, recorder.steps = recorder.steps, None
            if recorder.beside or not recorder.valid:
                raise RuntimeError("cudaErrorStreamCaptureInvalidated")
            return Graph(steps, recorder.arrays, launched)

    return Stream


class MemoryPool:
    """Memory for arrays: here NumPy has it. CuPy never gives back what a pool has in it when it is dropped."""

    def __init__(self, allocator=None):
        self.free = 1

    def set_limit(self, size):
        assert size == 0

    def free_all_blocks(self):
        recorder.forbid("giving back memory")
        self.free = 0

    def total_bytes(self):
        return self.free

    def malloc(self, size):
        raise AssertionError("arrays of the stand-in are made by NumPy")


@contextmanager
def using_allocator(allocator):
    """Arrays made inside take memory from an allocator."""
    assert allocator.__self__.__class__ is MemoryPool
    yield
