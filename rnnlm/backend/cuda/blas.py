"""Matrix products by cuBLAS itself.

CuPy's own product takes three times as long to launch, copies what is not contiguous, can't add to what is there, and
is refused while launches are recorded (`graphs.py`). Where the library can't be loaded, `product` says so.
"""

import ctypes
from functools import cache
from threading import local
from typing import Any

__all__ = ["product"]

Array = Any
WORKSPACE = 32 << 20  # bytes: what cuBLAS asks for on Hopper. Its own can't be used while launches are recorded
NORMAL, TRANSPOSED, DEFAULT_ALGORITHM = 0, 1, -1
REAL = {"f": (0, ctypes.c_float), "d": (1, ctypes.c_double)}  # cudaDataType, and what factors are
COMPUTE = {"f": {"fp32": 68, "tf32": 77}, "d": {"fp32": 70, "tf32": 70}}  # cublasComputeType
lane = 0  # which handle is used: what runs beside other products needs a workspace of its own
NUMBERS = {(char, add): ctypes.byref(kind(add)) for char, (_, kind) in REAL.items() for add in (0, 1)}


@cache
def library() -> Any:
    """cuBLAS, which CuPy has loaded, or None."""
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


class _Handles(local):
    """Of each thread its own handle on each device, and the workspace that goes with it."""

    def __init__(self) -> None:
        self.of: dict[tuple[int, int], tuple[Any, Any]] = {}
        self.streams: dict[tuple[int, int], int] = {}

    def current(self, cublas: Any) -> Any:
        """The handle for the current device and lane, set to the current stream."""
        import cupy

        number = cupy.cuda.device.get_device_id(), lane
        if number not in self.of:
            handle = ctypes.c_void_p()
            _expect(cublas.cublasCreate_v2(ctypes.byref(handle)))
            self.of[number] = handle, cupy.cuda.alloc(WORKSPACE)
        handle, workspace = self.of[number]
        stream = cupy.cuda.get_current_stream().ptr
        if self.streams.get(number) != stream:
            _expect(cublas.cublasSetStream_v2(handle, ctypes.c_void_p(stream)))
            where = ctypes.c_void_p(workspace.ptr), ctypes.c_size_t(WORKSPACE)
            _expect(cublas.cublasSetWorkspace_v2(handle, *where))  # which the line before has given up
            self.streams[number] = stream
        return handle


_handles = _Handles()


def layout(a: Array) -> tuple[int, int] | None:
    """How cuBLAS, to whom rows are columns, has to read a matrix: whether transposed, and how far its rows (or columns)
    are apart, in entries; None where neither are contiguous."""
    (rows, columns), (down, right), size = a.shape, a.strides, a.itemsize
    if right == size and (rows == 1 or (down >= columns * size and down % size == 0)):
        return NORMAL, max(down // size if rows > 1 else 0, columns, 1)
    if down == size and (columns == 1 or (right >= rows * size and right % size == 0)):
        return TRANSPOSED, max(right // size if columns > 1 else 0, rows, 1)
    return None


def product(a: Array, b: Array, out: Array, add: bool, precision: str) -> bool:
    """out = a b, or out += a b; whether it could be done, without a copy.  a (M, K), b (K, N), out (M, N)

    Args:
        precision: of float32 products, 'fp32' or 'tf32'.
    """
    cublas, char = library(), out.dtype.char
    places = layout(a), layout(b), layout(out)
    if cublas is None or char not in REAL or not a.dtype == b.dtype == out.dtype or None in places or not a.size:
        return False
    (of_a, far_a), (of_b, far_b), (of_out, far_out) = places  # type: ignore[misc]
    if of_out == TRANSPOSED:
        return product(b.T, a.T, out.T, add, precision)
    kind, (M, K), N = REAL[char][0], a.shape, b.shape[1]
    one, kept = NUMBERS[char, 1], NUMBERS[char, int(add)]
    pointer = ctypes.c_void_p
    _expect(
        cublas.cublasGemmEx(
            _handles.current(cublas), of_b, of_a, N, M, K, one, pointer(b.data.ptr), kind, far_b,
            pointer(a.data.ptr), kind, far_a, kept, pointer(out.data.ptr), kind, far_out,
            COMPUTE[char][precision], DEFAULT_ALGORITHM,
        )
    )  # fmt: skip
    return True
