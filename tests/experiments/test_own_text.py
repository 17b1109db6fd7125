"""Text of one's own: the recipe it has, words it knows and does not know, and what is said of its epochs."""

import json
import random
import shutil
from math import exp
from pathlib import Path

import numpy as np
import pytest

from rnnlm import encode_corpus, load_model
from rnnlm.backend import NAME
from rnnlm.cli.main import main
from rnnlm.cli.options import parse
from rnnlm.experiments.curves import BY_HEART, by_heart_since
from rnnlm.experiments.resuming import saved_settings
from rnnlm.experiments.settings import TrainConfig
from rnnlm.inference.evaluation import token_nats
from rnnlm.training.keeper import Keeper
from tests.cli.runs import rows
from tests.gradcheck import host

SIZES = ["--batch-size", "4", "--time-size", "5", "--hidden-size", "8", "--wordvec-size", "6", "--max-epoch", "3"]
pytestmark = pytest.mark.skipif(NAME != "numpy", reason="about words and what is said of them: runs on NumPy")


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder with a text in which every fifth word occurs once."""
    monkeypatch.chdir(tmp_path)
    draw = random.Random(0)
    text = [draw.choice("abcdef") if i % 5 else f"name{i}" for i in range(900)]
    Path("text").write_text("".join(f"{' '.join(text[i : i + 9])}\n" for i in range(0, 900, 9)))
    return tmp_path


def train(*options, out="out"):
    assert main(["train", "--corpus", "text", *SIZES, *options, "--out", out]) == 0
    return rows(f"{out}/metrics.jsonl")


def test_a_word_that_the_text_has_not_is_about_as_likely_as_words_are_that_occur_once(here):
    nats = {}
    for rate in ("0.5", "0"):
        train("--unk-rate", rate, "--max-epoch", "12", "--lr", "0.01", out=rate)
        model, words = load_model(Path(rate, "model"))
        ids = words.encode(" ".join(f"{a} b c new {a}" for a in "abcdef" * 5))
        nats[rate] = token_nats(model, ids)[ids[1:] == words.unk_id].mean()
    assert exp(-nats["0.5"]) > 0.03 > 3 * exp(-nats["0"])  # a tenth of the tokens were <unk>; or none


def test_without_unknown_words_text_trains_as_what_it_is_encoded_to(here):
    encode_corpus("text", "text.ids")
    train("--unk-rate", "0", out="text0")
    train(out="text1")
    train("--corpus", "text.ids", out="ids")
    train("--unk-rate", "0", "--sentences", out="lines0")
    train("--sentences", out="lines1")
    figures = {name: Path(name, "metrics.jsonl").read_bytes() for name in ("text0", "text1", "ids", "lines0", "lines1")}
    assert figures["text0"] == figures["ids"] != figures["text1"]
    assert figures["lines0"] == figures["lines1"]


def test_a_run_that_was_stopped_goes_on_with_the_same_unknown_words(here, monkeypatch):
    train(out="whole")

    class Stop(BaseException):
        pass

    right = Keeper.end_step

    def dies(self):
        right(self)
        if self.run.steps == 60:
            raise Stop

    monkeypatch.setattr(Keeper, "end_step", dies)
    with pytest.raises(Stop):
        train("--save-every", "7")
    monkeypatch.setattr(Keeper, "end_step", right)
    assert main(["train", "--resume", "out"]) == 0
    for name in ("metrics.jsonl", "model/model.safetensors"):
        assert Path("out", name).read_bytes() == Path("whole", name).read_bytes()


def test_a_run_of_before_there_was_such_an_option_goes_on_without(here):
    train("--max-epoch", "1")
    settings = json.loads(Path("out/settings.json").read_text())
    assert settings.pop("unk_rate") == TrainConfig.unk_rate
    Path("out/settings.json").write_text(json.dumps(settings))
    shutil.rmtree("out/checkpoints")
    assert saved_settings(Path("out"))["unk_rate"] == 0


def test_own_text_has_a_recipe_of_its_own(here):
    assert (
        main(["train", "--corpus", "text", *SIZES, "--max-epoch", "1", "--no-evaluate"]) == 0
    )  # though it has patience
    settings = json.loads(Path("runs/text-001/settings.json").read_text())
    assert (settings["recipe"], settings["lr_rule"], settings["cell"]) == ("text", "plateau", "gru")
    for arguments, name in ((["--corpus", "ptb"], "story"), ([], "story"), (["--recipe", "nnlm"], "nnlm")):
        assert parse(["train", *arguments]).recipe == name
    assert parse(["train", "--recipe", "story", "--corpus", "text"]).lr_rule == "cosine"
    for model in (["--cell", "rnn"], ["--model", "nnlm"], ["--model", "cbow-lm"]):
        parse(["train", "--corpus", "text", *model]).check()


def test_a_model_begins_with_the_frequencies_of_words(here):
    """And not with more `<unk>` than it reads, nor without any."""
    train("--lr", "1e-9", "--max-epoch", "1")
    model, words = load_model(Path("out/model"))
    shares = np.exp(host(model.state_dict()["affine.b"]))
    assert shares.sum() == pytest.approx(1, rel=0.02)
    assert 0.08 < shares[words.unk_id] < 0.1  # of 900 words a fifth, and then half of them; and 100 ends of lines
    assert shares[words.eos_id] == pytest.approx(0.1, rel=0.02)


def test_the_best_epoch_is_told_and_written_down(here, capsys):
    found = train("--lr", "0.05", "--max-epoch", "6")
    valid = [row["valid_perplexity"] for row in found if "epoch" in row]
    epoch, value = int(np.argmin(valid)) + 1, min(valid)
    assert {"best_epoch": epoch, "best_valid_perplexity": value} in found
    assert f"best model: epoch {epoch}, valid {value:.2f}\n" in capsys.readouterr().out
    assert main(["info", "out"]) == 0
    assert capsys.readouterr().out.count(f"best model       epoch {epoch}, valid {value:.2f}\n") == 1
    assert main(["info", "out/model"]) == 0
    assert "best model" not in capsys.readouterr().out


def test_learning_by_heart_is_said_once(here, capsys):
    options = ["--lr", "0.03", "--lr-rule", "constant", "--patience", "9", "--max-epoch", "9", "--hidden-size", "50"]
    found = [row for row in train(*options, "--dropout-ratio", "0", "--unk-rate", "0") if "epoch" in row]
    since = by_heart_since(*([row[f"{part}_perplexity"] for row in found] for part in ("train", "valid")))
    assert since is not None
    assert capsys.readouterr().err.count(BY_HEART) == 1


@pytest.mark.parametrize(
    ("train", "valid", "since"),
    [([9, 8, 7, 6], [5, 4, 5, 6], 4), ([9, 8, 7, 7], [5, 4, 5, 6], None), ([9, 8, 7, 6], [5, 4, 5, 5], None)],
)
def test_learning_by_heart_is_valid_that_rises_twice_while_train_falls(train, valid, since):
    assert by_heart_since(train, valid) == since
    assert by_heart_since(train, []) is None
