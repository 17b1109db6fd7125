"""The text of kernels, as the compiler gets it."""

from pathlib import Path

__all__ = ["MODULES", "REALS", "THREADS", "WINDOWS", "source"]

FOLDER = Path(__file__).parent
MODULES = ("cells", "dropout", "layout", "output", "rows", "update")
WINDOWS = ("gru_window", "lstm_window", "rnn_window")  # in float32, each compiled for the sizes it is to run at
REALS = {"float32": "float", "float64": "double"}  # dtypes that there are kernels for, and what C++ calls them
THREADS = 256  # of a block


def source(module: str, dtype: str, sizes: tuple[tuple[str, int], ...] = (("THREADS", THREADS),)) -> str:
    """The kernels of one of `MODULES` or `WINDOWS`, or skinny.cuh, for one of the dtypes in `REALS`, in one text.

    Args:
        module, dtype: of which, and for which.
        sizes: what is known when it is compiled, by its name in the text.
    """
    defines = "".join(f"#define {name} {value}\n" for name, value in (("REAL", REALS[dtype]), *sizes))
    shared = "window" if module in WINDOWS else "reduce"
    return "\n".join(
        [defines, *((FOLDER / f"{name}.cuh").read_text(encoding="utf-8") for name in ("device", shared, module))]
    )
