import json
import sys
from pathlib import Path

from rnnlm import DynamicEvaluation, NeuralCache, Sentences, evaluate, read_corpus
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


def test_eval_of_a_model_that_adapts(models, capsys):
    arguments = ["eval", str(models / "trained"), "--corpus", str(models / "text"), "--dynamic-lr", "0.5"]
    assert main(arguments) == 0
    assert "dynamic lr 0.5, dynamic decay 0.0, dynamic segment 10\n" in capsys.readouterr().out
    more = ["--dynamic-decay", "0.01", "--dynamic-segment", "5", "--json"]
    assert main([*arguments, *more]) == 0
    result = json.loads(capsys.readouterr().out)
    model, words = load_model(models / "trained" / "model")
    dynamic = DynamicEvaluation(model, lr=0.5, decay=0.01, segment=5)
    assert result["nats"] == evaluate(dynamic, read_corpus(models / "text", words)[0]).nats
    assert [result[f"dynamic_{name}"] for name in ("lr", "decay", "segment")] == [0.5, 0.01, 5]
    cached = ["--cache-weight", "0.2", "--cache-size", "30"]
    assert main([*arguments[:-2], *cached]) == 0
    assert "cache weight 0.2, cache size 30, cache flatness 0.5\n" in capsys.readouterr().out
    assert main([*arguments, *more, *cached]) == 0
    dynamic = DynamicEvaluation(NeuralCache(model, 30, 0.2), lr=0.5, decay=0.01, segment=5)
    assert json.loads(capsys.readouterr().out)["nats"] == evaluate(dynamic, read_corpus(models / "text", words)[0]).nats
    for wrong, told in (
        (["--dynamic-lr", "0"], "dynamic_lr must be"),
        (["--dynamic-lr", "1", "--dynamic-decay", "1"], "dynamic_decay must be"),
        (["--dynamic-lr", "1", "--dynamic-segment", "0"], "dynamic_segment must be"),
        (["--dynamic-decay", "0.1"], "--dynamic-decay 0.1 has an effect only with --dynamic-lr"),
        (["--cache-weight", "1"], "cache_weight must be"),
        (["--cache-weight", "0.1", "--cache-size", "0"], "cache_size must be"),
        (["--cache-weight", "0.1", "--cache-flatness", "-1"], "cache_flatness must be"),
        (["--cache-size", "9"], "--cache-size 9 has an effect only with --cache-weight"),
        (["--dynamic-lr", "1", "--lanes", "2"], "leave out --lanes"),
        (["--mix", str(models / "trained"), "--mix-weight", "0.5"], "models of a mixture must differ"),
        (["--dynamic-lr", "1", "--mix", "x", "--mix-weight", "1", "--log-linear"], "leave out --log-linear"),
    ):
        assert main(["eval", str(models / "trained"), "--corpus", str(models / "text"), *wrong]) == 2
        assert told in capsys.readouterr().err


def test_a_text_to_tune_on_is_for_a_mixture(models, capsys):
    assert main(["eval", str(models / "trained"), "--corpus", "story", "--tune-on", "story"]) == 2
    assert "tune_on finds the weights of a mixture: name a model to mix with, --mix MODEL" in capsys.readouterr().err


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
