"""The text of kernels, as the compiler gets it."""

from functools import cache
from pathlib import Path

__all__ = ["MODULES", "REALS", "THREADS", "source"]

FOLDER = Path(__file__).parent
MODULES = ("cells", "dropout", "output", "rows", "update")
REALS = {"float32": "float", "float64": "double"}  # dtypes that there are kernels for, and what C++ calls them
THREADS = 256  # of a block


@cache
def source(module: str, dtype: str, device: str | None = None) -> str:
    """The kernels of one module for one dtype, complete in one text.

    Args:
        module: of `MODULES`.
        dtype: of `REALS`.
        device: the words that kernels are written in; those of `device.cuh` unless given.
    """
    words = (FOLDER / "device.cuh").read_text() if device is None else device
    defines = f"#define REAL {REALS[dtype]}\n#define THREADS {THREADS}\n"
    return "\n".join([defines, words, *((FOLDER / f"{name}.cuh").read_text() for name in ("reduce", module))])
