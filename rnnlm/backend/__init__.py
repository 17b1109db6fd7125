"""The array library, NumPy or CuPy; code outside this folder does not depend on which.

    from rnnlm.backend import xp, ops

`xp` is NumPy or CuPy. `ops` holds the few operations whose names or fast implementations differ between the two, under
the same names in `cpu/ops.py` and `cuda/ops.py`.

The environment is read once, when this module is first imported:

    RNNLM_BACKEND      'numpy', the default, or 'cupy'
    RNNLM_DEVICE       'cpu', 'cuda', or 'cuda:1' and so on for another GPU than the first; overrides RNNLM_BACKEND
    RNNLM_PRECISION    of float32 products on a GPU: 'fp32', the default, 'tf32' or 'bf16', which round the factors to
                       10 and 7 bits of mantissa, of 23
    RNNLM_FUSED        0 for the plain version of every function that has a faster one

As CuPy does, this selects the GPU only for the thread that first imports this module. A program that computes in
several threads should set `CUDA_VISIBLE_DEVICES` instead, so that its GPU is the first one in all threads.
"""

import importlib
import os
from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar

from rnnlm.errors import BackendError

__all__ = ["FUSED", "NAME", "TWINS", "Array", "accelerated", "ops", "xp"]

BACKENDS = {"numpy": "cpu", "cupy": "cuda"}  # to the device on which each runs


def _setting(name: str, *allowed: str) -> str:
    """Return an environment variable, checked to be one of `allowed`, whose first value is the default."""
    value = os.environ.get(name) or allowed[0]
    if value not in allowed:
        raise BackendError(f"{name} must be one of {', '.join(allowed)}, got {value!r}")
    return value


SETTINGS = {
    "RNNLM_DEVICE": os.environ.get("RNNLM_DEVICE") or BACKENDS[_setting("RNNLM_BACKEND", *BACKENDS)],
    "RNNLM_PRECISION": _setting("RNNLM_PRECISION", "fp32", "tf32", "bf16"),
    "RNNLM_FUSED": _setting("RNNLM_FUSED", "1", "0"),
}
_KIND, _, _NUMBER = SETTINGS["RNNLM_DEVICE"].partition(":")
NAME = {kind: name for name, kind in BACKENDS.items()}.get(_KIND, _KIND)


def _load(name: str) -> Any:
    """Return the module of operations for a backend, after checking that the backend works."""
    if name not in BACKENDS or (name == "numpy" and _NUMBER):
        raise BackendError(f"RNNLM_DEVICE must be cpu, cuda, or cuda:1 and so on, got {SETTINGS['RNNLM_DEVICE']!r}")
    if name == "numpy" and SETTINGS["RNNLM_PRECISION"] != "fp32":
        lower = SETTINGS["RNNLM_PRECISION"]
        raise BackendError(f"RNNLM_PRECISION {lower} is for a GPU: set RNNLM_DEVICE=cuda, or leave it at fp32")
    try:
        module = importlib.import_module(f"rnnlm.backend.{BACKENDS[name]}.ops")
    except ImportError as error:
        raise BackendError(
            f"a GPU needs CuPy, which can't be imported ({error}): install it with pip install 'rnnlm[cuda13]' (or "
            "'rnnlm[cuda12]', as your driver has it), or stay on the CPU: RNNLM_DEVICE=cpu"
        ) from error
    trouble = module.trouble(_NUMBER or "0", SETTINGS["RNNLM_PRECISION"])
    if trouble:
        raise BackendError(
            "CuPy needs an NVIDIA GPU and CUDA's libraries (pip install 'rnnlm[cuda13]' or 'rnnlm[cuda12]'). "
            f"{trouble}, or stay on the CPU: RNNLM_DEVICE=cpu"
        )
    return module


ops = _load(NAME)
xp: Any = ops.xp

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]
else:
    Array = xp.ndarray

TWINS: dict[str, Callable[..., Any]] = ops.TWINS if SETTINGS["RNNLM_FUSED"] == "1" else {}  # plain name -> fused
FUSED: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {}  # name -> (plain, fused), for parity tests
ATTEMPTS: dict[str, Callable[..., bool]] = ops.ATTEMPTS if SETTINGS["RNNLM_FUSED"] == "1" else {}
F = TypeVar("F", bound=Callable[..., Any])


def accelerated(plain: F) -> F:
    """Decorator: replace a function by the backend's fused version, if `TWINS` has one, and record both in `FUSED`.

    The decorated function states the equation, and is the reference in tests of the fused version. Functions in
    `ATTEMPTS` handle only some arguments; the decorated function handles the others.
    """
    attempt = ATTEMPTS.get(plain.__name__)
    fused: Any = TWINS.get(plain.__name__) if attempt is None else _either(attempt, plain)
    if fused is None:
        return plain
    FUSED[plain.__name__] = (plain, fused)
    return fused


def _either(attempt: Callable[..., bool], plain: Callable[..., Any]) -> Callable[..., None]:
    """Return a function that calls `attempt`, and `plain` if that returns False, having done nothing."""

    @wraps(plain)
    def either(*args: Any, **options: Any) -> None:
        if not attempt(*args, **options):
            plain(*args, **options)

    return either
