"""Our training step against PyTorch's and against plain code, on the same work.

    python -m benchmarks.versus                     every case, every contestant that is installed
    python -m benchmarks.versus book-rnn --seconds 5 --json out.json

Each contestant runs in a process of its own, because thread pools of different libraries get in each other's way.
First all of them compute loss and gradients of one window from the same weights, and must agree. Then they take turns:
a round is a burst of steps by each, one after another, so that a change in the machine's speed meets all alike. Figures
are medians over rounds of tokens per second; the floor is the step's matrix products at the rate that a large product
of NumPy reaches in the same run.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from time import perf_counter

import numpy as np

from benchmarks.cases import CASES
from benchmarks.contestants import CONTESTANTS

ROUNDS = 9
TOLERANCE = 1e-4  # of each gradient's largest entry: float32 sums in another order
ROOT = Path(__file__).parent.parent


class Worker:
    """A contestant in its own process, which does what a line on its standard input says."""

    def __init__(self, contestant, case):
        command = [sys.executable, "-m", "benchmarks.versus", "--worker", contestant, case]
        self.process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, *words):
        print(*words, file=self.process.stdin, flush=True)
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"the process {self.process.args} ended with {self.process.wait()}")
        return json.loads(line)

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def work(contestant, case):
    """A worker's life."""
    windows, runner, number = case.windows(), CONTESTANTS[contestant](case), 0
    for line in sys.stdin:
        task, argument = line.split()
        if task == "gradients":
            loss, grads = runner.gradients(*windows[0])
            np.savez(argument, **grads)
            answer = loss
        elif task == "steps":
            start = perf_counter()
            for _ in range(int(argument)):
                runner.step(*windows[number % len(windows)])
                number += 1
            answer = perf_counter() - start
        else:
            answer = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps(answer), flush=True)


def prove_same_work(workers):
    """Stop unless all contestants give the same loss and gradients for the same weights and window."""
    results = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, worker in workers.items():
            path = f"{folder}/{name}.npz"
            results[name] = worker.ask("gradients", path), dict(np.load(path))
    loss, grads = results["ours"]
    for name, (its_loss, its_grads) in results.items():
        assert abs(its_loss - loss) <= TOLERANCE * loss, f"{name}: loss {its_loss}, ours {loss}"
        for key, g in grads.items():
            error = np.abs(its_grads[key] - g).max() / np.abs(g).max()
            assert error <= TOLERANCE, f"{name}: gradient of {key} differs by {error} of its largest entry"


def product_rate():
    """Floating-point operations per second of a large float32 product, the best of ten."""
    a = np.random.default_rng(0).standard_normal((2048, 2048), np.float32)
    times = []
    for _ in range(10):
        start = perf_counter()
        a @ a
        times.append(perf_counter() - start)
    return 2 * 2048**3 / min(times)


def measure(case, names, seconds):
    """Tokens per second of each contestant in each round, peak memory in MiB, and the floor's tokens per second."""
    workers = {name: Worker(name, case.name) for name in names}
    prove_same_work(workers)
    steps = {name: max(1, int(seconds / (worker.ask("steps", 3) / 3))) for name, worker in workers.items()}
    rates, floors = {name: [] for name in names}, []
    for _ in range(ROUNDS):
        floors.append(product_rate() / case.product_operations * case.tokens)
        for name, worker in workers.items():
            rates[name].append(steps[name] * case.tokens / worker.ask("steps", steps[name]))
    memory = {name: worker.ask("memory", 0) for name, worker in workers.items()}
    for worker in workers.values():
        worker.close()
    return {"case": case.name, "tokens_per_second": rates, "peak_mib": memory, "floor": max(floors)}


def table(results):
    """The results in Markdown."""
    lines = [
        "| case | contestant | tokens/s | spread | ours over it | peak MiB |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for result in results:
        ours = np.array(result["tokens_per_second"]["ours"])
        for name, rates in result["tokens_per_second"].items():
            ratio = np.median(ours / np.array(rates))
            lines.append(
                f"| {result['case']} | {name} | {np.median(rates):,.0f} | {min(rates):,.0f} to {max(rates):,.0f} "
                f"| {ratio:.2f} | {result['peak_mib'][name]:.0f} |"
            )
        share = np.median(ours) / result["floor"]
        lines.append(f"| {result['case']} | floor | {result['floor']:,.0f} | | {share:.2f} | |")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="*", default=[], help=f"of {', '.join(CASES)}; all unless given")
    parser.add_argument("--contestants", nargs="+", choices=CONTESTANTS)
    parser.add_argument("--seconds", type=float, default=1.0, help="length of a burst")
    parser.add_argument("--json", type=Path, help="write all figures to this file")
    parser.add_argument("--worker", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        work(options.worker[0], CASES[options.worker[1]])
        return
    for name in set(options.cases) - set(CASES):
        parser.error(f"case must be one of {', '.join(CASES)}, got {name!r}")
    installed = [name for name in CONTESTANTS if "torch" not in name or find_spec("torch")]
    contestants = list(
        dict.fromkeys(["ours", *(options.contestants or installed)])
    )  # ours is what all are held against
    results = []
    for name in options.cases or CASES:
        results.append(measure(CASES[name], contestants, options.seconds))
        print(table(results[-1:]), flush=True)
    if options.json:
        report = {"cpu_count": os.cpu_count(), "numpy": np.__version__, "results": results}
        options.json.write_text(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    main()
