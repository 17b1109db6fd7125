import json
import re

import numpy as np
import pytest

from rnnlm import NNLM, load_model, save_model, story
from rnnlm.cli.main import main
from rnnlm.models.quantized import QuantizedModel


@pytest.fixture
def here(models, tmp_path, monkeypatch):
    """A folder with a model, the run that it is of, its text, and models that can't have small weights."""
    for name in ("trained", "text", "storyish"):
        (tmp_path / name).symlink_to(models / name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(("to", "dtype"), [("int8", np.int8), ("float16", np.float16)])
def test_a_run_becomes_a_small_model_that_all_commands_take(here, to, dtype, capsys):
    assert main(["quantize", "trained", "--to", to]) == 0
    out = capsys.readouterr().out
    after, before = (int(n.replace(",", "")) for n in re.findall(r"[\d,]+(?= bytes)|(?<=place of )[\d,]+", out))
    assert out.startswith(f"trained-{to}: {to}, ")
    model, words = load_model(f"trained-{to}")
    assert isinstance(model, QuantizedModel)
    assert (model.params[0].dtype, after) == (dtype, sum(p.nbytes for p in model.params))
    assert before == sum(p.nbytes for p in load_model("trained/model")[0].params)
    for command in (["score", f"trained-{to}", "text"], ["generate", f"trained-{to}", "--length", "3"]):
        assert main(command) == 0
    assert main(["info", f"trained-{to}"]) == 0
    assert f"QuantizedModel, {len(words)} words, {to}, seed 0" in capsys.readouterr().out
    assert main(["compare", f"trained-{to}", "trained", "--corpus", "text"]) == 0
    perplexities = []
    for folder in ("trained", f"trained-{to}"):
        capsys.readouterr()
        assert main(["eval", folder, "--corpus", "text", "--json"]) == 0
        perplexities.append(json.loads(capsys.readouterr().out)["perplexity"])
    assert perplexities[1] == pytest.approx(perplexities[0], rel=0.005)


def test_a_folder_can_be_named(here):
    assert main(["quantize", "storyish", "-o", "small"]) == 0
    assert load_model("small")[0].config.weights == "int8"
    assert not (here / "storyish-int8").exists()


def test_a_damaged_one_is_seen(here, capsys):
    assert main(["quantize", "storyish", "--out", "small"]) == 0
    content = bytearray((here / "small" / "model.safetensors").read_bytes())
    content[-3] ^= 1
    (here / "small" / "model.safetensors").write_bytes(content)
    assert main(["info", "small"]) == 3
    assert "model.safetensors is damaged" in capsys.readouterr().err


WRONG = [
    (2, ["quantize"], "required"),
    (2, ["quantize", "trained", "--to", "int4"], "invalid choice 'int4'"),
    (2, ["quantize", "trained", "--out", "storyish"], "out must be a new folder, and storyish exists: name another"),
    (2, ["quantize", "small", "--out", "new"], "model must not have small weights already, got int8: take its source"),
    (2, ["quantize", "lm.arpa", "--out", "new"], "model must be a recurrent language model, and lm.arpa has n-grams"),
    (2, ["quantize", "nnlm", "--out", "new"], "to have small weights, got NNLM"),
    (3, ["quantize", "nowhere", "--out", "new"], "nowhere does not exist"),
    (2, ["train", "--resume", "small"], "resume must be the folder of a run, and small has"),
]


@pytest.mark.parametrize(("code", "arguments", "message"), WRONG)
def test_what_is_refused(here, code, arguments, message, capsys):
    assert main(["quantize", "storyish", "--out", "small"]) == 0
    save_model("nnlm", NNLM(102, 3, 4), story.vocabulary())
    assert main(["ngram", "train", "--corpus", "text", "--out", "lm.arpa", "--order", "2"]) == 0
    there = {path.name for path in here.iterdir()}
    capsys.readouterr()
    assert main(arguments) == code
    assert message in capsys.readouterr().err
    assert {path.name for path in here.iterdir()} == there
