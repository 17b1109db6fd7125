"""Compilation of kernels, on first use, and their launch."""

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
LARGE_CLUSTERS = 14  # CUDA's attribute number for clusters of more than 8 blocks
FLOAT = np.dtype(np.float32)  # passed for kernels that do not use REAL
integer, long, word, double = np.int32, np.int64, np.uint64, np.float64  # NumPy's types for those in kernels


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
    """Return a module of kernels, which CuPy compiles with NVRTC and caches on disk."""
    import cupy

    if dtype not in REALS:
        raise InputError(
            f"kernels are compiled for {' and '.join(REALS)}, got {dtype}: RNNLM_FUSED=0 does without them"
        )
    return cupy.RawModule(code=source(module, dtype, *sizes), options=OPTIONS)


def forget() -> None:
    """Clear the caches of compiled kernels, so that the next launch of each reads its source again."""
    for known in (_kernel, _clusters_kernel, _module):
        known.cache_clear()


def blocks_for(count: int) -> int:
    """Return the number of blocks with a thread for each of `count` elements."""
    return -(-count // THREADS)


def launch(module: str, name: str, dtype: Any, blocks: int, *args: Any) -> None:
    """Launch a kernel, without waiting for it.

    Args:
        module, name: the kernel's file and its name there.
        dtype: for which `REAL` stands in the source.
        blocks: number of blocks; 0 does nothing.
        args: contiguous arrays (or with rows apart, if the kernel takes a stride), and NumPy scalars of the kernel's
            exact types, because Python numbers would be passed as other types.
    """
    if blocks:
        _kernel(module, name, dtype.char)((blocks,), (THREADS,), args)  # dtype.name would take 2 microseconds


def launch_clusters(
    module: str, name: str, dtype: Any, sizes: tuple[tuple[str, int], ...], clusters: int, *args: Any
) -> None:
    """Launch a kernel in clusters of blocks, compiled for the given sizes, which include THREADS and CLUSTER."""
    if clusters:
        given = dict(sizes)
        kernel = _clusters_kernel(module, name, dtype.char, sizes)
        kernel((clusters * given["CLUSTER"],), (given["THREADS"],), args)


def dense(a: Any) -> Any:
    """Return a contiguous version of an array, itself if it is contiguous: kernels ignore strides."""
    return a if a.flags.c_contiguous else a.copy()


def write_back(arrays: Sequence[Any], copies: Sequence[Any]) -> None:
    """Copy what a kernel wrote to the dense copies back to the arrays they were made of."""
    for a, copy in zip(arrays, copies):
        if copy is not a:
            a[...] = copy


def empty(shape: Any, dtype: Any) -> Any:
    """Return an uninitialised array on the device."""
    import cupy

    return cupy.empty(shape, dtype)


def full(shape: Any, value: float, dtype: Any) -> Any:
    """Return an array on the device filled with one value."""
    import cupy

    return cupy.full(shape, value, dtype)
