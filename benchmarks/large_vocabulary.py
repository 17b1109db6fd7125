"""What a large vocabulary costs a training: with one softmax over all words, with an adaptive one, with PyTorch's.

    python -m benchmarks.large_vocabulary                                       100,000 words, an LSTM of 256 units
    python -m benchmarks.large_vocabulary --hidden 100 --steps 2 --rounds 1     a smaller model, less patience
    python -m benchmarks.large_vocabulary --tokens 100_000_000 --steps 1000     the adaptive one alone, on a file

Each contestant has a process of its own, so that its peak memory is its own, and trains on the same random text, whose
words are as frequent as those of a language. They take turns: a round is a burst of steps by each, so that a change in
the machine's speed meets all alike. Tokens a second are medians over rounds. PyTorch's takes part where it is
installed: an LSTM before AdaptiveLogSoftmaxWithLoss, with SGD and clipping as ours have them.

With `--tokens` an encoded corpus of so many tokens is written to a temporary folder, and read from there, window by
window. Anonymous memory is what the process has for itself; the peak also counts pages of the file, which the system
takes back when it needs them.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from time import perf_counter

import numpy as np

from benchmarks.scale import write_corpus, zipf_ids
from benchmarks.worker import ROOT, status
from rnnlm import SGD, Batches, LanguageModel, ModelConfig, open_corpus
from rnnlm.training.run import Run

IN_MEMORY = 1_000_000  # tokens, unless they are in a file
RATE, MAX_GRAD = 1.0, 0.25


class Ours:
    """This library's, with one softmax where there are no cutoffs."""

    def __init__(self, ids, options, cutoffs):
        sizes = {"vocab_size": options.words, "wordvec_size": options.hidden, "hidden_size": options.hidden}
        model = LanguageModel(ModelConfig(cell="lstm", cutoffs=cutoffs, **sizes))
        self.run = Run(model, SGD(RATE), Batches(ids[:-1], ids[1:], options.batch, options.time), MAX_GRAD)
        self.parameters = model.config.parameters

    def step(self):
        """Train on the next window."""
        self.run.step()


class Torch:
    """The same in PyTorch, eager."""

    def __init__(self, ids, options):
        import torch

        self.torch, H = torch, options.hidden
        embed, lstm = torch.nn.Embedding(options.words, H), torch.nn.LSTM(H, H, batch_first=True)
        head = torch.nn.AdaptiveLogSoftmaxWithLoss(H, options.words, list(options.cutoffs))
        self.net = torch.nn.ModuleList([embed, lstm, head])
        self.optimizer = torch.optim.SGD(self.net.parameters(), lr=RATE)
        self.batches, self.number, self.state = Batches(ids[:-1], ids[1:], options.batch, options.time), 0, None
        self.parameters = sum(p.numel() for p in self.net.parameters())

    def step(self):
        """Train on the next window."""
        xs, ts = (self.torch.from_numpy(np.array(part, np.int64)) for part in self.batches.window(self.number))
        embed, lstm, head = self.net
        hs, state = lstm(embed(xs), self.state)
        self.state = tuple(part.detach() for part in state)
        self.optimizer.zero_grad()
        head(hs.flatten(0, 1), ts.flatten()).loss.backward()
        self.torch.nn.utils.clip_grad_norm_(self.net.parameters(), MAX_GRAD)
        self.optimizer.step()
        self.number += 1


CONTESTANTS = {
    "full softmax": lambda ids, options: Ours(ids, options, ()),
    "adaptive softmax": lambda ids, options: Ours(ids, options, tuple(options.cutoffs)),
    "PyTorch, adaptive softmax": Torch,
}


def work(options):
    """A worker's life: for each line of its standard input so many steps, and an answer."""
    if options.corpus:
        ids, _ = open_corpus(options.corpus)
    else:
        ids = np.concatenate(list(zipf_ids(IN_MEMORY, options.words)))
    contestant, anonymous = CONTESTANTS[options.worker](ids, options), 0.0
    for line in sys.stdin:
        start = perf_counter()
        for _ in range(int(line)):
            contestant.step()
        seconds = perf_counter() - start
        anonymous = max(anonymous, status("RssAnon"))
        facts = {"parameters": contestant.parameters, "anonymous": anonymous, "peak": status("VmHWM")}
        print(json.dumps({"seconds": seconds, **facts}), flush=True)


class Worker:
    """A contestant in its own process."""

    def __init__(self, name, options, corpus=None):
        command = [sys.executable, "-m", "benchmarks.large_vocabulary", *options.given, "--worker", name]
        command += ["--corpus", str(corpus)] if corpus else []
        self.process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def steps(self, count):
        """Let it make so many steps; what it says after them."""
        print(count, file=self.process.stdin, flush=True)
        return json.loads(self.process.stdout.readline())  # no answer is no JSON, and the worker has said why


def measure(names, options, corpus=None):
    """The last answer of each contestant, with the seconds of a step as their median over rounds."""
    workers = {name: Worker(name, options, corpus) for name in names}
    for worker in workers.values():
        worker.steps(2)  # memory is taken
    seconds, last = {name: [] for name in names}, {}
    for _ in range(options.rounds):
        for name, worker in workers.items():
            last[name] = worker.steps(max(1, options.steps // options.rounds))
            seconds[name].append(last[name]["seconds"] / max(1, options.steps // options.rounds))
    for worker in workers.values():
        worker.process.communicate()
    return {name: {**last[name], "seconds": median(seconds[name])} for name in names}


def table(results, options):
    """The results in Markdown."""
    heads = ("contestant", "parameters", "steps/s", "tokens/s", "anonymous MiB", "peak MiB")
    lines = [f"| {' | '.join(heads)} |", "|" + " --- |" * len(heads)]
    for name, r in results.items():
        tokens = options.batch * options.time / r["seconds"]
        told = f"{r['parameters']:,} | {1 / r['seconds']:.2f} | {tokens:,.0f} | {r['anonymous']:.0f} | {r['peak']:.0f}"
        lines.append(f"| {name} | {told} |")
    return "\n".join(lines)


def parsed():
    """The options, and how the user gave them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--words", type=int, default=100_000, help="in the vocabulary")
    parser.add_argument("--cutoffs", type=int, nargs="+", default=[2_000, 10_000])
    parser.add_argument("--hidden", type=int, default=256, help="units, and length of word vectors")
    parser.add_argument("--batch", type=int, default=20)
    parser.add_argument("--time", type=int, default=35)
    parser.add_argument("--steps", type=int, default=30, help="of each contestant, over all rounds")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--tokens", type=int, help="of an encoded corpus, for the adaptive softmax alone")
    parser.add_argument("--worker", choices=CONTESTANTS, help=argparse.SUPPRESS)
    parser.add_argument("--corpus", help=argparse.SUPPRESS)
    options = parser.parse_args()
    options.given = sys.argv[1:]
    return options


def main():
    options = parsed()
    if options.worker:
        work(options)
    elif options.tokens is None:
        names = [name for name in CONTESTANTS if not name.startswith("PyTorch") or find_spec("torch")]
        print(table(measure(names, options), options))
    else:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "corpus"
            write_corpus(path, options.tokens, options.words)
            print(table(measure(["adaptive softmax"], options, path), options))


if __name__ == "__main__":
    main()
