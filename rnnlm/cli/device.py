"""Choose the device of a command line program before the array library is imported."""

import os
import re
import sys

from rnnlm.errors import BackendError, InputError

__all__ = ["choose"]


def choose(device: str | None, precision: str | None) -> None:
    """Set the environment variables that `rnnlm.backend` reads on import; None leaves one unchanged.

    Args:
        device: 'cpu', 'cuda', or 'cuda:1' and so on for another GPU than the first.
        precision: precision of float32 products: 'fp32', 'tf32' or 'bf16'.

    Raises:
        InputError: no such device or precision, or tf32 or bf16 without a GPU.
        BackendError: the array library is already imported, with other settings.
    """
    if precision not in (None, "fp32", "tf32", "bf16"):
        raise InputError(f"precision must be fp32, tf32 or bf16, got {precision!r}")
    on_cpu = (device or os.environ.get("RNNLM_DEVICE") or os.environ.get("RNNLM_BACKEND") or "cpu") in ("cpu", "numpy")
    if precision not in (None, "fp32") and on_cpu:
        raise InputError(f"precision {precision} is for a GPU: add --device cuda")
    wanted = {}
    if precision is not None:
        wanted["RNNLM_PRECISION"] = precision
    if device is not None:
        if re.fullmatch(r"cpu|cuda(:\d+)?", device) is None:
            raise InputError(f"device must be cpu, cuda, or cuda:1 and so on, got {device!r}")
        wanted["RNNLM_DEVICE"] = device
    loaded = sys.modules.get("rnnlm.backend")
    given = {} if loaded is None else loaded.SETTINGS
    for name, value in wanted.items():
        if _full(given.get(name, value)) != _full(value):
            raise BackendError(f"{name} must be {value!r} from the start: this process has begun with {given[name]!r}")
    os.environ.update(wanted)


def _full(value: str) -> str:
    return "cuda:0" if value == "cuda" else value
