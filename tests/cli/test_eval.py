import json
import sys
from pathlib import Path

from rnnlm import Sentences, evaluate, read_corpus
from rnnlm.cli import texts
from rnnlm.cli.main import main
from rnnlm.progress import passing_bar
from rnnlm.saving.model_folder import load_model


def test_eval(models, treebank, capsys):
    arguments = ["eval", str(models / "trained"), "--corpus", str(models / "text")]
    assert main(arguments) == 0
    text = capsys.readouterr().out
    assert "exact" in text
    assert "0 of " in text
    assert main([*arguments, "--json", "--lanes", "3"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert (result["lanes"], result["unknown"], result["part"]) == (3, 0, None)
    model, words = load_model(models / "trained" / "model")
    assert result["nats"] == evaluate(model, read_corpus(models / "text", words)[0], 3).nats
    Path("strange").write_text("the zebra sat\n")
    assert main(["eval", str(models / "trained"), "--corpus", "strange", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["unknown"] == 1


def test_eval_on_named_corpora(models, capsys):
    options = ["--corpus", "story", "--part", "valid", "--lanes", "100", "--json"]
    assert main(["eval", str(models / "storyish"), *options]) == 0
    assert json.loads(capsys.readouterr().out)["tokens"] == 99_999


def test_how_far_it_is_is_told(models):
    model, words = load_model(models / "trained" / "model")
    ids = read_corpus(models / "text", words)[0]
    for corpus, want in ((ids, len(ids) - 1), (Sentences(ids, words.eos_id), len(ids))):
        told = []
        evaluate(model, corpus, advance=told.append)
        assert sum(told) == want


def test_a_bar_is_on_a_terminal_alone(models, monkeypatch, capsys):
    """And goes with the last token."""
    made = []
    monkeypatch.setattr(texts, "passing_bar", lambda *given: made.append(passing_bar(*given)) or made[-1])
    for terminal, want in ((False, 0), (True, 1_079)):
        monkeypatch.setattr(sys.stderr, "isatty", lambda terminal=terminal: terminal)
        assert main(["eval", str(models / "trained"), "--corpus", str(models / "text")]) == 0
        assert made[-1].n == want
    assert made[-1].total == 1_080
