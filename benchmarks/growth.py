"""How the cost of a training step grows with each of its sizes: time, and peak memory of the process.

    python -m benchmarks.growth                         the book's LSTM, each size in turn times 1, 2, 4 and 8
    python -m benchmarks.growth --plot growth.png --json growth.json
    python -m benchmarks.growth --quick                 two tiny sizes of each, one round: does it run?

Each point has a process of its own, as in `benchmarks.scale`, and reads windows spread over an encoded corpus. Points
of one kind take turns, so that a change in the machine's speed meets all alike; times are medians over rounds. A slope
is that of the line from the smallest to the largest on log-log axes: 1 where cost grows as the size does, 2 as its
square. It is held against theory's, and ✗ marks one that is larger by more than a shared machine explains. What a step
costs whatever its size, calls from Python and memory of libraries, makes it smaller.
"""

import argparse
import json
import tempfile
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from time import sleep

from benchmarks.growth_report import GROWTHS, draw, short, table
from benchmarks.measure import say
from benchmarks.scale import Worker, write_corpus
from benchmarks.worker import SETTLE
from rnnlm.cli.process import handled
from rnnlm.drawing import expect_picture_name, new_figure

ROUNDS, SECONDS = 7, 0.25  # bursts of each point, and of each burst about
WINDOWS = 500  # places in the corpus


@dataclass(frozen=True)
class Point:
    """Sizes of a training: N sequences of T time steps, hidden units, words, layers, tokens of the corpus."""

    N: int = 20
    T: int = 35
    H: int = 100
    V: int = 10_000
    layers: int = 1
    corpus: int = 1_000_000


FACTORS = (1, 2, 4, 8)
TINY = Point(2, 3, 8, 200, 1, 20_000)


def points_of(name, quick=False):
    """The points at which one size grows while the others stay."""
    if quick:
        return [replace(TINY, **{name: getattr(TINY, name) * factor}) for factor in FACTORS[:2]]
    return [replace(Point(), **{name: GROWTHS[name].first * factor}) for factor in FACTORS]


# ---------------------------------------------------------------- measuring


def measure(points, folder, rounds, seconds, settle):
    """Of each point milliseconds of a step in each round, their median as "time", and peak MiB as "memory"."""
    with ExitStack() as stack:
        workers = []
        for point in points:
            path = folder / f"{point.corpus}-{point.V}"
            if not path.exists():
                write_corpus(path, point.corpus, point.V)
            sizes = (point.N, point.T, point.H, point.layers)
            workers.append(stack.enter_context(closing(Worker(path, WINDOWS, sizes))))
        counts = [steps_of_a_burst(worker, seconds) for worker in workers]
        times = [[] for _ in workers]
        for _ in range(rounds):
            for worker, count, row in zip(workers, counts, times):
                sleep(settle)
                worker.ask("steps", 1)
                row.append(1e3 * worker.ask("steps", count) / count)
        memory = [worker.ask("facts")["peak"] for worker in workers]
    return {"rounds": times, "time": [median(row) for row in times], "memory": memory}


def steps_of_a_burst(worker, seconds):
    """Steps that take about so many seconds, once memory is taken and threads are awake."""
    worker.ask("steps", 2)
    return max(1, round(seconds / worker.ask("steps", 1)))


def run(options):
    """Measure, print, and write what is asked for."""
    if options.plot:  # what would be refused in the end is refused now
        expect_picture_name(options.plot)
        new_figure(1, 1)
    rounds, seconds, settle = (1, 0.01, 0) if options.quick else (ROUNDS, SECONDS, SETTLE)
    results = {}
    with tempfile.TemporaryDirectory() as folder:
        for name in GROWTHS:
            points = points_of(name, options.quick)
            sizes = [getattr(point, name) for point in points]
            say(f"{GROWTHS[name].title}: {', '.join(map(short, sizes))}")
            results[name] = {"sizes": sizes, **measure(points, Path(folder), rounds, seconds, settle)}
    print(table(results))
    if options.json:
        options.json.write_text(json.dumps(results, indent=2) + "\n")
    if options.plot:
        draw(results, options.plot)


def main():
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--plot", type=Path, help="write a picture to this file")
    parser.add_argument("--json", type=Path, help="write all figures to this file")
    parser.add_argument("--quick", action="store_true", help="two tiny sizes of each, one round")
    options = parser.parse_args()
    return handled(lambda: run(options))


if __name__ == "__main__":
    raise SystemExit(main())
