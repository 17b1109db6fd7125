"""What gates are for: n-grams, a plain RNN, a GRU and an LSTM on the built-in stories, against the exact floor.

    python scripts/compare_cells.py
    python scripts/compare_cells.py --out runs/cells --seed 1 --options=--hidden-size=50

Trains the three, by the recipe story-lstm but for the cell, in two minutes, and counts n-grams; prints a table and
leaves three runs and the picture of their curves in a folder. A pronoun is decided by who was there and who came in,
sentences before: a model that has forgotten it tosses a coin, which is a perplexity of 2.
"""

import json
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from math import exp, log
from pathlib import Path
from subprocess import PIPE, Popen
from threading import Thread
from typing import Any

import tyro

from rnnlm import kneser_ney, token_nats
from rnnlm.cli import process
from rnnlm.cli.commands.plot import plot_runs
from rnnlm.data.corpora import story
from rnnlm.errors import InputError
from rnnlm.experiments.stories import class_rows, right_sentences

CELLS = ("rnn", "gru", "lstm")
ORDERS = (3, 5)  # of n-grams


def main(out: Path | None = None, seed: int = 0, options: tyro.conf.UseAppendAction[tuple[str, ...]] = ()) -> None:
    """Train an RNN, a GRU and an LSTM on the built-in stories and compare them with the best possible.

    Args:
        out: folder for the three runs; runs/cells-SEED unless given.
        seed: of all three.
        options: more options of `rnnlm train`, each as one word: --options=--max-epoch=3 --options=--hidden-size=50
    """
    out = Path("runs") / f"cells-{seed}" if out is None else out
    folders = [out / cell for cell in CELLS]
    pool, children = ThreadPoolExecutor(2), list[Popen[str]]()
    try:  # two at a time; the LSTM, which takes longest, first
        for job in [pool.submit(train, folder, seed, options, children) for folder in reversed(folders)]:
            job.result()
    except BaseException:  # Ctrl-C too: none goes on, none begins
        pool.shutdown(wait=False, cancel_futures=True)
        for child in children:
            child.terminate()
        raise
    runs = {folder.name: read_run(folder) for folder in folders}
    print_table({f"{order}-gram": count_ngrams(order, seed) for order in ORDERS} | runs)
    plot_runs(folders, out / "cells.png")


def train(folder: Path, seed: int, options: tuple[str, ...], children: list[Popen[str]]) -> None:
    """Train one cell in a process of its own, with one thread, and pass on what it says."""
    cell = folder.name
    command = [sys.executable, "-m", "rnnlm", "train", "--recipe", "story-lstm", "--cell", cell, "--seed", str(seed)]
    command += ["--forget-bias", "0"] if cell == "rnn" else []
    command += [*options, "--out", str(folder)]
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1"}
    with Popen(command, stdout=PIPE, stderr=PIPE, text=True, env=environment) as child:
        children.append(child)
        errors: list[str] = []
        reader = Thread(target=lambda: errors.extend(child.stderr))
        reader.start()
        for line in child.stdout:
            if not line.startswith("recipe="):
                print(f"{cell:5s} {line}", end="", flush=True)
        reader.join()
    if child.returncode:
        raise InputError(f"training of {cell} failed: {errors[-1].strip() if errors else child.returncode}")


def read_run(folder: Path) -> list[dict[str, Any]]:
    """The figures that a run has written down."""
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text(encoding="utf-8").splitlines()]


def count_ngrams(order: int, seed: int) -> list[dict[str, Any]]:
    """The same figures of an n-gram model: like the cells it does not count the first token of the test part."""
    words = story.vocabulary()
    model = kneser_ney(story.load_data("train")[0], len(words), words.eos_id, order)
    nats = token_nats(model, story.load_data("test")[0])[1:]
    made, right = right_sentences(model, words, words.eos_id, seed)
    test = {"part": "test", "tokens": len(nats), "nats": nats.mean(), "perplexity": exp(nats.mean())}
    return [test, *class_rows(nats), {"sentences": made, "accepted": right}]


def print_table(runs: dict[str, list[dict[str, Any]]]) -> None:
    """One line for each model."""
    classes = {row["class"]: row["floor"] for row in runs[CELLS[0]] if "class" in row}
    told = {name: {row["class"]: row["perplexity"] for row in rows if "class" in row} for name, rows in runs.items()}
    floor = next(row["floor"] for row in runs[CELLS[0]] if row.get("part") == "test")
    print(f"\n{'':8s}{'test':>8s}{'above floor':>13s}{'accepted':>10s}" + "".join(f"{name:>19s}" for name in classes))
    print(
        f"{'floor':8s}{floor:8.4f}{0:8.4f} nats{'100.0%':>10s}" + "".join(f"{classes[name]:19.3f}" for name in classes)
    )
    for name, rows in runs.items():
        test = next(row for row in rows if row.get("part") == "test" and "tokens" in row)
        made = next(row for row in rows if "accepted" in row)
        line = f"{name:8s}{test['perplexity']:8.4f}{test['nats'] - log(floor):8.4f} nats"
        line += f"{made['accepted'] / made['sentences']:10.1%}"
        print(line + "".join(f"{told[name][kind]:19.3f}" for kind in classes))
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(process.handled(lambda: tyro.cli(main)))
