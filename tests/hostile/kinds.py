"""Each kind of file that the library reads: how it is written, and how it is read."""

import json
import pickle

import numpy as np

from rnnlm import (
    SimpleRnnlm,
    Vocabulary,
    kneser_ney,
    load_model,
    load_ngram,
    load_vectors,
    open_corpus,
    save_model,
    save_ngram,
    save_vectors,
)
from rnnlm.book.dataset.own import read_array
from rnnlm.book.pickles import load_file
from rnnlm.cli.commands.plot import plot_runs
from rnnlm.data import read_corpus, read_pairs
from rnnlm.data.cleaning import TextOptions
from rnnlm.data.encoding import write_ids
from rnnlm.data.reading import Reading
from rnnlm.experiments import recipes
from rnnlm.experiments.resuming import saved_settings
from rnnlm.saving.checkpoint import Checkpoints
from tests.gradcheck import host

__all__ = ["CHECKED", "KINDS", "WORDS"]

WORDS = Vocabulary(["the", "cat", "sat", "<unk>", "<eos>"])
TEXT = "the cat sat\nthe cat\n\nsat the cat sat\n" * 8


def write_model(folder):
    save_model(folder / "model", SimpleRnnlm(5, 3, 4), WORDS)


def read_model(folder):
    model, words = load_model(folder / "model")
    return [host(p).tobytes().hex() for p in model.params], words.words


def write_ngram(folder):
    ids = np.array([0, 1, 2, 4, 0, 1, 4, 2, 0, 1, 2, 4] * 6)
    save_ngram(folder / "ngram", kneser_ney(ids, 5, 4, order=2), WORDS)
    save_ngram(folder / "lm.arpa", kneser_ney(ids, 5, 4, order=2), WORDS)
    save_ngram(folder / "lm.arpa.gz", kneser_ney(ids, 5, 4, order=2), WORDS)


def read_tables(folder):
    model, words = load_ngram(folder / "ngram")
    return [[a.tobytes().hex() for a in (t.keys, t.logprobs, t.backoffs)] for t in model.tables], words.words


def write_checkpoint(folder):
    (folder / "run").mkdir(exist_ok=True)
    state = {"settings": {"corpus": "x"}, "arrays": [np.arange(6.0), np.ones((2, 2), "f4")], "figures": "{}\n"}
    Checkpoints(folder / "run" / "checkpoints").save(1, state)


def read_checkpoint(folder):
    state = Checkpoints(folder / "run" / "checkpoints").latest()
    return [a.tolist() for a in state.pop("arrays")], json.dumps(state)


def write_ids_(folder):
    write_ids(folder / "corpus.ids", WORDS, [np.arange(3000) % 5])


def read_ids(folder):
    ids, words = open_corpus(folder / "corpus.ids")
    return np.asarray(ids).tolist(), words.words


def write_others(folder):
    save_vectors(folder / "vectors.txt", WORDS, np.linspace(-1, 1, 15).reshape(5, 3))
    WORDS.save(folder / "words.txt")
    (folder / "text.txt").write_text(TEXT)
    (folder / "rows.csv").write_text("id,text\n" + "".join(f'{i},"the cat, {i}"\n' for i in range(9)))
    (folder / "pairs.txt").write_text("12+3 _15 \n1+1  _2  \n")
    (folder / "recipe.toml").write_text('[about]\nsource = "x"\n[settings]\nhidden_size = 5\n')
    (folder / "plotted").mkdir(exist_ok=True)
    (folder / "plotted" / "metrics.jsonl").write_text('{"epoch": 1, "train_perplexity": 9.5}\n' * 3)
    (folder / "set").mkdir(exist_ok=True)
    (folder / "set" / "settings.json").write_text('{"corpus": "story", "max_grad": null}')
    for protocol in (0, 2, 4, 5):
        content = pickle.dumps({"params": [np.ones((3, 2), "f4"), np.arange(4)], "n": (1, "x", {2.5})}, protocol)
        (folder / f"weights{protocol}.pkl").write_bytes(content)
    np.save(folder / "ids.npy", np.arange(20))
    SimpleRnnlm(5, 3, 4).save_params(folder / "params.safetensors")


def read_params(folder):
    SimpleRnnlm(5, 3, 4).load_params(folder / "params.safetensors")


def read_csv(folder):
    return read_corpus(folder / "rows.csv", Vocabulary(["<unk>", "<eos>"], Reading.of(TextOptions(column="text"))))[0]


KINDS = {  # the file: how it is written, and how it is read
    **{f"model/{name}": (write_model, read_model) for name in ("config.json", "model.safetensors", "vocab.txt", "text.json", "manifest.json")},
    **{f"ngram/{name}": (write_ngram, read_tables) for name in ("config.json", "ngrams.safetensors", "vocab.txt", "manifest.json")},
    **{
        f"run/checkpoints/step-000000000001/{name}": (write_checkpoint, read_checkpoint)
        for name in ("state.json", "arrays.safetensors", "manifest.json")
    },
    "corpus.ids": (write_ids_, read_ids),
    "lm.arpa": (write_ngram, lambda folder: load_ngram(folder / "lm.arpa")[1].words),
    "lm.arpa.gz": (write_ngram, lambda folder: load_ngram(folder / "lm.arpa.gz")[1].words),
    "vectors.txt": (write_others, lambda folder: load_vectors(folder / "vectors.txt")[1].tolist()),
    "words.txt": (write_others, lambda folder: Vocabulary.load(folder / "words.txt").words),
    "recipe.toml": (write_others, lambda folder: recipes.load(str(folder / "recipe.toml"))),
    "set/settings.json": (write_others, lambda folder: saved_settings(folder / "set")),
    "plotted/metrics.jsonl": (write_others, lambda folder: plot_runs([folder / "plotted"], folder / "out.svg")),
    **{f"weights{n}.pkl": (write_others, lambda folder, n=n: load_file(folder / f"weights{n}.pkl")) for n in (0, 2, 4, 5)},
    "ids.npy": (write_others, lambda folder: read_array(folder / "ids.npy").tolist()),
    "params.safetensors": (write_others, read_params),
    "text.txt": (write_others, lambda folder: read_corpus(folder / "text.txt")[0].tolist()),
    "rows.csv": (write_others, read_csv),
    "pairs.txt": (write_others, lambda folder: read_pairs(folder / "pairs.txt").characters),
}  # fmt: skip
TEXTS = ("text.txt", "rows.csv", "pairs.txt")  # which may come through a pipe
CHECKED = [name for name in KINDS if name.startswith(("model/", "ngram/", "run/", "corpus"))]  # damage is always seen
