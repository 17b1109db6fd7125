"""What does saving cost: time of a training, and memory beside the weights?

    python -m benchmarks.saving                         a share of book-lstm's epoch; a model of 100 million parameters
    python -m benchmarks.saving --parameters 10000000   a smaller one

A training writes a checkpoint after each epoch and every ten minutes, and its model after an epoch that is the best so
far. Steps and saves take turns, so that a change in the machine's speed meets both; figures are medians. Memory is what
a process of its own takes at its peak beyond what it had before, and beyond what is read, as a share of what is saved
or read: the weights of a model; of a checkpoint the weights, the copy of them that a bad step goes back to, and Adam's
two averages. A checkpoint is mapped while it is read: pages of files, which the system takes back when it needs them,
are no memory of the process.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from threading import Event, Thread
from time import perf_counter

import numpy as np

from benchmarks.scale import zipf_ids
from benchmarks.worker import ROOT, status
from rnnlm import SGD, Adam, Batches, LanguageModel, ModelConfig, Rnnlm, Vocabulary, load_model, save_model
from rnnlm.backend import ops
from rnnlm.saving.checkpoint import Checkpoints
from rnnlm.training.run import Run

WORDS, TOKENS, N, T = 10_000, 929_589, 20, 35  # Penn Treebank's, and book-lstm's windows
DEFAULT = 600  # seconds between checkpoints, unless the run's options say otherwise
WIDTH = 480  # of the large model, whose vocabulary is what it takes
TASKS = ("model saved", "model loaded", "checkpoint saved", "checkpoint loaded")


def timed(action):
    """Seconds that something takes."""
    start = perf_counter()
    action()
    return perf_counter() - start


def share(rounds, steps):
    """Print what saving takes of an epoch of book-lstm."""
    ids = np.concatenate(list(zipf_ids(TOKENS, WORDS)))
    words = Vocabulary([f"w{i}" for i in range(WORDS)])
    run = Run(Rnnlm(WORDS, 100, 100), SGD(20.0), Batches(ids[:-1], ids[1:], N, T), 0.25)
    step, checkpoint, model = [], [], []
    with tempfile.TemporaryDirectory() as folder:
        checkpoints = Checkpoints(Path(folder) / "checkpoints")
        for _ in range(rounds):
            step.append(timed(lambda: [run.step() for _ in range(steps)]) / steps)
            checkpoint.append(timed(lambda: checkpoints.save(run.steps, {"training": run.progress()})))
            model.append(timed(lambda: save_model(Path(folder) / "model", run.model, words)))
    epoch = median(step) * len(run.batches)
    saving = (1 + epoch / DEFAULT) * median(checkpoint) + median(model)
    print(f"book-lstm: epoch {epoch:.1f} s, a checkpoint {1e3 * median(checkpoint):.0f} ms, the model ", end="")
    print(f"{1e3 * median(model):.0f} ms; saving takes {saving / (epoch + saving):.2%} of the time")


class Peak:
    """The highest anonymous memory of this process while something goes on, MB above what it was."""

    def __enter__(self):
        self.begin = self.highest = status("RssAnon")
        self.over = Event()
        self.thread = Thread(target=self.look)
        self.thread.start()
        return self

    def look(self):
        while not self.over.wait(0.001):
            self.highest = max(self.highest, status("RssAnon"))

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()
        self.megabytes = max(self.highest, status("RssAnon")) - self.begin


def work(task, folder, parameters):
    """Do one of the tasks and print its figures as JSON."""
    vocab_size = (parameters - 8 * WIDTH * WIDTH) // (2 * WIDTH + 1)
    config = ModelConfig("LanguageModel", vocab_size, wordvec_size=WIDTH, hidden_size=WIDTH, cell="lstm")
    checkpoints, loaded, own = Checkpoints(folder / "checkpoints"), [], 0.0
    if task == "model saved":
        model, words = LanguageModel(config), Vocabulary([f"w{i}" for i in range(vocab_size)])
        with Peak() as peak:
            seconds = timed(lambda: save_model(folder / "model", model, words))
    elif task == "model loaded":
        with Peak() as peak:
            seconds = timed(lambda: loaded.extend(load_model(folder / "model")))
        model = loaded[0]
        own = model.flat_params.nbytes / 2**20
    else:
        ids = np.arange(1_000) % vocab_size
        model = LanguageModel(config)
        run = Run(model, Adam(), Batches(ids[:-1], ids[1:], 2, 5), 1.0)
        if task == "checkpoint saved":
            run.step()
            with Peak() as peak:
                seconds = timed(lambda: checkpoints.save(1, {"training": run.progress()}))
        else:
            own = 3 * model.flat_params.nbytes / 2**20  # the copy and Adam's averages, which were not there before
            with Peak() as peak:
                seconds = timed(lambda: run.load_state_dict(checkpoints.latest()["training"]))
    size = model.flat_params.nbytes / 2**20 * (1 if task.startswith("model") else 4)
    print(json.dumps({"megabytes": size, "seconds": seconds, "on_top": (peak.megabytes - own) / size}))


def main():
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--parameters", type=int, default=100_000_000)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--task", choices=TASKS, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.task:
        work(options.task, options.folder, options.parameters)
        return
    print(ops.describe())
    share(options.rounds, options.steps)
    print(
        f"\n| {options.parameters:,} parameters | MB | seconds | memory on top, of that |\n| --- | ---: | ---: | ---: |"
    )
    with tempfile.TemporaryDirectory() as folder:
        for task in TASKS:
            arguments = ["--task", task, "--folder", folder, "--parameters", str(options.parameters)]
            command = [sys.executable, "-m", "benchmarks.saving", *arguments]
            found = json.loads(subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout)
            print(f"| {task} | {found['megabytes']:.0f} | {found['seconds']:.2f} | {found['on_top']:.0%} |", flush=True)


if __name__ == "__main__":
    main()
