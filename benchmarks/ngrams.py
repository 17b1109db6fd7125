"""What n-grams cost: seconds to count, write and read, memory, words scored a second.

    python -m benchmarks.ngrams                          the built-in stories
    python -m benchmarks.ngrams --corpus ptb             Penn Treebank, from $RNNLM_DATA
    python -m benchmarks.ngrams --corpus book.txt --order 3

Where KenLM's Python module is installed it scores the same lines from the same ARPA file. Each figure is the best of
`--rounds`; counting and writing are done once, in this process, whose peak memory is shown.
"""

import argparse
import resource
import tempfile
from pathlib import Path
from time import perf_counter

import numpy as np

from rnnlm import Sentences, evaluate, kneser_ney, load_corpus, load_ngram, save_ngram, score
from rnnlm.cli.process import handled


def timed(work, rounds=1):
    """What `work` gives, and the fewest seconds that it took."""
    seconds = []
    for _ in range(rounds):
        begin = perf_counter()
        result = work()
        seconds.append(perf_counter() - begin)
    return result, min(seconds)


def tell(what, figure):
    """A line of the table."""
    print(f"| {what} | {figure} |", flush=True)


def kenlm_rate(path, lines, rounds):
    """Words a second of KenLM's module on lines of words, or None without it."""
    try:
        import kenlm
    except ImportError:
        return None
    model = kenlm.Model(str(path))
    texts = [" ".join(line) for line in lines]
    _, seconds = timed(lambda: [model.score(text) for text in texts], rounds)
    return sum(len(line) + 1 for line in lines) / seconds


def run(corpus, order, rounds, tokens):
    """Print a table of figures."""
    given = load_corpus(corpus)
    words, test = given.vocabulary, np.asarray(given.test)
    train = np.asarray(given.train)[:tokens]
    print("| what | figure |\n| --- | --- |")
    model, seconds = timed(lambda: kneser_ney(train, len(words), words.eos_id, order))
    sizes = ", ".join(f"{len(table):,}" for table in model.tables)
    tell(f"{order}-gram of {len(train):,} tokens counted and smoothed ({sizes} n-grams)", f"{seconds:.2f} s")
    with tempfile.TemporaryDirectory() as folder:
        for name in ("lm", "lm.arpa"):
            path = Path(folder) / name
            tell(f"{name} written", f"{timed(lambda path=path: save_ngram(path, model, words))[1]:.2f} s")
            read, seconds = timed(lambda path=path: load_ngram(path)[0], rounds)
            tell(f"{name} read", f"{seconds:.3f} s")
            if name == "lm":
                result, seconds = timed(lambda read=read: evaluate(read, test), rounds)
                tell(f"test part evaluated ({result})", f"{result.tokens / seconds:,.0f} words a second")
        rows = list(Sentences(test, words.eos_id))
        _, seconds = timed(lambda: score(model, rows), rounds)
        tell("its lines scored", f"{sum(map(len, rows)) / seconds:,.0f} words a second")
        rate = kenlm_rate(path, [words.decode(row[:-1]) for row in rows], rounds)
        tell("the same by KenLM's module", "not installed" if rate is None else f"{rate:,.0f} words a second")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    tell("most memory of the process", f"{peak:,.0f} MB")


def main():
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", default="story")
    parser.add_argument("--order", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--tokens", type=int, help="of the train part, all unless given")
    given = parser.parse_args()
    return handled(lambda: run(given.corpus, given.order, given.rounds, given.tokens))


if __name__ == "__main__":
    raise SystemExit(main())
