"""The one place that knows which array library runs.

    from rnnlm.backend import xp, ops

`xp` is NumPy or CuPy. `ops` holds the few operations that the two libraries spell or speed differently, under the same
names in `cpu/ops.py` and `cuda/ops.py`. Nothing outside this folder asks which library it is.

The environment is read once, when this module is first imported:

    RNNLM_BACKEND      'numpy', the default, or 'cupy'
    RNNLM_DEVICE       'cpu', 'cuda', or 'cuda:1' and so on for another GPU than the first; more exact, so it wins
    RNNLM_PRECISION    of float32 products on a GPU: 'fp32', the default, 'tf32' or 'bf16', whose factors have 10 and 7
                       bits after the first, where fp32 has 23
    RNNLM_FUSED        0 for the plain text of every function that has a faster twin

A GPU is chosen for the thread that imports this module first, as CuPy has it. A program that computes in several
threads takes `CUDA_VISIBLE_DEVICES` instead, so that the GPU it wants is the first in all of them.
"""

import importlib
import os
from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar

from rnnlm.errors import BackendError

__all__ = ["FUSED", "NAME", "TWINS", "Array", "accelerated", "ops", "xp"]

BACKENDS = {"numpy": "cpu", "cupy": "cuda"}  # and where each of them runs


def _setting(name: str, *allowed: str) -> str:
    """A variable of the environment, the first of those allowed unless set."""
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
    """The module of operations for a backend, checked to be usable."""
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

TWINS: dict[str, Callable[..., Any]] = ops.TWINS if SETTINGS["RNNLM_FUSED"] == "1" else {}  # by the plain one's name
FUSED: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {}  # name -> (plain, fused), for parity tests
ATTEMPTS: dict[str, Callable[..., bool]] = ops.ATTEMPTS if SETTINGS["RNNLM_FUSED"] == "1" else {}
F = TypeVar("F", bound=Callable[..., Any])


def accelerated(plain: F) -> F:
    """Decorator: use the backend's fused twin if its table `TWINS` has one, and remember the pair in `FUSED`.

    The decorated function is the equation, and the oracle its twin is tested against. A twin of the table `ATTEMPTS`
    serves some arguments only, and the decorated function the others.
    """
    attempt = ATTEMPTS.get(plain.__name__)
    fused: Any = TWINS.get(plain.__name__) if attempt is None else _either(attempt, plain)
    if fused is None:
        return plain
    FUSED[plain.__name__] = (plain, fused)
    return fused


def _either(attempt: Callable[..., bool], plain: Callable[..., Any]) -> Callable[..., None]:
    """A function that calls `plain` where `attempt` has done nothing, and says so by False."""

    @wraps(plain)
    def either(*args: Any, **options: Any) -> None:
        if not attempt(*args, **options):
            plain(*args, **options)

    return either
