"""Products of few rows, out = a W, as at each time step of a recurrence, for which cuBLAS leaves most of a GPU idle.

A product of 20 rows takes little more than reading W from the GPU's cache, if all multiprocessors read at once. The
kernel splits W into tiles of columns, one for each cluster of blocks, and its rows between the blocks of a cluster.
Sums are in float32, whatever RNNLM_PRECISION is, and always in the same order.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

from rnnlm.backend import SETTINGS
from rnnlm.backend.cuda.launch import FLOAT, OPTIONS, empty, integer, launch
from rnnlm.backend.cuda.plan import up
from rnnlm.backend.cuda.source import source

__all__ = ["laid_out", "launcher", "multiplier", "pays", "plan"]

Array = Any
Sizes = tuple[tuple[str, int], ...]
ROWS = 32  # most rows: a thread sums four columns of each in registers
ENTRIES = 100_000  # entries of W from which the kernel is faster
MANY = 3_000_000  # entries of W from which two blocks to a multiprocessor are faster, in backward
OFTEN = 4  # products from which repacking W pays
ARCHITECTURE = 90  # compute capability, times ten, from which blocks form clusters
BLOCKS = {2: 132, 8: 128}  # cluster size -> blocks that run at once on an H100 (132 multiprocessors, in uneven groups)
AHEAD = 6  # loads that a thread has in flight
BYTES = 110_000  # most bytes of shared memory of a block
SIDE = 32  # side of the tiles by which a matrix is transposed


def plan(rows: int, K: int, C: int) -> dict[str, int]:
    """Return the compile-time sizes of the kernel for `rows` rows of `a` and W (K, C), by their names in skinny.cuh.

    Tuned on an H200 with 20 rows and W from (200, 800) to (1500, 6000), also transposed: a W with many rows for its
    columns is shared by more blocks.
    """
    cluster, threads = (2 if C >= 2 * K else 8), 256 if K * C > 10 * ENTRIES else 128
    tiles = BLOCKS[cluster] // cluster
    if cluster == 8 and K * C > MANY:
        tiles, threads = 2 * tiles - 1, 128
    groups = up(up(C, 4), tiles)
    return {
        "THREADS": max(threads, up(groups, 32) * 32), "CLUSTER": cluster, "ROWS": 4 * up(rows, 4), "DEPTH": K,
        "COLUMNS": C, "GROUPS": groups, "AHEAD": AHEAD,
    }  # fmt: skip


def shared_bytes(sizes: dict[str, int]) -> int:
    """Return the bytes of shared memory of a block, for its slice of `a`, later for partial sums, and for exchange."""
    parts, quads = sizes["THREADS"] // sizes["GROUPS"], sizes["ROWS"] // 4
    of_a = up(up(sizes["DEPTH"], sizes["CLUSTER"]), parts) * parts * (quads | 1)
    sums = sizes["ROWS"] * sizes["GROUPS"]
    return 16 * (max(of_a, sums * parts) + sizes["CLUSTER"] * up(sums, sizes["CLUSTER"]))


def pays(W: Array, rows: int, times: int) -> bool:
    """Return whether the kernel can run here and is faster, for `times` products of `rows` rows with W."""
    if W.dtype != FLOAT or rows > ROWS or times < OFTEN or W.size < ENTRIES or not _runs():
        return False
    sizes = plan(rows, *W.shape)
    return sizes["THREADS"] <= 1024 and shared_bytes(sizes) <= min(BYTES, _most_shared())


def multiplier(W: Array, rows: int) -> Callable[[Array, Array], None]:
    """Return multiply(a, out), which writes a W to `out`, for a (rows, K) in float32.

    W (K, C), which must not change meanwhile, may be a transposed view. Each row of `a` and `out` must be contiguous;
    rows may be apart.
    """
    W = laid_out(W)
    run = launcher("skinny", W, rows)
    return lambda a, out: run(a, _row_stride(a), W, _row_stride(W), out, _row_stride(out), integer(rows))


def launcher(name: str, W: Array, rows: int) -> Callable[..., None]:
    """Return a function that launches a kernel of skinny.cuh, compiled for W (K, C), with the arguments given to it."""
    sizes = plan(rows, *W.shape)
    tiles, shared = up(up(sizes["COLUMNS"], 4), sizes["GROUPS"]), shared_bytes(sizes)
    kernel = _kernel(name, tuple(sizes.items()), shared)
    grid, block = (tiles * sizes["CLUSTER"],), (sizes["THREADS"],)
    return lambda *args: kernel(grid, block, args, shared_mem=shared)


def _row_stride(a: Array) -> Any:
    """Return the row stride of a float32 array in elements."""
    return integer(a.strides[0] // 4)


def laid_out(W: Array) -> Array:
    """Return W with contiguous rows, each aligned to 16 bytes: itself or a copy."""
    K, C = W.shape
    if W.strides[1] == 4 and W.strides[0] % 16 == 0 and W.data.ptr % 16 == 0 and C % 4 == 0:
        return W
    wide = empty((K, 4 * up(C, 4)), FLOAT)
    if C % 4:
        wide.fill(0)  # the kernel reads whole groups of four columns
    if W.strides[0] == 4:
        tiles = up(C, SIDE) * up(K, SIDE)
        rows, columns = integer(C), integer(K)
        launch("layout", "transpose", FLOAT, tiles, W.T, _row_stride(W.T), wide, _row_stride(wide), rows, columns)
    else:
        wide[:, :C] = W
    return wide[:, :C]


@cache
def _most_shared() -> int:
    """Return the most bytes of shared memory that a block can have on the device."""
    import cupy

    return int(cupy.cuda.Device().attributes["MaxSharedMemoryPerBlockOptin"])


@cache
def _runs() -> bool:
    """Return whether fused kernels are enabled and the device supports clusters."""
    import cupy

    return SETTINGS["RNNLM_FUSED"] == "1" and int(cupy.cuda.Device().compute_capability) >= ARCHITECTURE


@cache
def _kernel(name: str, sizes: Sizes, shared: int) -> Any:
    import cupy

    kernel = cupy.RawModule(code=source("skinny", "float32", sizes), options=OPTIONS).get_function(name)
    kernel.max_dynamic_shared_size_bytes = shared
    return kernel
