"""Word vectors: words learned from a second beside gensim, and what a matrix of counts costs.

    python -m benchmarks.vectors                  Penn Treebank, if RNNLM_DATA names it, else the built-in stories
    python -m benchmarks.vectors --tokens 20000 --rounds 1

All take turns, with one thread each: gensim's with one worker, ours with one thread of the pool and of BLAS. The same
settings: vectors of 100, window 5, 5 negatives, subsampling 1e-3. gensim is not needed; its column is empty then.
"""

import argparse
import os
import sys
from importlib.util import find_spec
from resource import RUSAGE_SELF, getrusage
from statistics import median
from time import perf_counter

os.environ.setdefault("RNNLM_THREADS", "1")

import numpy as np

from rnnlm.backend import ops
from rnnlm.data.corpora.named import load_corpus
from rnnlm.errors import DataError
from rnnlm.wordvec import Word2vecOptions, create_co_matrix, most_similar, ppmi, svd_vectors, train_word2vec

QUERIES = ("you", "year", "car", "toyota", "monday")


def text(tokens):
    """Ids and words."""
    try:
        corpus = load_corpus("ptb")
    except DataError:
        corpus = load_corpus("story")
    return np.asarray(corpus.train)[:tokens], corpus.vocabulary


def ours(ids, words, method, epochs):
    """Vectors by this library."""
    return train_word2vec(ids, len(words), method, Word2vecOptions(epochs=epochs, seed=1))


def gensims(ids, words, method, epochs):
    """Vectors by gensim, from the same words."""
    from gensim.models import Word2Vec

    sentences = [[words.words[i] for i in ids[k : k + 10_000]] for k in range(0, len(ids), 10_000)]
    sg = int(method == "skip-gram")
    model = Word2Vec(
        sentences,
        vector_size=100,
        window=5,
        negative=5,
        sg=sg,
        epochs=epochs,
        workers=1,
        sample=1e-3,
        min_count=1,
        seed=1,
    )
    return np.stack([model.wv[word] if word in model.wv else np.zeros(100) for word in words.words])


def measure(ids, words, epochs, rounds):
    """A table of words learned from a second, and neighbours."""
    contestants = {"rnnlm": ours, **({"gensim": gensims} if find_spec("gensim") else {})}
    print(f"{len(ids):,} tokens, {len(words):,} words; {ops.describe()}\n")
    print(
        "| method | "
        + " | ".join(f"{name} words/s" for name in contestants)
        + " |\n| --- |"
        + " --- |" * len(contestants)
    )
    found = {}
    for method in ("skip-gram", "cbow"):
        rates = {name: [] for name in contestants}
        for _ in range(rounds):
            for name, function in contestants.items():
                start = perf_counter()
                found[name, method] = function(ids, words, method, epochs)
                rates[name].append(epochs * len(ids) / (perf_counter() - start))
        cells = [f"{median(r):,.0f} ±{50 * (max(r) - min(r)) / median(r):.0f}%" for r in rates.values()]
        print(f"| {method} | {' | '.join(cells)} |", flush=True)
    return found


def count(ids, words):
    """Co-occurrence, PPMI and SVD: seconds and the peak of memory so far."""
    steps = {
        "co-occurrence, window 2": lambda _: create_co_matrix(ids, len(words), 2),
        "PPMI": ppmi,
        "SVD, 100 columns": lambda M: svd_vectors(M, min(100, len(words))),
    }
    result = None
    print("\n| from counts | seconds | peak MiB |\n| --- | --- | --- |")
    for name, step in steps.items():
        start = perf_counter()
        result = step(result)
        print(f"| {name} | {perf_counter() - start:.2f} | {getrusage(RUSAGE_SELF).ru_maxrss / 1024:.0f} |")
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tokens", type=int, help="of the text, from its beginning; all unless given")
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    ids, words = text(options.tokens)
    vectors = {"svd": count(ids, words)}
    vectors |= {
        f"{method}, {name}": W for (name, method), W in measure(ids, words, options.epochs, options.rounds).items()
    }
    print()
    for name, W in vectors.items():
        for query in QUERIES:
            if query in words:
                near = most_similar(query, words.word_to_id, words.id_to_word, W)
                print(f"{name}: {query}: {', '.join(word for word, _ in near)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
