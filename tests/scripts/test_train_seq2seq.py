import json

import numpy as np
import pytest

from rnnlm import AttentionSeq2seq, additions
from rnnlm.errors import DataError, InputError
from rnnlm.experiments.answers import AnswersConfig, run
from tests.cli.runs import rows, script

SMALL = {"count": 200, "hidden_size": 12, "wordvec_size": 6, "max_epoch": 2, "batch_size": 32, "lr": 0.01}


def test_it_leaves_a_folder_and_compares(tmp_path, monkeypatch, capsys):
    """Figures, weights and pictures; the same again for the same seed."""
    pytest.importorskip("matplotlib", reason="needs the extra 'plot'")
    monkeypatch.chdir(tmp_path)
    program = script("train_seq2seq")
    options = [word for key, value in SMALL.items() for word in (f"--{key.replace('_', '-')}", str(value))]
    for out in ("one", "two"):
        program.main([*options, "--model", "attention", "--bidirectional", "--lengths", "--out", out])
        shown = capsys.readouterr().out
        assert "180 questions to learn from, 20 to test with" in shown
        assert shown.count(" -> ") == 4
    one = tmp_path / "one"
    assert rows(one / "metrics.jsonl") == rows(tmp_path / "two" / "metrics.jsonl")
    assert [row["epoch"] for row in rows(one / "metrics.jsonl")] == [1, 2]
    assert json.loads((one / "settings.json").read_text())["model"] == "attention"
    for name in ("learning.png", "attention.png"):
        assert (one / name).read_bytes().startswith(b"\x89PNG")
    pairs = additions(200)
    model = AttentionSeq2seq(len(pairs.characters), 6, 12, bidirectional=True)
    model.load_params(one / "model.safetensors")
    _, test = pairs.split(0)
    assert model.accuracy((test.questions, test.lengths), test.answers) == rows(one / "metrics.jsonl")[-1]["accuracy"]
    program.main(["compare", "one", "two", "--out", "both.png"])
    assert (tmp_path / "both.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(InputError, match="nowhere has no metrics.jsonl"):
        program.main(["compare", "nowhere"])


def test_pairs_of_a_file_are_learned(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "twice.txt").write_text("".join(f"{n}_{2 * n}\n" for n in range(50)))
    run(AnswersConfig(**{**SMALL, "data": "twice.txt", "model": "peeky", "reverse": True, "beams": 2}))
    assert (tmp_path / "runs" / "twice-peeky-001" / "model.safetensors").is_file()


def test_questions_are_read_as_told():
    pairs = additions(30)
    plain, backwards = (AnswersConfig(reverse=reverse).inputs(pairs) for reverse in (False, True))
    np.testing.assert_array_equal(backwards, plain[:, ::-1])
    turned, lengths = AnswersConfig(reverse=True, lengths=True).inputs(pairs)
    for row, was, length in zip(turned, pairs.questions, lengths):
        np.testing.assert_array_equal(row[:length], was[:length][::-1])
        np.testing.assert_array_equal(row[length:], was[length:])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"model": "attentive"}, "model must be one of plain, peeky, attention, got 'attentive'"),
        ({"max_epoch": 0}, "max_epoch"),
        ({"count": 5}, "count"),
        ({"lr": 0.0}, "lr"),
        ({"data": "few.txt"}, "data must have at least 10 questions"),
    ],
)
def test_bad_settings_are_refused_before_anything_is_written(options, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "few.txt").write_text("1_2\n")
    with pytest.raises(InputError, match=message):
        run(AnswersConfig(**options))
    with pytest.raises(DataError, match="does not exist"):
        run(AnswersConfig(data="dates.txt"))
    assert not (tmp_path / "runs").exists()
