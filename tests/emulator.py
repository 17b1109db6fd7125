"""Runs the CUDA kernels' own source on a CPU: the text is compiled by g++ behind the words of `emulator.h`.

`RawModule` is what the stand-in for CuPy offers under that name. It takes arguments as strictly as a kernel would have
to be given them: NumPy scalars of the parameter's own type, arrays of its element type, contiguous, or with a parameter
for the distance of their rows beside them.
"""

import ctypes
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path
from threading import Lock

import numpy as np

WORDS = Path(__file__).with_name("emulator.h").read_text()
WARP = 32
COMPILER = shutil.which("g++") if sys.platform == "linux" else None
FLAGS = ["-std=c++17", "-O2", "-w", "-fPIC", "-shared", "-U_FORTIFY_SOURCE"]
FLAGS += ["-march=native", "-ffp-contract=fast"]  # a product and a sum are rounded once, as on a GPU
MISSING = "needs g++ on Linux to run CUDA kernels on a CPU"
SCALARS = {
    "int": np.int32,
    "long long": np.int64,
    "word": np.uint64,
    "double": np.float64,
    "float": np.float32,
}
BUILT = Path(tempfile.gettempdir()) / f"rnnlm-emulator-{os.getuid()}"


def parameters(text, name):
    """Types and names of a kernel's parameters."""
    (inside,) = re.findall(rf"^KERNEL {name}\(([^)]*)\)", text, re.MULTILINE)
    return [re.fullmatch(r"(?:const )?(.+?)(\*?) (\w+)", " ".join(one.split())).groups() for one in inside.split(",")]


def waits(text, name):
    """Whether a kernel's threads wait for each other: only then need they be fibers."""
    body = text[text.index(f"KERNEL {name}(") :].split("\n}\n", 1)[0]
    return re.search(r"SYNC|SHUFFLE|CLUSTER_WAIT|block_sum|block_max|multiply_rows", body) is not None


def kernels(text):
    """Names of all kernels in a text."""
    return re.findall(r"^KERNEL (\w+)\(", text, re.MULTILINE)


@cache
def compiled(text):
    """The shared library of kernels in `text`, with a function launch_NAME for each."""
    if COMPILER is None:
        raise RuntimeError(MISSING)
    lines = [text]
    for name in kernels(text):
        how = "launch" if waits(text, name) else "launch_independent"
        declared = ", ".join(f"{kind}{star} {own}" for kind, star, own in parameters(text, name))
        call = f"{name}({', '.join(own for *_, own in parameters(text, name))})"
        lines.append(
            f'extern "C" void launch_{name}(int grid, int threads, {declared}) '
            f"{{ emulator::{how}(grid, threads, [=] {{ {call}; }}); }}"
        )
    return ctypes.CDLL(str(_build("\n".join(lines))))


def _build(code):
    """Compile, unless that was done by an earlier run: a file's name is a digest of all that is in it."""
    BUILT.mkdir(mode=0o700, exist_ok=True)
    digest = hashlib.sha256(" ".join([code, *FLAGS]).encode()).hexdigest()
    library = BUILT / f"{digest[:32]}.so"
    if not library.exists():
        unfinished = library.with_suffix(f".{os.getpid()}")
        built = subprocess.run(
            [COMPILER, *FLAGS, "-x", "c++", "-", "-o", unfinished],
            input=code,
            text=True,
            capture_output=True,
            check=False,
        )
        assert built.returncode == 0, built.stderr
        unfinished.rename(library)
    return library


class RawModule:
    """CuPy's RawModule, whose code is written in the words of device.cuh, on NumPy's memory."""

    def __init__(self, code, options=()):
        from rnnlm.backend.cuda.source import FOLDER

        device = (FOLDER / "device.cuh").read_text()
        assert device in code
        self.text = code.replace(device, WORDS)
        self.sized = "#define CLUSTER" in code.replace(device, "")  # which WORDS have, too

    def get_function(self, name):
        """A kernel. One whose threads wait for each other gets a single warp for a block, or the suite would take hours;
        tests of kernels give it its own number. One that is compiled for its sizes has that already."""
        if self.sized or not waits(self.text, name):
            return Kernel(self.text, name)
        return Kernel(re.sub(r"#define THREADS \d+", f"#define THREADS {WARP}", self.text), name, threads=WARP)


ONE_AT_A_TIME = Lock()  # the text of a kernel keeps the numbers of its block and thread in globals


class Kernel:
    """A kernel that can be launched with NumPy arrays, or with the stand-in's."""

    def __init__(self, text, name, threads=None):
        real = re.search(r"#define REAL (\w+)", text)[1]
        self.threads = threads
        self.name, self.parameters = (
            name,
            [(real if kind == "REAL" else kind, bool(star), own) for kind, star, own in parameters(text, name)],
        )
        self.function = getattr(compiled(text), f"launch_{name}")

    def __call__(self, grid, block, args):
        assert len(args) == len(self.parameters), f"{self.name} takes {len(self.parameters)} arguments, got {len(args)}"
        passed = [self._argument(i, value, args) for i, value in enumerate(args)]
        with ONE_AT_A_TIME:
            self.function(ctypes.c_int(*grid), ctypes.c_int(self.threads or block[0]), *passed)

    def _argument(self, i, value, args):
        kind, is_pointer, own = self.parameters[i]
        array = getattr(value, "_a", value)
        if not is_pointer:
            assert type(value) is SCALARS[kind], f"{own} of {self.name} is {kind}, got {type(value)}"
            return np.ctypeslib.as_ctypes_type(SCALARS[kind])(value.item())
        assert isinstance(array, np.ndarray), f"{own} of {self.name} must be an array, got {type(value)}"
        assert array.dtype == SCALARS[kind], f"{own} of {self.name} points to {kind}, got {array.dtype}"
        if not array.flags.c_contiguous:
            following = self.parameters[i + 1][2] if i + 1 < len(args) else ""
            assert following == f"{own}_stride", f"{own} of {self.name} must be contiguous"
            assert array.ndim == 2
            assert array.strides == (args[i + 1] * array.itemsize, array.itemsize), f"{own}: rows elsewhere"
        return ctypes.c_void_p(array.__array_interface__["data"][0])  # .ctypes makes a cycle
