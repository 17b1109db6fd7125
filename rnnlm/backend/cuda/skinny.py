"""Products of few rows, out = a W, as a recurrence has one at each time step: where cuBLAS leaves most of a GPU idle.

A product of 20 rows takes little more than reading W from the GPU's cache, if all multiprocessors read at once. The
kernel cuts W into tiles of columns for clusters of blocks, whose blocks share the rows of W. Sums are in float32,
whatever the precision of other products is, and always in the same order.
"""

import os
from collections.abc import Callable
from functools import cache
from typing import Any

from rnnlm.backend.cuda.launch import FLOAT, OPTIONS, integer
from rnnlm.backend.cuda.source import source

__all__ = ["multiplier", "pays", "plan"]

Array = Any
Sizes = tuple[tuple[str, int], ...]
ROWS = 32  # at most: a thread sums four columns of each in registers
ENTRIES = 100_000  # of W from which the kernel is faster
OFTEN = 4  # times from which laying W out anew pays
ARCHITECTURE = 90  # compute capability, times ten, from which blocks form clusters
BLOCKS = 128  # that run at once in clusters: an H100 has 132 multiprocessors, in groups of 16 and 18
THREADS = 128  # of a block
AHEAD = 8  # loads that a thread has under way
BYTES = 200_000  # of shared memory that a block may have


def up(count: int, unit: int) -> int:
    """How many units have room for `count`."""
    return -(-count // unit)


def plan(rows: int, K: int, C: int) -> dict[str, int]:
    """What the kernel is compiled with, for `rows` rows of `a` and a W (K, C), by the names of skinny.cuh.

    A block reads rows·K/CLUSTER entries of `a` and hands on rows·C·CLUSTER/BLOCKS sums; the cluster is as large as
    makes that least.
    """
    cluster = min((1, 2, 4, 8), key=lambda n: K / n + 2 * C * n / BLOCKS)
    groups = up(up(C, 4), BLOCKS // cluster)
    threads = THREADS if groups <= THREADS else up(groups, 32) * 32
    return {
        "THREADS": threads, "CLUSTER": cluster, "ROWS": 4 * up(rows, 4), "DEPTH": K, "COLUMNS": C, "GROUPS": groups,
        "AHEAD": AHEAD,
    }  # fmt: skip


def shared_bytes(sizes: dict[str, int]) -> int:
    """Shared memory of a block: the slice of `a`, later the sums of all parts; and what the cluster sends."""
    parts, quads = sizes["THREADS"] // sizes["GROUPS"], sizes["ROWS"] // 4
    of_a = up(up(sizes["DEPTH"], sizes["CLUSTER"]), parts) * parts * (quads | 1)
    sums = sizes["ROWS"] * sizes["GROUPS"]
    return 16 * (max(of_a, sums * parts) + sizes["CLUSTER"] * up(sums, sizes["CLUSTER"]))


def pays(W: Array, rows: int, times: int) -> bool:
    """Whether the kernel runs here and is faster, for an `a` of so many rows that comes so many times."""
    if W.dtype != FLOAT or rows > ROWS or times < OFTEN or W.size < ENTRIES or not _runs():
        return False
    sizes = plan(rows, *W.shape)
    return sizes["THREADS"] <= 1024 and shared_bytes(sizes) <= BYTES


def multiplier(W: Array, rows: int) -> Callable[[Array, Array], None]:
    """A function multiply(a, out) that leaves a W in `out`, for an a (rows, K) in float32.

    W (K, C), which must not change meanwhile, may be a transposed view. The rows of `a` and `out` are dense in
    themselves, and may be apart.
    """
    K, C = W.shape
    sizes = plan(rows, K, C)
    blocks, threads, shared = up(up(C, 4), sizes["GROUPS"]) * sizes["CLUSTER"], sizes["THREADS"], shared_bytes(sizes)
    kernel, W = _kernel(tuple(sizes.items()), shared), _laid_out(W)
    W_stride, M = integer(_row_stride(W)), integer(rows)

    def multiply(a: Array, out: Array) -> None:
        args = (a, integer(_row_stride(a)), W, W_stride, out, integer(_row_stride(out)), M)
        kernel((blocks,), (threads,), args, shared_mem=shared)

    return multiply


def _row_stride(a: Array) -> int:
    """Elements from row to row."""
    return a.strides[0] // 4


def _laid_out(W: Array) -> Array:
    """W with dense rows, each at a multiple of 16 bytes: itself, or a copy."""
    K, C = W.shape
    if W.strides[1] == 4 and W.strides[0] % 16 == 0 and W.data.ptr % 16 == 0 and C % 4 == 0:
        return W
    import cupy

    make = cupy.zeros if C % 4 else cupy.empty
    wide = make((K, 4 * up(C, 4)), FLOAT)
    wide[:, :C] = W
    return wide[:, :C]


@cache
def _runs() -> bool:
    """Whether there may be a kernel, and the device forms clusters."""
    import cupy

    fused = os.environ.get("RNNLM_FUSED") != "0"
    return fused and int(cupy.cuda.Device().compute_capability) >= ARCHITECTURE


@cache
def _kernel(sizes: Sizes, shared: int) -> Any:
    import cupy

    kernel = cupy.RawModule(code=source("skinny", "float32", sizes), options=OPTIONS).get_function("skinny")
    kernel.max_dynamic_shared_size_bytes = shared
    return kernel
