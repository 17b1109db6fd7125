"""rnnlm against PyTorch and against plain code, on the same work: training, scoring, generating.

    python -m benchmarks.versus                     every case, every contestant that is installed
    python -m benchmarks.versus book-rnn score --seconds 5 --json out.json --plot out.png
    python -m benchmarks.versus --device cuda --precision tf32           the training cases on an NVIDIA GPU

First all contestants compute the same numbers from the same weights, and must agree. Then they take turns: a round is a
burst of steps by each, one after another, so that a change in the machine's speed meets all alike. Figures are medians
over rounds of tokens per second; the floor is the step's matrix products at the rate that a large product of NumPy
reaches in the same run. Memory is the peak of a process that did nothing but steps.

On a GPU inputs are there before, nothing is read back, and a burst ends when the device has done all of it; its own
clock runs along. PyTorch is eager, compiled, and a whole step as one CUDA graph, with cuDNN's recurrent layers.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from benchmarks.cases import CASES
from benchmarks.contestants import CONTESTANTS
from benchmarks.measure import NotTheSameWork, Place, measure
from benchmarks.report import LEGEND, draw, head, remarks, row
from benchmarks.worker import WorkerFailed

ROUNDS = 9


def options_of(arguments):
    """The command line, checked."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.versus", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("cases", nargs="*", help=f"of {', '.join(CASES)}; all unless given")
    parser.add_argument("--contestants", nargs="+", choices=CONTESTANTS, help="all that are installed unless given")
    parser.add_argument("--seconds", type=float, default=1.0, help="length of a burst; one step at least")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="fewer are done where one takes long")
    parser.add_argument("--json", type=Path, help="write all figures to this file")
    parser.add_argument("--plot", type=Path, help="write a picture to this file")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--precision", choices=("fp32", "tf32"), default="fp32", help="of products on a GPU")
    options = parser.parse_args(arguments)
    if options.device == "cpu" and options.precision != "fp32":
        parser.error("precision tf32 takes --device cuda")
    options.place = Place(options.device, options.precision)
    for name in options.cases:
        if name not in CASES:
            parser.error(f"case must be one of {', '.join(CASES)}, got {name!r}")
    if options.rounds < 1 or not options.seconds > 0:
        parser.error("rounds and seconds must be positive")
    if options.device == "cuda":
        if any(CASES[name].task != "training" for name in options.cases):
            parser.error("the cases for a GPU are those of training")
        options.cases = options.cases or [name for name, case in CASES.items() if case.task == "training"]
    elif "torch-graph" in (options.contestants or []):
        parser.error("torch-graph takes --device cuda")
    able = [name for name in CONTESTANTS if name != "torch-graph" or options.device == "cuda"]
    installed = [name for name in able if "torch" not in name or find_spec("torch")]
    chosen = options.contestants or installed
    options.contestants = list(dict.fromkeys(["ours", *chosen]))  # ours is what all are held against
    options.cases = [CASES[name] for name in options.cases or CASES]
    return options


def versions(*names):
    """Those of the distributions that are installed."""
    found = {}
    for name in names:
        with suppress(PackageNotFoundError):
            found[name] = version(name)
    return found


def gpu():
    """Name, driver and clocks of the GPU, as nvidia-smi has them."""
    asked = "name,driver_version,clocks.sm,clocks.max.sm,clocks.mem"
    try:
        told = subprocess.run(
            ["nvidia-smi", f"--query-gpu={asked}", "--format=csv,noheader"], capture_output=True, text=True
        )
    except FileNotFoundError:
        return None
    return told.stdout.strip() or None


def processor():
    """The processor's name, as the system has it."""
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or None


def backend():
    """What rnnlm says that it computes with: NumPy, BLAS and its kernels; asked in a process of its own."""
    code = "from rnnlm.backend import ops; print('; '.join([ops.describe(), *ops.remarks()]))"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


def cuda_versions():
    """Those of CUDA and cuDNN that PyTorch brings; asked in a process of its own, as all else."""
    code = "import torch; print(torch.version.cuda, torch.backends.cudnn.version())"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    return told.stdout.strip() or None


def machine(device):
    """What the figures were measured with."""
    return {
        "machine": platform.machine(),
        "processor": processor(),
        "cpu_count": os.cpu_count(),
        "python": platform.python_version(),
        "backend": backend(),
        **versions("numpy", "torch", "cupy-cuda12x", "cupy-cuda13x"),
        **({"gpu": gpu(), "cuda": cuda_versions()} if device == "cuda" else {}),
    }


def main(arguments=None):
    """Measure, print, write; returns the exit status."""
    options = options_of(arguments)
    results, with_what = [], machine(options.device)
    print(f"{with_what['processor']}, {with_what['cpu_count']} cores; {with_what['backend']}\n")
    print(head(options.device), flush=True)
    for case in options.cases:
        try:
            results.append(measure(case, options.contestants, options.seconds, options.rounds, options.place))
        except (NotTheSameWork, WorkerFailed) as error:
            print(f"error: {error}", file=sys.stderr)
            return 1
        print(row(results[-1]), flush=True)
        if options.json:  # after each case: the next may take long
            options.json.write_text(json.dumps({**with_what, "results": results}, indent=2) + "\n")
    print("\n".join(["", LEGEND, *remarks(results)]))
    if options.plot:
        draw(results, options.plot)
    return 0


if __name__ == "__main__":
    sys.exit(main())
