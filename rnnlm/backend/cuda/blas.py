"""Matrix products by direct calls of cuBLAS.

CuPy's own product takes three times as long to launch, copies operands that are not contiguous, can't add to its
output, and can't be recorded (`graphs.py`). If the library can't be loaded, `product` returns False.
"""

import ctypes
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache, partial
from threading import local
from typing import Any

from rnnlm.backend.cuda.still import give_back, when_still

__all__ = ["Handle", "library", "product", "taking"]

Array = Any
WORKSPACE = 32 << 20  # bytes: recommended for Hopper. cuBLAS's own workspace can't be used while launches are recorded
NORMAL, TRANSPOSED, DEFAULT_ALGORITHM = 0, 1, -1
REAL = {"f": (0, ctypes.c_float), "d": (1, ctypes.c_double)}  # cudaDataType, and the C type of alpha and beta
COMPUTE = {"fp32": (68, 70), "tf32": (77, 70), "bf16": (75, 70)}  # cublasComputeType of float32 and of float64
NUMBERS = {(char, add): ctypes.byref(kind(add)) for char, (_, kind) in REAL.items() for add in (0, 1)}


@cache
def library() -> Any:
    """Return the cuBLAS library, or None if it can't be loaded."""
    try:
        from cuda.pathfinder import DynamicLibNotFoundError, load_nvidia_dynamic_lib
    except ImportError:
        return None
    try:
        return ctypes.CDLL(load_nvidia_dynamic_lib("cublas").abs_path)
    except (DynamicLibNotFoundError, OSError):
        return None


def _expect(status: int) -> None:
    if status:
        raise RuntimeError(f"cuBLAS failed with status {status}")


class Handle:
    """A cuBLAS handle on the current device, with its stream and its own workspace, which nothing else may use while
    its products are computed. Recorded products use the workspace at each replay."""

    def __init__(self) -> None:
        import cupy

        give_back()
        self._device = cupy.cuda.device.get_device_id()
        self._cublas, self._handle, self._stream = library(), ctypes.c_void_p(), None
        _expect(self._cublas.cublasCreate_v2(ctypes.byref(self._handle)))
        self._workspace = cupy.cuda.alloc(WORKSPACE)

    def on_current_stream(self) -> ctypes.c_void_p:
        """Return the handle, set to the current stream."""
        import cupy

        stream = cupy.cuda.get_current_stream().ptr
        if self._stream != stream:
            _expect(self._cublas.cublasSetStream_v2(self._handle, ctypes.c_void_p(stream)))
            where = ctypes.c_void_p(self._workspace.ptr), ctypes.c_size_t(WORKSPACE)
            _expect(self._cublas.cublasSetWorkspace_v2(self._handle, *where))  # setting the stream resets the workspace
            self._stream = stream
        return self._handle

    def __del__(self) -> None:
        if self._handle and not sys.is_finalizing():
            when_still(partial(_destroy, self._cublas, self._handle, self._workspace, self._device))


def _destroy(cublas: Any, handle: ctypes.c_void_p, _workspace: Any, device: int) -> bool:
    """Destroy a handle, then release its workspace. Waits for the device."""
    import cupy

    with cupy.cuda.Device(device):
        cublas.cublasDestroy_v2(handle)
    return True


class _Users(local):
    """The handles of each thread: its own on each device, or one set by `taking`."""

    def __init__(self) -> None:
        self.own: dict[int, Handle] = {}
        self.lent: Handle | None = None

    def handle(self) -> Handle:
        """Return the handle to use now."""
        import cupy

        if self.lent is not None:
            return self.lent
        device = cupy.cuda.device.get_device_id()
        if device not in self.own:
            self.own[device] = Handle()
        return self.own[device]


_users = _Users()


@contextmanager
def taking(handle: Handle) -> Iterator[None]:
    """Within this context, this thread's products use the given handle instead of its own."""
    before, _users.lent = _users.lent, handle
    try:
        yield
    finally:
        _users.lent = before


def layout(a: Array) -> tuple[int, int] | None:
    """Return how column-major cuBLAS must read a row-major matrix: whether transposed, and the leading dimension in
    entries; None if neither rows nor columns are contiguous."""
    (rows, columns), (down, right), size = a.shape, a.strides, a.itemsize
    if right == size and (rows == 1 or (down >= columns * size and down % size == 0)):
        return NORMAL, max(down // size if rows > 1 else 0, columns, 1)
    if down == size and (columns == 1 or (right >= rows * size and right % size == 0)):
        return TRANSPOSED, max(right // size if columns > 1 else 0, rows, 1)
    return None


def product(a: Array, b: Array, out: Array, add: bool, precision: str) -> bool:
    """Do out = a b, or out += a b; return False if it can't be done without a copy.  a (M, K), b (K, N), out (M, N)

    Args:
        precision: of float32 products, 'fp32', 'tf32' or 'bf16'.
    """
    cublas, char = library(), out.dtype.char
    if cublas is None:
        return False
    places = layout(a), layout(b), layout(out)
    if char not in REAL or not a.dtype == b.dtype == out.dtype or None in places or not a.size:
        return False
    (of_a, far_a), (of_b, far_b), (of_out, far_out) = places  # type: ignore[misc]
    if of_out == TRANSPOSED:
        return product(b.T, a.T, out.T, add, precision)
    kind, (M, K), N = REAL[char][0], a.shape, b.shape[1]
    one, kept = NUMBERS[char, 1], NUMBERS[char, int(add)]
    pointer = ctypes.c_void_p
    _expect(
        cublas.cublasGemmEx(
            _users.handle().on_current_stream(), of_b, of_a, N, M, K, one, pointer(b.data.ptr), kind, far_b,
            pointer(a.data.ptr), kind, far_a, kept, pointer(out.data.ptr), kind, far_out,
            COMPUTE[precision][kind], DEFAULT_ALGORITHM,
        )
    )  # fmt: skip
    return True
