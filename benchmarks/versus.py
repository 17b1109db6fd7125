"""rnnlm against PyTorch, ONNX Runtime and plain code, on the same work: training, scoring, generating.

    python -m benchmarks.versus                     every case, every contestant that is installed
    python -m benchmarks.versus book-rnn score --seconds 5 --json out.json --plot out.png
    python -m benchmarks.versus --twice             every case again after the last, and how far ratios are apart
    python -m benchmarks.versus --device cuda --precision tf32           the training cases on an NVIDIA GPU

First all contestants compute the same numbers from the same weights, and must agree. Then they take turns: a round is a
burst of steps by each, one after another, so that a change in the machine's speed meets all alike. Figures are medians
over rounds of tokens per second; the floor is the step's matrix products at the rate that a large product of NumPy
reaches in the same run. Memory is the peak of a process that did nothing but steps.

Contestants that are called less exact compute with bfloat16 or int8, which is other work: their losses or scores need
only be near ours, and they are never the best that ours are held against.

On a GPU inputs are there before, nothing is read back, and a burst ends when the device has done all of it; its own
clock runs along. PyTorch is eager, compiled, and a whole step as one CUDA graph, with cuDNN's recurrent layers.
"""

import argparse
import json
import sys
from pathlib import Path

from benchmarks.cases import CASES
from benchmarks.contestants import CONTESTANTS, installed
from benchmarks.machine import OWN_KERNELS, forced_kernels, header, machine
from benchmarks.measure import Place, measure
from benchmarks.proof import NotTheSameWork
from benchmarks.report import LEGEND, draw, head, remarks, row
from benchmarks.worker import WorkerFailed

ROUNDS = 9


def parser_of_options():
    """What the command line may say."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.versus", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("cases", nargs="*", help=f"of {', '.join(CASES)}; all unless given")
    parser.add_argument("--contestants", nargs="+", choices=CONTESTANTS, help="all that are installed unless given")
    parser.add_argument("--seconds", type=float, default=1.0, help="length of a burst; one step at least")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="fewer are done where one takes long")
    parser.add_argument("--twice", action="store_true", help="measure every case two times over")
    parser.add_argument("--json", type=Path, help="write all figures to this file")
    parser.add_argument("--plot", type=Path, help="write a picture to this file")
    parser.add_argument("--forced-kernels", action="store_true", help="measure what OPENBLAS_CORETYPE makes of BLAS")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--precision", choices=("fp32", "tf32"), default="fp32", help="of products on a GPU")
    return parser


def options_of(arguments):
    """The command line, checked."""
    parser = parser_of_options()
    options = parser.parse_args(arguments)
    if options.device == "cpu" and options.precision != "fp32":
        parser.error("precision tf32 takes --device cuda")
    options.place = Place(options.device, options.precision)
    for name in options.cases:
        if name not in CASES:
            parser.error(f"case must be one of {', '.join(CASES)}, got {name!r}")
    if options.rounds < 1 or not options.seconds > 0:
        parser.error("rounds and seconds must be positive")
    for name in options.contestants or []:
        if options.device not in CONTESTANTS[name].devices:
            parser.error(f"{name} takes --device {' or '.join(CONTESTANTS[name].devices)}")
    if why := trouble_with_kernels(options):
        parser.error(why)
    if options.device == "cuda":
        if any(CASES[name].task != "training" for name in options.cases):
            parser.error("the cases for a GPU are those of training")
        options.cases = options.cases or [name for name, case in CASES.items() if case.task == "training"]
    chosen = options.contestants or installed(options.device)
    options.contestants = list(dict.fromkeys(["ours", *chosen]))  # ours is what all are held against
    options.cases = [CASES[name] for name in options.cases or CASES]
    return options


def trouble_with_kernels(options):
    """Why figures that are to be kept would be those of another processor; None if they would not."""
    kept = options.json or options.plot or not options.cases
    if options.device == "cuda" or options.forced_kernels or not kept or not (forced := forced_kernels()):
        return None
    return (
        f"{forced}. The table of all cases, --json and --plot are kept, so take `{OWN_KERNELS} python -m "
        "benchmarks.versus ...`, or add --forced-kernels if these kernels are meant"
    )


def written(with_what, results, path):
    """Write all figures so far."""
    path.write_text(json.dumps({**with_what, "results": results}, indent=2) + "\n")


def main(arguments=None):
    """Measure, print, write; returns the exit status."""
    options = options_of(arguments)
    results, with_what = [], machine(options.device)
    print(f"{header(with_what)}\n")
    print(head(options.device, options.contestants), flush=True)
    for number, case in enumerate(options.cases * (2 if options.twice else 1)):
        try:
            result = measure(case, options.contestants, options.seconds, options.rounds, options.place)
        except (NotTheSameWork, WorkerFailed) as error:
            print(f"error: {error}", file=sys.stderr)
            return 1
        print(row(result, options.contestants), flush=True)
        if number < len(options.cases):
            results.append(result)
        else:
            results[number - len(options.cases)]["again"] = result
        if options.json:  # after each case: the next may take long
            written(with_what, results, options.json)
    print("\n".join(["", LEGEND, *remarks(results)]))
    if options.plot:
        draw(results, options.plot)
    return 0


if __name__ == "__main__":
    sys.exit(main())
