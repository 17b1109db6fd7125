import json
from pathlib import Path

import pytest

from rnnlm import Scales, read_nbest, read_references, rescore, word_error_rate
from rnnlm.cli.main import main
from rnnlm.saving.model_folder import load_model

LISTS = """id,utterance,acoustic,text
1,u1,-3.0,the cat sat
2,u1,-2.5,the cat zat
3,u2,-1.0,a dog
4,u2,-1.5,the dog sat
"""


@pytest.fixture
def files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("lists.csv").write_text(LISTS)
    Path("right").write_text("u1 the cat sat\nu2 the dog sat\n")


def rescored(models):
    model, words = load_model(models / "trained" / "model")
    return rescore(model, words, read_nbest("lists.csv"))


def test_the_best_texts_are_printed(models, files, capsys):
    assert main(["rescore", str(models / "trained"), "lists.csv", "--weight", "0"]) == 0
    assert capsys.readouterr().out == "u1\tthe cat zat\nu2\ta dog\n"
    how = ["--weight", "0.5", "--reward", "1", "--penalty", "2", "--json"]
    assert main(["rescore", str(models / "trained"), "lists.csv", *how]) == 0
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    scales, lists = Scales(0.5, 1.0, 2.0), rescored(models)
    for row, (name, best) in zip(found, scales.best(lists).items(), strict=True):
        assert row == {
            "utterance": name, "text": best.text, "acoustic": best.acoustic, "language": best.language,
            "unknown": best.unknown, "total": scales.total(best),
        }  # fmt: skip


def test_scales_are_found_on_texts_that_are_known(models, files, capsys):
    assert main(["rescore", str(models / "trained"), "lists.csv", "--reference", "right", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    lists, references = rescored(models), read_references("right")
    scales = Scales.tuned(lists, references)
    assert (found["weight"], found["reward"], found["penalty"]) == (scales.weight, scales.reward, scales.penalty)
    assert (found["utterances"], found["hypotheses"], found["words"]) == (2, 4, 6)
    assert found["wer_acoustic"] == pytest.approx(3 / 6)
    assert found["wer_possible"] == 0
    chosen = {name: one.text for name, one in scales.best(lists).items()}
    assert found["wer"] == word_error_rate(chosen, references)
    assert main(["rescore", str(models / "trained"), "lists.csv", "--reference", "right", "--weight", "0"]) == 0
    out = capsys.readouterr().out
    assert "2 utterances, 4 hypotheses, 6 words\n" in out
    assert "word error rate 50.00%; 50.00% by the acoustic scores alone, 0.00% if the best of each list" in out
    assert "with: --weight 0\n" in out


@pytest.mark.parametrize(
    ("given", "code", "said"),
    [
        ([], 2, "weight must be given, or reference, the right texts by which it is found"),
        (["--reference", "right", "--reward", "1"], 2, "reward and penalty are found together with the weight"),
        (["--weight", "nan"], 2, "weight must be at least 0 and finite"),
        (["--weight", "1", "--text-column", "said"], 3, "has the columns id, utterance, acoustic, text, and no 'said'"),
        (["--reference", "nowhere"], 3, "nowhere does not exist"),
        (["--reference", "other"], 3, "utterance 'u1' has no reference"),
        (["--weight", "1", "--mix", "x"], 2, "mix_weight must be given here"),
    ],
)
def test_mistakes(models, files, capsys, given, code, said):
    Path("other").write_text("u2 the dog sat\n")
    assert main(["rescore", str(models / "trained"), "lists.csv", *given]) == code
    assert said in capsys.readouterr().err


def test_errors_that_can_not_be_counted_are_told_before_any_scoring(models, files, capsys, monkeypatch):
    monkeypatch.setattr("rnnlm.inference.rescoring.score", None)
    Path("right").write_text("u1 the cat sat\n")
    assert main(["rescore", str(models / "trained"), "lists.csv", "--reference", "right"]) == 3
    assert "utterance 'u2' has no reference" in capsys.readouterr().err
