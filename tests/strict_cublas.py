"""cuBLAS as `backend/cuda/blas.py` calls it, on the memory of the stand-in for CuPy: NumPy underneath.

It reads matrices by the pointers, the distances of their columns and the transpositions that it is given, as the library
does, so that a wrong one gives wrong numbers.
"""

import numpy as np

from benchmarks.precision import BITS, rounded

DTYPES = {0: np.dtype(np.float32), 1: np.dtype(np.float64)}
COMPUTED = {0: {68: "fp32", 75: "bf16", 77: "tf32"}, 1: {70: "fp32"}}  # kinds of products that there are of each


class Cublas:
    """The functions that are used.

    Args:
        do: is given a function that computes, and calls it, now or when a recording is replayed.
        current: gives the number of the stream that is current.
        recording: gives what is being recorded, or None.
        forbid: is called with what a recording does not stand.
    """

    def __init__(self, do, current, recording, forbid):
        self.do, self.current, self.recording, self.forbid = do, current, recording, forbid
        self.of, self.last, self.recorded = {}, None, {}

    def cublasCreate_v2(self, handle):
        handle._obj.value = 1 + max(self.of, default=0)
        self.of[handle._obj.value] = [None, False]  # stream, and whether there is a workspace
        return 0

    def cublasDestroy_v2(self, handle):
        self.forbid("to wait for the device")
        del self.of[handle.value]
        return 0

    def cublasSetStream_v2(self, handle, stream):
        self.of[handle.value] = [stream.value or 0, False]
        return 0

    def cublasSetWorkspace_v2(self, handle, pointer, size):
        assert pointer.value
        assert size.value >= 32 << 20
        self.of[handle.value][1] = True
        return 0

    def cublasGemmEx(
        self, handle, of_a, of_b, m, n, k, alpha, a, a_type, lda, b, b_type, ldb, beta, c, c_type, ldc, compute, algorithm
    ):  # fmt: skip
        stream, workspace = self.of[handle.value]
        assert stream == self.current()
        recording = self.recording()
        if recording is not None:
            if recording is not self.last:
                self.last, self.recorded = recording, {}
            streams = self.recorded.setdefault(handle.value, {stream})
            assert streams == {stream}, "products side by side would have one workspace"
        assert workspace, "a workspace of cuBLAS's own can't be used while launches are recorded"
        assert a_type == b_type == c_type
        assert compute in COMPUTED[c_type]
        assert algorithm == -1
        dtype = DTYPES[c_type]
        first = matrix(a, dtype, (m, k) if not of_a else (k, m), lda)
        second = matrix(b, dtype, (k, n) if not of_b else (n, k), ldb)
        out = matrix(c, dtype, (m, n), ldc)
        one, kept = (number._obj.value for number in (alpha, beta))
        assert one == 1
        assert kept in (0, 1)

        def compute_now():
            with np.errstate(all="ignore"):  # a GPU gives no warnings
                bits = BITS[COMPUTED[c_type][compute]]
                factors = (rounded(f.T if turned else f, bits) for f, turned in ((first, of_a), (second, of_b)))
                left, right = factors
                if kept:
                    out[...] += left @ right
                else:  # without memory of its own, which tests look at
                    np.matmul(right.T, left.T, out=out.T)

        self.do(compute_now)
        return 0


def matrix(pointer, dtype, shape, far):
    """A matrix by columns that are so many entries apart."""
    assert far >= max(shape[0], 1)
    strides = dtype.itemsize, far * dtype.itemsize
    return np.asarray(Memory(pointer.value, dtype.str, shape, strides))


class Memory:
    """What NumPy asks for, to make an array of memory that is there."""

    def __init__(self, pointer, kind, shape, strides):
        own = {"data": (pointer, False), "typestr": kind, "shape": shape, "strides": strides, "version": 3}
        self.__array_interface__ = own
