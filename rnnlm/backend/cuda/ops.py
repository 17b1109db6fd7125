"""CuPy: operations whose names or fast implementations differ from NumPy's."""

import os
from collections.abc import Callable
from typing import Any

import cupy as xp

from rnnlm.backend.cuda import blas, cells, dropout, output, rows, skinny, update, window
from rnnlm.backend.cuda.graphs import Recorder, beside, idle, join, joined, later

__all__ = [
    "ATTEMPTS", "RECORDS", "SCORES", "SCORES_ONCE", "TWINS", "Recorder",
    "asarray", "asnumpy", "batch_matmul", "beside", "describe", "elementwise", "join", "joined", "later", "matmul",
    "memory", "multiplier", "one_blas_thread", "place", "quiet", "remarks", "resident", "scale_", "synchronize",
    "trouble", "xp",
]  # fmt: skip

Array = Any
RECORDS = True  # whether launches can be recorded and replayed
_precision = "fp32"
BF16_FROM = 80  # compute capability, times ten, that has bfloat16 products
SCORES = SCORES_ONCE = 1 << 24  # most scores in memory at once: 64 MiB of float32


def trouble(device: str, precision: str) -> str | None:
    """Select a GPU and return why this backend can't run on it; None if it can: a kernel and a product are tried.

    Args:
        device: number of the GPU, used from now on in this thread.
        precision: of float32 products from now on, 'fp32', 'tf32' or 'bf16'.
    """
    if not xp.is_available():
        return "CuPy found no NVIDIA GPU it can use: check that nvidia-smi lists a device"
    try:
        count = xp.cuda.runtime.getDeviceCount()
        if not device.isdecimal() or int(device) >= count:
            there = f"the {count} GPUs, cuda:0 to cuda:{count - 1}"
            return f"RNNLM_DEVICE must be one of {there}, got cuda:{device}: set another"
        xp.cuda.Device(int(device)).use()
        if precision == "bf16" and int(xp.cuda.Device().compute_capability) < BF16_FROM:
            return "RNNLM_PRECISION bf16 needs a GPU of compute capability 8.0 or later: set tf32 or fp32"
        _set_precision(precision)
        one = xp.ones((2, 2), xp.float32)  # for a product of single numbers CuPy does not call cuBLAS
        float(xp.matmul(one, one + one)[0, 0])
    except Exception as error:  # each library that can be missing or too old raises its own exceptions
        return f"CuPy can't compute on the GPU ({str(error).strip().splitlines()[0]}): install CUDA's libraries with it"
    return None


def _set_precision(precision: str) -> None:
    """Set the precision of float32 products. fp32 is CuPy's default; others take an undocumented call, because the
    documented variable, CUPY_TF32, is read only once, perhaps before now."""
    global _precision
    _precision = precision
    if precision == "tf32" or os.environ.get("CUPY_TF32"):
        from cupy._core import _routines_linalg as products

        kind = "TF32" if precision == "tf32" else "DEFAULT"  # of bf16 CuPy's products know nothing: they stay exact
        products.set_compute_type("f", getattr(products, f"COMPUTE_TYPE_{kind}"))


def describe() -> str:
    """Return the library, the device and the precision of float32 products as text."""
    device = xp.cuda.Device().id
    name = xp.cuda.runtime.getDeviceProperties(device)["name"].decode()
    return f"CuPy {xp.__version__} on {name} (cuda:{device}), {_precision}"


def memory() -> int | None:
    """Return the device's memory in bytes."""
    return int(xp.cuda.runtime.getDeviceProperties(xp.cuda.Device().id)["totalGlobalMem"])


def remarks() -> list[str]:
    """Return warnings about what slows this backend down here: always none."""
    return []


def asarray(a: Any, dtype: Any = None) -> Array:
    """Convert a host array to an array of this backend: a copy to the device."""
    return xp.asarray(a, dtype)


def resident(ids: Any) -> Array:
    """Return ids in the memory from which the backend reads windows: a copy on the device."""
    return xp.asarray(ids, xp.int32)


def asnumpy(a: Any) -> Any:
    """Convert an array of this backend to a NumPy array; waits for the device."""
    return xp.asnumpy(a)


def synchronize() -> None:
    """Wait until the device has finished all work of the current stream."""
    xp.cuda.get_current_stream().synchronize()


class quiet:
    """A context without warnings of overflow and NaN; a no-op, because a GPU gives none."""

    def __enter__(self) -> None: ...

    def __exit__(self, *exception: object) -> None: ...


one_blas_thread = quiet()  # a no-op: the host computes no products


def place(a: Array) -> tuple[int, tuple[int, ...]]:
    """Return the address of an array and its shape."""
    return a.data.ptr, a.shape


def matmul(a: Array, b: Array, out: Array, add: bool = False) -> None:
    """Do out = a b, or out += a b.  a (M, K), b (K, N), out (M, N)"""
    if blas.product(a, b, out, add, _precision):
        return
    if add:
        out += xp.matmul(a, b)
    else:
        xp.matmul(a, b, out=out)


def batch_matmul(a: Array, b: Array) -> Array:
    """Return the N products of (N, M, K) and (N, K, L), (N, M, L). CuPy's batched product needs contiguous arrays."""
    return xp.matmul(xp.ascontiguousarray(a), xp.ascontiguousarray(b))


def multiplier(W: Array, rows: int, times: int) -> Callable[[Array, Array], None]:
    """Return multiply(a, out), which writes a W to `out`, for a (rows, K); it will be called `times` times."""
    idle()
    if skinny.pays(W, rows, times):
        return skinny.multiplier(W, rows)
    whole = W.flags.c_contiguous or W.flags.f_contiguous
    if not whole and (blas.library() is None or blas.layout(W) is None):
        W = xp.ascontiguousarray(W)  # once, instead of at every step
    return lambda a, out: matmul(a, W, out)


def scale_(a: Array, factor: Array) -> None:
    """Do a *= factor in place, without waiting for the device to test whether it is 1."""
    a *= factor


def elementwise(function: Callable[..., object], *arrays: Array) -> None:
    """Call function(*arrays); on a GPU the arrays are not split."""
    function(*arrays)


TWINS: dict[str, Callable[..., Any]] = {  # name of a plain function -> the function that launches its kernel
    "gru_after_backward": cells.gru_after_backward,
    "gru_after_forward": cells.gru_after_forward,
    "gru_reset": cells.gru_reset,
    "gru_reset_backward": cells.gru_reset_backward,
    "gru_update": cells.gru_update,
    "gru_update_backward": cells.gru_update_backward,
    "lstm_backward": cells.lstm_backward,
    "lstm_forward": cells.lstm_forward,
    "rnn_backward": cells.rnn_backward,
    "rnn_forward": cells.rnn_forward,
    "draw_mask": dropout.draw_mask,
    "exp_scores": output.exp_scores,
    "mean_loss": output.mean_loss,
    "output_factors": output.output_factors,
    "scale_rows": output.scale_rows,
    "softmax_gradient": output.softmax_gradient,
    "weigh_targets": output.weigh_targets,
    "add_rows": rows.add_rows,
    "read_window": rows.read_window,
    "adam_step": update.adam_step,
    "asgd_step": update.asgd_step,
    "momentum_step": update.momentum_step,
    "norm_and_factor": update.norm_and_factor,
    "note_step": update.note_step,
    "sgd_step": update.sgd_step,
}
ATTEMPTS: dict[str, Callable[..., bool]] = {  # the same for some arguments only; False if it did nothing
    "gru_after_window_backward": window.gru_after_window_backward,
    "gru_after_window_forward": window.gru_after_window_forward,
    "lstm_window_backward": window.lstm_window_backward,
    "lstm_window_forward": window.lstm_window_forward,
    "rnn_window_backward": window.rnn_window_backward,
    "rnn_window_forward": window.rnn_window_forward,
}
