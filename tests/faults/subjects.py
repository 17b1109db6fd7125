"""What is saved, in generations: of each that is read it can be told which one it is, and whether all of it is."""

import os
from pathlib import Path

import numpy as np

from rnnlm import SimpleRnnlm, Vocabulary, kneser_ney, load_model, load_ngram, open_corpus, save_model, save_ngram
from rnnlm.data.encoded import verify
from rnnlm.data.encoding import write_ids
from rnnlm.saving.checkpoint import Checkpoints
from tests.gradcheck import host

__all__ = ["MARK", "SUBJECTS", "Fault", "hidden", "mark", "read_model", "write_model"]

MARK = "/between/what/is/counted"
CALLS = ("open", "mkdir", "fsync", "rename", "replace", "link", "rmdir", "unlink")


def mark():
    """A call of the system that a trace shows."""
    os.access(MARK, os.R_OK)


def words_of(number):
    return Vocabulary([f"word{number}", "<unk>", "<eos>"])


def number_of(words):
    return int(words.words[0].removeprefix("word"))


def write_model(path, number):
    """Its words, its sizes and its weights all say which one it is."""
    model = SimpleRnnlm(3, 2, 2 + number % 5)
    for p in model.params:
        p[...] = number
    save_model(path, model, words_of(number))


def read_model(path):
    model, words = load_model(path)
    number = number_of(words)
    assert model.config.hidden_size == 2 + number % 5
    for p in model.params:
        np.testing.assert_array_equal(host(p), np.float32(number))
    return number


def write_checkpoint(path, number):
    path.mkdir(exist_ok=True)
    state = {"number": number, "arrays": [np.full((3, number + 1), number), np.full(2, number, "f4")]}
    Checkpoints(path / "checkpoints").save(number, state, best=number == 1)


def read_checkpoint(path):
    state = Checkpoints(path / "checkpoints").latest()
    number = state["number"]
    assert [a.shape for a in state["arrays"]] == [(3, number + 1), (2,)]
    assert all((a == number).all() for a in state["arrays"])
    return number


def write_corpus(path, number):
    write_ids(path, words_of(number), [np.full(100, number % 3), np.full(number, number % 3)])


def read_corpus(path):
    ids, words = open_corpus(path)
    assert number_of(verify(path).vocabulary) >= number_of(words)  # another one may have taken its place by now
    number = number_of(words)
    np.testing.assert_array_equal(np.asarray(ids), np.full(100 + number, number % 3))
    return number


def ngram(number):
    return kneser_ney(np.random.default_rng(number).integers(0, 3, 300), 3, 2, order=2)


def write_ngram(path, number):
    save_ngram(path, ngram(number), words_of(number))


def read_ngram(path):
    model, words = load_ngram(path)
    number = number_of(words)
    for got, right in zip(model.tables, ngram(number).tables):
        np.testing.assert_array_equal(got.keys, right.keys)
        np.testing.assert_array_equal(got.logprobs, right.logprobs)
    return number


SUBJECTS = {
    "a model folder": (write_model, read_model),
    "a checkpoint": (write_checkpoint, read_checkpoint),
    "an encoded corpus": (write_corpus, read_corpus),
    "an n-gram folder": (write_ngram, read_ngram),
}


def hidden(folder):
    """What was not finished, in a folder and below."""
    return [path for path in Path(folder).rglob(".*") if path.name not in (".lock",)]


class Fault:
    """Does something before the `at`-th call of the system that a saving makes by way of `os`."""

    def __init__(self, monkeypatch, at, what):
        self.left, self.what = at, what
        for name in CALLS:
            monkeypatch.setattr(os, name, self.counted(getattr(os, name)))

    def counted(self, call):
        def counted(*arguments, **named):
            self.left -= 1
            if not self.left:
                self.what()
            return call(*arguments, **named)

        return counted
