"""The one place that knows which array library runs.

    from rnnlm.backend import xp, ops

`xp` is NumPy or CuPy, as `RNNLM_BACKEND` says ('numpy', the default, or 'cupy'; read once, when this module is first
imported). `ops` holds the few operations that the two libraries spell or speed differently, under the same names in
`numpy_ops.py` and `cupy_ops.py`. Nothing outside this folder asks which library it is.
"""

import importlib
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from rnnlm.errors import BackendError

__all__ = ["FUSED", "NAME", "Array", "accelerated", "ops", "xp"]

BACKENDS = ("numpy", "cupy")
NAME = os.environ.get("RNNLM_BACKEND") or "numpy"


def _load(name: str) -> Any:
    """The module of operations for a backend, checked to be usable."""
    if name not in BACKENDS:
        raise BackendError(f"RNNLM_BACKEND must be one of {', '.join(BACKENDS)}, got {name!r}")
    try:
        module = importlib.import_module(f"rnnlm.backend.{name}_ops")
    except ImportError as error:
        raise BackendError(
            f"RNNLM_BACKEND={name} needs CuPy, which can't be imported ({error}): install it with "
            "pip install 'rnnlm[cuda13]' (or 'rnnlm[cuda12]', as your driver has it), or set RNNLM_BACKEND=numpy"
        ) from error
    trouble = module.trouble()
    if trouble:
        raise BackendError(
            f"RNNLM_BACKEND={name} needs an NVIDIA GPU and CUDA's libraries (pip install 'rnnlm[cuda13]' or "
            f"'rnnlm[cuda12]'). {trouble}, or set RNNLM_BACKEND=numpy"
        )
    return module


ops = _load(NAME)
xp: Any = ops.xp

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]
else:
    Array = xp.ndarray

FUSED: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {}  # name -> (plain, fused), for parity tests
F = TypeVar("F", bound=Callable[..., Any])


def accelerated(plain: F) -> F:
    """Decorator: use the backend's fused kernel of the same name if it has one, and remember the pair in `FUSED`.

    The decorated function is the equation, and the oracle its kernel is tested against.
    """
    fused: F | None = getattr(ops, plain.__name__, None)
    if fused is None or os.environ.get("RNNLM_FUSED") == "0":
        return plain
    FUSED[plain.__name__] = (plain, fused)
    return fused
