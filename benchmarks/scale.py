"""Does time per token grow with the corpus, or memory?

    python -m benchmarks.scale                      encoded corpora of 1, 10 and 100 million tokens
    python -m benchmarks.scale --windows 200        less patience
    python -m benchmarks.scale --tokens 1000000 --words 10000 100000 --windows 20        a large vocabulary

Each corpus gets a process of its own, with the book's Rnnlm (LSTM 100) on batches of 20 x 35. They take turns: a round
is a burst of training steps by each, on windows spread evenly over the whole file, so that a change in the machine's
speed meets all alike. Figures are medians over rounds; reading is what it takes to get a window and nothing more.
Anonymous memory is what a process has for itself; the peak also counts pages of files, which the system takes back when
it needs them. How cost grows with the other sizes: `python -m benchmarks.growth`.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from itertools import product
from pathlib import Path
from time import perf_counter

import numpy as np

from benchmarks.worker import ROOT, peak_memory, status
from rnnlm import SGD, Batches, LanguageModel, ModelConfig, Vocabulary, open_corpus
from rnnlm.backend import ops
from rnnlm.data.encoding import write_ids
from rnnlm.training.run import Run

SIZES = (1_000_000, 10_000_000, 100_000_000)
WORDS = 10_000
N, T, D = 20, 35, 100
BOOK = (N, T, 100, 1)  # sequences, time steps, hidden units and layers of the book's Rnnlm
ROUNDS = 10
PIECE = 1 << 20


def zipf_ids(tokens, words, seed=0):
    """Ids distributed like words (the r-th most frequent with probability ~ 1/r), a piece at a time."""
    rng = np.random.default_rng(seed)
    upto = np.cumsum(1 / np.arange(1, words + 1))
    for start in range(0, tokens, PIECE):
        draws = rng.random(min(PIECE, tokens - start), np.float32) * upto[-1]
        yield np.minimum(np.searchsorted(upto, draws), words - 1)


def write_corpus(path, tokens, words):
    """Write an encoded corpus of such ids."""
    write_ids(path, Vocabulary(f"w{i}" for i in range(words)), zipf_ids(tokens, words))


class Spread(Batches):
    """So many windows, spread evenly over all there are, again and again."""

    def __init__(self, ids, windows, N, T):
        super().__init__(ids[:-1], ids[1:], N, T)
        self.stride = max(1, len(self) // windows)

    def window(self, number):
        """Window `number` of those chosen."""
        return super().window(number * self.stride % len(self))


def work(path, windows, N, T, H, layers):
    """A worker's life: it does what a line on its standard input says."""
    start = perf_counter()
    ids, words = open_corpus(path)
    opened = perf_counter() - start
    sizes = {"vocab_size": len(words), "wordvec_size": D, "hidden_size": H, "layers": layers}
    model, spread = LanguageModel(ModelConfig(cell="lstm", **sizes)), Spread(ids, windows, N, T)
    run, read, anonymous = Run(model, SGD(20.0), spread, 0.25), 0, 0.0
    for line in sys.stdin:
        task, count = line.split()
        with ops.one_blas_thread:  # in which a trainer stays
            start = perf_counter()
            for _ in range(int(count)):
                if task == "steps":
                    run.step()
                else:
                    spread.window(read)
                    read += 1
            seconds = perf_counter() - start
        anonymous = max(anonymous, status("RssAnon"))
        facts = {"opened": opened, "anonymous": anonymous, "file": status("RssFile"), "peak": peak_memory()}
        print(json.dumps(facts if task == "facts" else seconds), flush=True)


class Worker:
    """A corpus in its own process, and a model of so many hidden units and layers on batches of so much of it."""

    def __init__(self, path, windows, sizes=BOOK):
        options = ["--windows", windows, "--worker", path, "--sizes", *sizes]
        command = [sys.executable, "-m", "benchmarks.scale", *map(str, options)]
        self.process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, task, count=0):
        """Seconds of so many "steps" or "reads"; the worker's "facts"."""
        print(task, count, file=self.process.stdin, flush=True)
        return json.loads(self.process.stdout.readline())  # no answer is no JSON, and the worker has said why

    def close(self):
        """End it."""
        self.process.communicate()


def measure(sizes, windows, folder):
    """Microseconds per token of each size (tokens, words) in each round, whole steps and reading alone, and memory."""
    workers = {}
    for tokens, words in sizes:
        path = folder / f"{tokens}-{words}"
        write_corpus(path, tokens, words)
        workers[tokens, words] = Worker(path, windows)
    burst = max(1, windows // ROUNDS)
    for worker in workers.values():
        worker.ask("steps", 2)
    times = {task: {size: [] for size in sizes} for task in ("steps", "reads")}
    for _ in range(ROUNDS):
        for task, rows in times.items():
            for size, worker in workers.items():
                rows[size].append(worker.ask(task, burst) / (burst * N * T) * 1e6)
    facts = {size: worker.ask("facts") for size, worker in workers.items()}
    for worker in workers.values():
        worker.close()
    return [
        {"tokens": n[0], "words": n[1], **{task: rows[n] for task, rows in times.items()}, **facts[n]} for n in sizes
    ]


def table(results):
    """The results in Markdown."""
    head = ("tokens", "words", "opened in ms", "µs/token", "ratio", "reading", "anonymous MiB", "file MiB", "peak MiB")
    lines = [f"| {' | '.join(head)} |", "|" + " --- |" * len(head)]
    for r in results:
        ratio = np.median(np.array(r["steps"]) / np.array(results[0]["steps"]))
        cells = [
            f"{r['tokens']:,}",
            f"{r['words']:,}",
            f"{r['opened'] * 1e3:.1f}",
            f"{np.median(r['steps']):.1f}",
            f"{ratio:.3f}",
        ]
        cells += [f"{np.median(r['reads']):.3f}", *(f"{r[name]:.0f}" for name in ("anonymous", "file", "peak"))]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--windows", type=int, default=2_000, help="training steps on each corpus")
    parser.add_argument("--tokens", type=int, nargs="+", default=SIZES)
    parser.add_argument("--words", type=int, nargs="+", default=[WORDS], help="in the vocabulary")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    parser.add_argument("--sizes", type=int, nargs=4, default=BOOK, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        work(options.worker, options.windows, *options.sizes)
        return
    with tempfile.TemporaryDirectory() as folder:
        results = measure(list(product(options.tokens, options.words)), options.windows, Path(folder))
    print(table(results))


if __name__ == "__main__":
    main()
