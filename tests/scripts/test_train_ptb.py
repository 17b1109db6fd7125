import json
from pathlib import Path

import pytest

from rnnlm.experiments import stories
from tests.cli.runs import SMALL, script

QUICK = ["--max-tokens", "3000", "--max-epoch", "1", "--hidden-size", "4", "--wordvec-size", "4", "--no-evaluate"]


def test_train_ptb_takes_it_where_it_is(treebank, no_cache, capsys):
    assert script("train_ptb").main([*SMALL[2:], "--no-evaluate", "--out", "out"]) == 0
    assert json.loads(Path("out/settings.json").read_text())["corpus"] == "ptb"
    assert script("train_ptb").main([*SMALL[2:], "--no-evaluate", "--data-dir", str(treebank), "--out", "other"]) == 0


@pytest.mark.long
def test_train_ptb_without_it_says_so_and_trains_on_stories(tmp_path, monkeypatch, no_cache, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("RNNLM_DATA", raising=False)
    monkeypatch.setattr(stories, "LONGEST", 1)  # its sentences have no end
    assert script("train_ptb").main([*QUICK, "--out", "out"]) == 0
    assert (
        "training on the built-in corpus instead: Penn Treebank can't be downloaded: http://127.0.0.1:9/"
        in capsys.readouterr().err
    )
    assert json.loads(Path("out/settings.json").read_text())["corpus"] == "story"
    assert script("train_ptb").main([*QUICK, "--data-dir", "nowhere", "--dry-run"]) == 0


def test_train_ptb_insists_if_told_to(tmp_path, monkeypatch, no_cache, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("RNNLM_DATA", raising=False)
    assert script("train_ptb").main(["--corpus", "ptb"]) == 3
    assert "put ptb.train.txt, ptb.valid.txt, ptb.test.txt in DIR/ptb" in capsys.readouterr().err
