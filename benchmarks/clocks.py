"""How long work takes by the host's clock, and on an NVIDIA GPU by the device's own; and what memory it takes there.

The host's clock runs from the first launch until the device has done all, so that it counts what Python costs; the
device's runs from the first kernel to the last one's end, and counts the gaps between them too.
"""

import os
from time import perf_counter

DEVICE = os.environ.get("RNNLM_DEVICE") or {"cupy": "cuda"}.get(os.environ.get("RNNLM_BACKEND", ""), "cpu")
ON_CUDA = DEVICE.startswith("cuda")
MIB = 2**20


def read(loss):
    """A loss as a number; on a GPU it stays there, because to read it is to wait for it."""
    return loss if ON_CUDA else float(loss)


class HostClock:
    """On a CPU: one clock, nothing to wait for."""

    def seconds(self, work):
        """Host's and device's seconds of a function."""
        start = perf_counter()
        work()
        return perf_counter() - start, None

    def device_mib(self):
        """None: there is no device with a memory of its own."""


class CupyClock:
    """On a GPU, in CuPy's stream."""

    def seconds(self, work):
        import cupy

        begin, end = cupy.cuda.Event(), cupy.cuda.Event()
        cupy.cuda.get_current_stream().synchronize()
        start = perf_counter()
        begin.record()
        work()
        end.record()
        end.synchronize()
        return perf_counter() - start, cupy.cuda.get_elapsed_time(begin, end) / 1000

    def device_mib(self):
        """What the memory pool has taken from the device: it gives nothing back, so its size is its peak."""
        import cupy

        return cupy.get_default_memory_pool().total_bytes() / MIB


class TorchClock:
    """On a GPU, in PyTorch's stream."""

    def seconds(self, work):
        import torch

        begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        torch.cuda.synchronize()
        start = perf_counter()
        begin.record()
        work()
        end.record()
        torch.cuda.synchronize()
        return perf_counter() - start, begin.elapsed_time(end) / 1000

    def device_mib(self):
        """Peak of what was taken from the device."""
        import torch

        return torch.cuda.max_memory_reserved() / MIB


def clock(name):
    """The clock of a contestant."""
    if not ON_CUDA:
        return HostClock()
    return TorchClock() if name.startswith("torch") else CupyClock()
