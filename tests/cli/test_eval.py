import json
from pathlib import Path

from rnnlm.cli.main import main
from rnnlm.saving.model_folder import load_model


def test_eval(models, treebank, capsys):
    arguments = ["eval", str(models / "trained"), "--corpus", str(models / "text")]
    assert main(arguments) == 0
    shown = capsys.readouterr().out
    assert "exact" in shown
    assert "0 of " in shown
    assert main([*arguments, "--json", "--lanes", "3"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert (result["lanes"], result["unknown"]) == (3, 0)
    model, words = load_model(models / "trained" / "model")
    from rnnlm import evaluate, read_corpus

    assert result["nats"] == evaluate(model, read_corpus(models / "text", words)[0], 3).nats
    Path("strange").write_text("the zebra sat\n")
    assert main(["eval", str(models / "trained"), "--corpus", "strange", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["unknown"] == 1


def test_eval_on_named_corpora(models, capsys):
    assert main(["eval", str(models / "storyish"), "--part", "valid", "--lanes", "100", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["tokens"] == 99_999
