"""rnnlm against PyTorch and against plain code, on the same work: training, scoring, generating.

    python -m benchmarks.versus                     every case, every contestant that is installed
    python -m benchmarks.versus book-rnn score --seconds 5 --json out.json --plot out.png

First all contestants compute the same numbers from the same weights, and must agree. Then they take turns: a round is a
burst of steps by each, one after another, so that a change in the machine's speed meets all alike. Figures are medians
over rounds of tokens per second; the floor is the step's matrix products at the rate that a large product of NumPy
reaches in the same run. Memory is the peak of a process that did nothing but steps.
"""

import argparse
import json
import os
import platform
import sys
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from benchmarks.cases import CASES
from benchmarks.contestants import CONTESTANTS
from benchmarks.measure import NotTheSameWork, measure
from benchmarks.report import HEAD, LEGEND, draw, remarks, row
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
    options = parser.parse_args(arguments)
    for name in options.cases:
        if name not in CASES:
            parser.error(f"case must be one of {', '.join(CASES)}, got {name!r}")
    if options.rounds < 1 or not options.seconds > 0:
        parser.error("rounds and seconds must be positive")
    installed = [name for name in CONTESTANTS if "torch" not in name or find_spec("torch")]
    chosen = options.contestants or installed
    options.contestants = list(dict.fromkeys(["ours", *chosen]))  # ours is what all are held against
    options.cases = [CASES[name] for name in options.cases or CASES]
    return options


def machine():
    """What the figures were measured with."""
    libraries = {name: version(name) for name in ("numpy", "torch") if find_spec(name)}
    return {
        "machine": platform.machine(),
        "cpu_count": os.cpu_count(),
        "python": platform.python_version(),
        **libraries,
    }


def main(arguments=None):
    """Measure, print, write; returns the exit status."""
    options = options_of(arguments)
    results = []
    print(HEAD, flush=True)
    for case in options.cases:
        try:
            results.append(measure(case, options.contestants, options.seconds, options.rounds))
        except (NotTheSameWork, WorkerFailed) as error:
            print(f"error: {error}", file=sys.stderr)
            return 1
        print(row(results[-1]), flush=True)
        if options.json:  # after each case: the next may take long
            options.json.write_text(json.dumps({**machine(), "results": results}, indent=2) + "\n")
    print("\n".join(["", LEGEND, *remarks(results)]))
    if options.plot:
        draw(results, options.plot)
    return 0


if __name__ == "__main__":
    sys.exit(main())
