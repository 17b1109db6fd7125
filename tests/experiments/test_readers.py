"""A training whose reader leaves, or that is interrupted, says where its results are."""

import os
import sys
from contextlib import contextmanager

from rnnlm import progress
from rnnlm.cli.main import main
from rnnlm.cli.process import handled
from rnnlm.experiments import answers
from rnnlm.experiments.fitting import Fitting
from rnnlm.training.trainer import Trainer
from tests.cli.runs import SMALL, rows


@contextmanager
def no_reader(monkeypatch):
    """Inside, standard output is a pipe whose reader has left."""
    reading, writing = os.pipe()
    os.close(reading)
    with open(writing, "w", buffering=1 << 16) as stream, monkeypatch.context() as patch:
        patch.setattr(progress, "_unread", [])
        patch.setattr(sys, "stdout", stream)
        yield


def test_a_training_whose_reader_leaves_goes_on_and_says_where_its_results_are(treebank, monkeypatch, capsys):
    with no_reader(monkeypatch):
        assert main(["train", *SMALL, "--out", "out"]) == 0
    said = [line for line in capsys.readouterr().err.splitlines() if line.startswith("rnnlm: ")]
    assert said[-1] == "rnnlm: nobody reads standard output any more; the results are in out"
    assert [row["part"] for row in rows("out/metrics.jsonl") if "part" in row] == ["valid", "test"]


def test_answers_are_learned_without_a_reader(tmp_path, monkeypatch, capsys):
    with no_reader(monkeypatch):
        answers.run(answers.AnswersConfig(count=20, max_epoch=1, hidden_size=4, out=tmp_path / "out"))
    assert capsys.readouterr().err.endswith(f"the results are in {tmp_path / 'out'}\n")


def interrupted(*_, **__):
    raise KeyboardInterrupt


def test_an_interrupt_names_the_folder(treebank, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(Fitting, "begin", interrupted)
    assert main(["train", *SMALL, "--out", "out"]) == 130
    assert capsys.readouterr().err.endswith("rnnlm: stopped before any training; there is nothing in out yet\n")
    monkeypatch.setattr(Trainer, "fit", interrupted)
    config = answers.AnswersConfig(count=20, hidden_size=4, out=tmp_path / "answers")
    assert handled(lambda: answers.run(config) and None) == 130
    assert capsys.readouterr().err.endswith(f"rnnlm: stopped; what there is so far is in {tmp_path / 'answers'}\n")
