"""What small weights save, and what they cost: disk, memory, perplexity, words a second.

    python -m benchmarks.small_weights runs/ptb-001 --text $RNNLM_DATA/ptb/ptb.test.txt
    python -m benchmarks.small_weights runs/ptb-001 --text book.txt --tokens 20000 --rounds 3

The model, of a folder or of a run, is written in each format, and each is used in a process of its own, in turns.
Memory is what the process holds beyond what it had before it read the model: once it is read, after use, and at most.
Words a second are those of one text written word by word, of 64 side by side, and of a text that is scored; of the
rounds the best counts.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter

import numpy as np

from benchmarks.worker import ROOT, status
from rnnlm import evaluate, load_model, quantize, read_corpus, save_model
from rnnlm.backend import ops
from rnnlm.cli.folders import model_folder
from rnnlm.cli.process import handled

FORMATS = ("float32", "float16", "int8")
HEADINGS = (
    "format", "weights on disk MB", "memory once read MB", "after use", "at most", "perplexity", "words/s, 1 text",
    "64 texts", "scored",
)  # fmt: skip
MB = 1e6


def written(model, rows, words):
    """Words a second of so many texts side by side, each of so many words, and the most likely ones."""
    model.reset_state()
    ids = np.zeros((rows, 1), np.int64)
    with model.one_thread:
        model.next_scores(ids)  # takes the memory that it needs
        begin = perf_counter()
        for _ in range(words):
            ids = ops.asnumpy(model.next_scores(ids)).argmax(axis=1)[:, None]
        return rows * words / (perf_counter() - begin)


def measured(folder, text, tokens, words):
    """The figures of a model folder."""
    begin = status("VmRSS")
    model, vocabulary = load_model(folder)
    memory = [status("VmRSS") - begin]
    rates = [written(model, 1, words), written(model, 64, max(1, words // 4))]
    ids = read_corpus(text, vocabulary, tokens)[0]
    start = perf_counter()
    result = evaluate(model, ids)
    rates.append(result.tokens / (perf_counter() - start))
    memory += [status("VmRSS") - begin, status("VmHWM") - begin]
    return {"memory": memory, "perplexity": result.perplexity, "rates": rates}


def table(found, sizes):
    """A line for each format."""
    print(f"| {' | '.join(HEADINGS)} |\n| --- |{' ---: |' * (len(HEADINGS) - 1)}")
    for name in FORMATS:
        memory = [min(one["memory"][i] for one in found[name]) for i in range(3)]
        rates = [max(one["rates"][i] for one in found[name]) for i in range(3)]
        figures = [f"{sizes[name] / MB:.2f}", *(f"{m * 2**20 / MB:.1f}" for m in memory)]
        figures += [f"{found[name][0]['perplexity']:.3f}", *(f"{rate:,.0f}" for rate in rates)]
        print(f"| {name} | {' | '.join(figures)} |")


def run(given):
    """Write the model in each format, and print the table of what each of them takes."""
    model, words = load_model(model_folder(given.model))
    found, sizes = {name: [] for name in FORMATS}, {}
    with tempfile.TemporaryDirectory() as folder:
        for name in FORMATS:
            path = Path(folder) / name
            save_model(path, model if name == model.config.dtype else quantize(model, name), words)
            sizes[name] = (path / "model.safetensors").stat().st_size
        for _ in range(given.rounds):
            for name in FORMATS:
                options = ["--text", given.text, "--tokens", str(given.tokens), "--words", str(given.words), "--one"]
                command = [sys.executable, "-m", "benchmarks.small_weights", str(Path(folder) / name), *options]
                said = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True).stdout
                found[name].append(json.loads(said))
    print(f"{given.model}, {sum(p.size for p in model.params):,} parameters; {ops.describe()}\n")
    table(found, sizes)


def main():
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("--text", type=lambda path: str(Path(path).resolve()), required=True)
    parser.add_argument("--tokens", type=int, default=20_000, help="of the text, from its beginning")
    parser.add_argument("--words", type=int, default=400, help="to be written, of each text")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        print(json.dumps(measured(given.model, given.text, given.tokens, given.words)))
        return 0
    return handled(lambda: run(given))


if __name__ == "__main__":
    raise SystemExit(main())
