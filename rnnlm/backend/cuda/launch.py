"""Compiling kernels, when they are first needed, and launching them."""

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np

from rnnlm.backend.cuda.source import REALS, THREADS, source
from rnnlm.errors import InputError

__all__ = [
    "FLOAT", "blocks_for", "dense", "double", "empty", "forget", "full", "integer", "launch", "launch_clusters", "long",
    "word", "write_back",
]  # fmt: skip

OPTIONS = ("--std=c++17",)
LARGE_CLUSTERS = 14  # CUDA's number of the attribute that lets a kernel's cluster have more than 8 blocks
FLOAT = np.dtype(np.float32)  # for kernels without a REAL
integer, long, word, double = np.int32, np.int64, np.uint64, np.float64  # as kernels call them: int, long long, ...


@cache
def _kernel(module: str, name: str, char: str) -> Any:
    return _module(module, np.dtype(char).name).get_function(name)


@cache
def _clusters_kernel(module: str, name: str, char: str, sizes: tuple[tuple[str, int], ...]) -> Any:
    import cupy

    kernel = _module(module, np.dtype(char).name, sizes).get_function(name)
    if dict(sizes)["CLUSTER"] > 8:
        cupy.cuda.driver.funcSetAttribute(kernel.kernel.ptr, LARGE_CLUSTERS, 1)
    return kernel


@cache
def _module(module: str, dtype: str, *sizes: tuple[tuple[str, int], ...]) -> Any:
    """One module of kernels, which CuPy compiles with NVRTC and keeps on disk from then on."""
    import cupy

    if dtype not in REALS:
        raise InputError(
            f"kernels are compiled for {' and '.join(REALS)}, got {dtype}: RNNLM_FUSED=0 does without them"
        )
    return cupy.RawModule(code=source(module, dtype, *sizes), options=OPTIONS)


def forget() -> None:
    """Forget compiled kernels: the next launch of each begins with its text."""
    for known in (_kernel, _clusters_kernel, _module):
        known.cache_clear()


def blocks_for(count: int) -> int:
    """How many blocks have a thread for each of `count` elements."""
    return -(-count // THREADS)


def launch(module: str, name: str, dtype: Any, blocks: int, *args: Any) -> None:
    """Launch a kernel in so many blocks; nothing waits for it.

    Args:
        module, name: file of the kernel, and what it is called there.
        dtype: that `REAL` stands for.
        blocks: 0 for nothing to do.
        args: arrays, contiguous (but for rows with a stride of their own), and NumPy scalars of the kernel's types:
            Python's numbers would arrive as others.
    """
    if blocks:
        _kernel(module, name, dtype.char)((blocks,), (THREADS,), args)  # a dtype's name takes 2 microseconds to ask


def launch_clusters(
    module: str, name: str, dtype: Any, sizes: tuple[tuple[str, int], ...], clusters: int, *args: Any
) -> None:
    """Launch a kernel in so many clusters of blocks, compiled for its sizes, THREADS and CLUSTER among them."""
    if clusters:
        given = dict(sizes)
        kernel = _clusters_kernel(module, name, dtype.char, sizes)
        kernel((clusters * given["CLUSTER"],), (given["THREADS"],), args)


def dense(a: Any) -> Any:
    """An array without gaps: itself if it is one. A kernel knows nothing of strides."""
    return a if a.flags.c_contiguous else a.copy()


def write_back(arrays: Sequence[Any], copies: Sequence[Any]) -> None:
    """What a kernel has left in the dense copies of arrays with gaps."""
    for a, copy in zip(arrays, copies):
        if copy is not a:
            a[...] = copy


def empty(shape: Any, dtype: Any) -> Any:
    """An uninitialised array on the device."""
    import cupy

    return cupy.empty(shape, dtype)


def full(shape: Any, value: float, dtype: Any) -> Any:
    """An array on the device, all of one value."""
    import cupy

    return cupy.full(shape, value, dtype)
