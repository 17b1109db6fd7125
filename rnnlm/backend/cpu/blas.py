"""The BLAS library that NumPy uses: its name, version and kernels."""

import os
import subprocess
import sys
from functools import cache
from typing import Any

__all__ = ["describe_blas", "forced_kernels", "kernels", "libraries"]

FORCING = "OPENBLAS_CORETYPE"  # makes OpenBLAS use the kernels for another processor
ASKING = "import numpy; from rnnlm.backend.cpu.blas import kernels; print(kernels())"


@cache
def libraries() -> list[Any]:
    """Return threadpoolctl's controllers of the BLAS libraries in this process."""
    from threadpoolctl import ThreadpoolController

    return [library for library in ThreadpoolController().lib_controllers if library.user_api == "blas"]


def kernels() -> str:
    """Return the processor architecture of BLAS's kernels, by its own name; empty if unknown."""
    return next((str(name) for library in libraries() if (name := library.info().get("architecture"))), "")


def describe_blas() -> str:
    """Return name, version and kernels as text, to report with measured speeds."""
    known = [library.info() for library in libraries()]
    if not known:
        return "BLAS unknown"
    version = f" {known[0]['version']}" if known[0].get("version") else ""
    return f"{known[0]['internal_api']}{version}" + (f" with {kernels()} kernels" if kernels() else "")


def forced_kernels() -> str | None:
    """Return a warning if the environment makes BLAS use other kernels than its default, found by a new process."""
    forced = os.environ.get(FORCING)
    if not forced:
        return None
    free = {name: value for name, value in os.environ.items() if name != FORCING}
    asked = subprocess.run([sys.executable, "-c", ASKING], env=free, capture_output=True, text=True, check=False)
    own = asked.stdout.strip()
    if not own or own == kernels():
        return None
    return f"{FORCING}={forced} forces {kernels()} kernels; without it BLAS takes {own}: unset it to measure speed"
