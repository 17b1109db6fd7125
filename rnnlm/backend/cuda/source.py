"""The source text of kernels, assembled for the compiler."""

from pathlib import Path

__all__ = ["MODULES", "REALS", "THREADS", "WINDOWS", "source"]

FOLDER = Path(__file__).parent
MODULES = ("cells", "dropout", "layout", "output", "rows", "update")
WINDOWS = ("gru_window", "lstm_window", "rnn_window")  # in float32, each compiled for its sizes
REALS = {"float32": "float", "float64": "double"}  # supported dtypes -> types of C++
THREADS = 256  # of a block


def source(module: str, dtype: str, sizes: tuple[tuple[str, int], ...] = (("THREADS", THREADS),)) -> str:
    """Return the complete source of a module of kernels for one dtype.

    Args:
        module: one of `MODULES` or `WINDOWS`, or 'skinny'.
        dtype: one of `REALS`.
        sizes: compile-time constants by their names in the source.
    """
    defines = "".join(f"#define {name} {value}\n" for name, value in (("REAL", REALS[dtype]), *sizes))
    shared = "window" if module in WINDOWS else "reduce"
    return "\n".join(
        [defines, *((FOLDER / f"{name}.cuh").read_text(encoding="utf-8") for name in ("device", shared, module))]
    )
