"""A stand-in for CuPy on machines without a GPU: NumPy underneath, CuPy's refusals on top.

`install()` puts it into `sys.modules` as `cupy`. It refuses what CuPy refuses: implicit conversion to NumPy, NumPy arrays
as operands, as values or as indices, repeated indices in an assignment, products of more than two dimensions (CuPy takes
a slow path) but for batches of contiguous arrays, and functions that CuPy has not. Reductions give 0-d arrays, never host scalars. CUDA kernels run on the
emulator. It counts in `stats` what a GPU would have to wait or copy for: host syncs, hidden copies of matrix products,
uploads, allocations, and how often something is launched.

It can't show what only a device has: streams, asynchronous errors, speed.
"""

import sys
import types
from functools import cache

import numpy as np

from tests import emulator
from tests.strict_cublas import Cublas
from tests.strict_graphs import MemoryPool, recorder, stream_class, using_allocator

OF_NO_CLUSTERS = "80"  # a capability: compiling a window's kernel for each size of each test would take minutes
VIEWS = {"ascontiguousarray", "empty", "empty_like", "may_share_memory", "reshape", "swapaxes"}  # nothing to compute
METHODS = {
    "all", "argmax", "astype", "copy", "fill", "max", "mean", "min", "repeat", "reshape", "sum", "swapaxes",
}  # CuPy has them all  # fmt: skip
MISSING = {"errstate", "nditer", "memmap", "seterr"}  # asked of CuPy 14 and not there


class Stats:
    """What a GPU would have waited, copied and allocated for."""

    def __init__(self):
        self.reset()

    def reset(self):
        self.syncs = self.copies = self.uploads = self.allocations = self.launches = 0


stats = Stats()


class ndarray(np.lib.mixins.NDArrayOperatorsMixin):
    """A device array, as far as anyone can tell."""

    __slots__ = ("_a",)

    def __init__(self, a):
        self._a = a

    def __array__(self, dtype=None, copy=None):
        raise TypeError("Implicit conversion to a NumPy array is not allowed. Use .get()")

    @property
    def data(self):
        return Memory(self._a)

    def set(self, a):
        recorder.forbid("an upload")
        assert a.flags.c_contiguous
        assert (a.shape, a.dtype) == (self.shape, self.dtype)
        stats.uploads += 1
        self._a[...] = a

    def get(self):
        recorder.forbid("a value was asked for")
        stats.syncs += 1
        return self._a.copy()

    def tolist(self):
        recorder.forbid("a value was asked for")
        stats.syncs += 1
        return self._a.tolist()

    def item(self):
        recorder.forbid("a value was asked for")
        stats.syncs += 1
        return self._a.item()

    def __float__(self):
        return float(self.item())

    def __int__(self):
        return int(self.item())

    def __bool__(self):
        return bool(self.item())

    def __index__(self):
        recorder.forbid("a value was asked for")
        stats.syncs += 1
        return self._a.__index__()

    def __array_ufunc__(self, ufunc, method, *inputs, **options):
        return call(ufunc, getattr(ufunc, method), inputs, options)

    def __array_function__(self, function, types, args, options):
        return call(function, function, args, options)

    shape = property(lambda self: self._a.shape)
    dtype = property(lambda self: self._a.dtype)
    ndim = property(lambda self: self._a.ndim)
    size = property(lambda self: self._a.size)
    nbytes = property(lambda self: self._a.nbytes)
    flags = property(lambda self: self._a.flags)
    strides = property(lambda self: self._a.strides)
    itemsize = property(lambda self: self._a.itemsize)
    T = property(lambda self: ndarray(self._a.T))

    def __len__(self):
        return len(self._a)

    def __iter__(self):
        return (wrap(row) for row in self._a)

    def __getitem__(self, key):
        key = unwrap(key)
        parts = [part for part in (key if isinstance(key, tuple) else (key,)) if isinstance(part, np.ndarray)]
        stats.syncs += sum(part.dtype == bool for part in parts)
        stats.launches += bool(parts)  # a gather
        stats.allocations += bool(parts)
        if any(part.dtype == bool for part in parts):
            recorder.forbid("an index of truth values")
        result = self._a[key]
        if parts:
            recorder.made(result, lambda: self._a[key])
        return wrap(result)

    def __setitem__(self, key, value):
        key, value = unwrap(key), unwrap(value)
        stats.launches += 1
        if isinstance(key, np.ndarray) and key.dtype != bool and np.ndim(value) and np.unique(key).size != key.size:
            raise RuntimeError("an assignment with repeated indices is undefined on CuPy")
        if isinstance(key, np.ndarray) and key.dtype == bool:
            recorder.forbid("an index of truth values")
            stats.syncs += 1
        recorder.do(lambda: self._a.__setitem__(key, value))

    def __repr__(self):
        return f"strict {self._a!r}"

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        if name not in METHODS:
            raise AttributeError(f"'cupy.ndarray' object has no attribute {name!r}, or none that the tests know of")
        method = getattr(self._a, name)
        return lambda *args, **options: call(method, method, args, options, self)


def unwrap(x):
    """The NumPy array inside; NumPy arrays themselves are refused."""
    if isinstance(x, ndarray):
        return x._a
    if isinstance(x, np.ndarray):
        raise TypeError(f"Unsupported type {type(x)}")
    if isinstance(x, (tuple, list)):
        return type(x)(unwrap(i) for i in x)
    return x


def wrap(x):
    """A result as a device array; scalars become 0-d arrays."""
    if isinstance(x, (np.ndarray, np.generic)):
        return ndarray(np.asarray(x))
    return type(x)(wrap(i) for i in x) if isinstance(x, (tuple, list)) else x


def call(function, bound, args, options, own=None):
    """Call a NumPy function, or a method of `own`, on device arrays and count what it would cost on a GPU."""
    name = getattr(function, "__name__", "")
    out = options.get("out")
    out = out[0] if isinstance(out, tuple) else out
    if name in ("matmul", "dot"):
        count_copies(args[0], args[1], out)
    if "mode" in options or "where" in options:
        raise TypeError(f"{name}: CuPy has no such option: {sorted(options)}")
    stats.syncs += name in ("nonzero", "unique", "flatnonzero", "argwhere")
    arguments, named = [unwrap(a) for a in args], {key: unwrap(value) for key, value in options.items()}
    if name in ("nonzero", "unique", "flatnonzero", "argwhere"):
        recorder.forbid(name)
    stats.launches += name not in VIEWS
    if out is not None or name == "fill":
        recorder.do(lambda: silently(bound, arguments, named))
        return out
    result = silently(bound, arguments, named)
    is_array = isinstance(result, np.ndarray)
    inputs = [a for a in (*arguments, None if own is None else own._a) if isinstance(a, np.ndarray)]
    if (
        recorder.steps is not None
        and isinstance(result, np.ndarray | np.generic)
        and name not in ("empty", "empty_like")
    ):
        result = np.asarray(result)
        if not any(np.may_share_memory(result, a) for a in inputs):
            recorder.made(result, lambda: silently(bound, arguments, named))
    if name in ("reshape", "ravel", "ascontiguousarray"):
        copied = not np.shares_memory(result, (args[0] if own is None else own)._a)
        stats.copies += copied
        stats.launches += copied
    if own is not None and result is own._a:  # astype where there is nothing to do
        return own
    stats.allocations += is_array and result.base is None
    return wrap(result)


def silently(function, arguments, options):
    """A function's result without warnings: a GPU gives none."""
    with np.errstate(all="ignore"):
        return function(*arguments, **options)


def count_copies(x, y, out):
    """Copies that CuPy makes silently around a product."""
    if max(x.ndim, y.ndim) > 2:
        if not (x.ndim == y.ndim == 3 and len(x) == len(y) and x.flags.c_contiguous and y.flags.c_contiguous):
            raise RuntimeError("a product of more than 2 dimensions takes CuPy's slow path: reshape to 2-d")
        return  # a batch, which cuBLAS has a function for
    for operand in (x, y):
        if operand.ndim == 2 and not (operand.flags.c_contiguous or operand.flags.f_contiguous):
            stats.copies += 1
        if out is not None and np.may_share_memory(out._a, operand._a):
            stats.copies += 1
    if out is not None and not out.flags.c_contiguous:
        stats.copies += 1
    if out is not None and not x.dtype == y.dtype == out.dtype:
        raise TypeError(f"products are written in the dtype of their operands: {x.dtype}, {y.dtype}, out {out.dtype}")


class Memory:
    """Where an array lies."""

    def __init__(self, a):
        self.array, self.ptr = a, a.__array_interface__["data"][0]

    def copy_from_device_async(self, source, size):
        stats.launches += 1
        assert size == self.array.nbytes == source.array.nbytes
        assert self.array.flags.c_contiguous
        assert source.array.flags.c_contiguous
        recorder.do(lambda: np.copyto(self.array, source.array))


class Ufunc:
    """A ufunc as CuPy has it: callable, with `at`, without `reduceat`."""

    def __init__(self, ufunc):
        self.ufunc = ufunc

    def __call__(self, *args, **options):
        return call(self.ufunc, self.ufunc, args, options)

    def at(self, a, indices, b):
        stats.launches += 1
        recorder.do(lambda: self.ufunc.at(unwrap(a), unwrap(indices), unwrap(b)))


class Module(types.ModuleType):
    """`cupy`."""

    def __getattr__(self, name):
        if name in MISSING:
            raise AttributeError(f"module 'cupy' has no attribute {name!r}")
        value = getattr(np, name)
        if isinstance(value, np.ufunc):
            return Ufunc(value)
        if isinstance(value, type) or not callable(value):
            return value
        return lambda *args, **options: call(value, value, args, options)


class CountedModule(emulator.RawModule):
    """Kernels, whose launches are counted."""

    def get_function(self, name):
        kernel = super().get_function(name)

        def launch(grid, block, args, shared_mem=0):
            stats.launches += 1
            recorder.do(lambda: kernel(grid, block, args))

        launch.kernel = types.SimpleNamespace(ptr=0)
        return launch


class Generator:
    """CuPy's generator of random numbers, as far as it is used: another stream than NumPy's."""

    def __init__(self, seed):
        self.rng = np.random.default_rng((1, seed))

    def random(self, shape):
        return ndarray(self.rng.random(shape))

    def normal(self, shape):
        return ndarray(self.rng.standard_normal(shape))


def asarray(a, dtype=None):
    """Upload a host array; a device array stays what it is."""
    if isinstance(a, ndarray):
        return a if dtype is None or a.dtype == dtype else a.astype(dtype)
    recorder.forbid("an upload")
    stats.uploads += 1
    return ndarray(np.array(a, dtype=dtype))


def asnumpy(a):
    """Download a device array."""
    return a.get() if isinstance(a, ndarray) else np.asarray(a)


def set_compute_types():
    """CuPy's own setting of the precision of products."""
    products = types.ModuleType("cupy._core._routines_linalg")
    products.COMPUTE_TYPE_DEFAULT, products.COMPUTE_TYPE_TF32 = 1, 7
    products.set_compute_type = lambda dtype, kind: products.compute_types.update({dtype: kind})
    products.compute_types = {}
    core = types.ModuleType("cupy._core")
    core._routines_linalg = products
    sys.modules |= {core.__name__: core, products.__name__: products}


class Device(types.SimpleNamespace):
    """A GPU, which is the current one within."""

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        return None


def install():
    """Be `cupy` from now on."""
    cupy = Module("cupy")
    cupy.__version__ = "14 (strict stand-in)"
    cupy.ndarray, cupy.asarray, cupy.array, cupy.asnumpy = ndarray, asarray, asarray, asnumpy
    cupy.is_available = lambda: True
    attributes = {"MultiProcessorCount": 132, "MaxSharedMemoryPerBlockOptin": 232_448}
    device = Device(id=0, use=lambda: None, compute_capability=OF_NO_CLUSTERS, attributes=attributes)
    driver = types.SimpleNamespace(funcSetAttribute=lambda kernel, attribute, value: None)
    runtime = types.SimpleNamespace(
        getDeviceCount=lambda: 1,
        getDeviceProperties=lambda _id: {"name": b"no device: NumPy underneath", "totalGlobalMem": 1 << 34},
    )
    set_compute_types()
    cupy.random = types.SimpleNamespace(default_rng=Generator, randn=lambda *shape: Generator(0).normal(shape))
    cupy.RawModule = CountedModule
    cupy.cuda = types.SimpleNamespace(
        Device=lambda _id=0: device,
        device=types.SimpleNamespace(get_device_id=lambda: 0),
        runtime=runtime,
        driver=driver,
        get_current_stream=lambda: types.SimpleNamespace(synchronize=lambda: None, ptr=recorder.stream),
        alloc=lambda size: types.SimpleNamespace(ptr=id(cupy)),
        MemoryPool=MemoryPool,
        Stream=stream_class(count_launch),
        using_allocator=using_allocator,
    )
    sys.modules["cupy"] = cupy


def count_launch():
    """Something was launched."""
    stats.launches += 1


@cache
def cublas():
    """What `backend/cuda/blas.py` loads."""

    def do(function):
        count_launch()
        recorder.do(function)

    return Cublas(do, current=lambda: recorder.stream, recording=lambda: recorder.steps, forbid=recorder.forbid)
