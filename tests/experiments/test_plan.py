"""What is known before the first step: sizes, memory, time; a dry run."""

import json
import re
import shutil
import tracemalloc
from dataclasses import replace
from pathlib import Path

import pytest

from rnnlm.backend import ops
from rnnlm.cli.main import main
from rnnlm.errors import InputError
from rnnlm.experiments.experiment import run
from rnnlm.experiments.forecast import Forecast, in_time
from rnnlm.experiments.memory import Memory, in_bytes
from rnnlm.experiments.plan import prepare
from rnnlm.experiments.settings import TrainConfig
from rnnlm.models import build
from tests.cli.runs import SMALL


def everything(folder):
    """All files below a folder and what is in them."""
    return {path: path.read_bytes() for path in Path(folder).rglob("*") if path.is_file()}


# ---------------------------------------------------------------- a dry run


def test_a_dry_run_says_what_a_run_would_do_and_writes_nothing(treebank, capsys):
    before = everything(".")
    assert main(["train", *SMALL, "--dry-run"]) == 0
    said = capsys.readouterr()
    assert everything(".") == before
    assert not Path("runs").exists()
    assert main(["train", *SMALL]) == 0
    ran = capsys.readouterr().out.splitlines()
    assert ran[0] in said.out  # tokens, words, parameters
    assert ran[2] in said.out  # settings
    assert "159 steps: 3 epochs of 53 windows of 20 tokens" in said.out
    assert "TimeEmbedding" in said.out
    assert "results would be in runs/book-rnn-001" in said.out
    assert "memory: at least " in said.err
    assert main(["train", *SMALL, "--dry-run"]) == 0
    assert "results would be in runs/book-rnn-002" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("code", "words", "said"),
    [
        (2, ["--out", "data"], "out must be a new or an empty folder, and data holds ptb"),
        (1, ["--out", "file/out"], "Not a directory"),
        (3, ["--corpus", "nowhere.txt"], "'nowhere.txt' is none of them"),
        (3, ["--batch-size", "5000"], "the corpus is too short"),
        (2, ["--lr", "-1"], "lr must be positive"),
        (2, ["--hidden-size", "2000000"], "sizes must fit into the"),
        (2, ["--warmup", "9"], "has an effect only"),
        (2, ["--init-embedding", "nowhere"], "nowhere"),
    ],
)
def test_a_dry_run_refuses_what_a_run_would(treebank, capsys, code, words, said):
    Path("file").touch()
    refused = []
    for dry in ([], ["--dry-run"]):
        assert main(["train", *SMALL, *words, *dry]) in (code, 3)
        refused.append(capsys.readouterr().err.splitlines()[-1])
        assert said in refused[-1]


def test_a_dry_run_of_one_that_goes_on_changes_nothing(models, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    shutil.copytree(models / "trained", "run")
    before = everything("run")
    assert main(["train", "--resume", "run", "--dry-run"]) == 0
    assert everything("run") == before
    shown = capsys.readouterr().out
    assert "results would be in run" in shown
    steps, done = (re.search(rf"^([\d,]+) {what}", shown, re.M)[1] for what in ("steps: 2 epochs", "of them are done"))
    assert steps == done
    Path("other").write_text("a b c d e\n" * 300)
    assert main(["train", "--resume", "run", "--corpus", "other", "--dry-run"]) == 2
    assert "the corpus of a run that goes on must be as it was, and of other the train has changed" in (
        capsys.readouterr().err
    )
    assert everything("run") == before


def test_a_dry_run_says_what_is_not_installed(treebank, monkeypatch, capsys):
    monkeypatch.setitem(__import__("sys").modules, "matplotlib", None)
    assert main(["train", *SMALL, "--dry-run"]) == 0
    assert "no picture would be drawn: a picture needs the extra 'plot'" in capsys.readouterr().err


# ---------------------------------------------------------------- memory


def test_sizes_for_which_there_is_no_memory_are_refused_before_any_is_taken(treebank, monkeypatch):
    monkeypatch.setattr(build, "build_model", None)
    monkeypatch.setattr("rnnlm.experiments.plan.build_model", None)  # would be called
    config = TrainConfig.from_recipe("book-lstm", corpus="ptb", batch_size=4, time_size=5)
    with pytest.raises(InputError) as error:
        prepare(replace(config, model=replace(config.model, hidden_size=2_000_000, dtype="float64")))
    said = str(error.value)
    for name in (
        "vocab_size 12",
        "wordvec_size 100",
        "hidden_size 2,000,000",
        "layers 1",
        "batch_size 4",
        "time_size 5",
    ):
        assert name in said
    assert "in float64 they take 384 TB" in said
    assert "take smaller ones" in said


def test_room_is_asked_of_the_machine(treebank, monkeypatch):
    config = TrainConfig.from_recipe("book-rnn", batch_size=4, time_size=5)
    prepare(config)
    monkeypatch.setattr(ops, "memory", lambda: 1_000)
    with pytest.raises(InputError, match="sizes must fit into the 1 kB of memory that this machine has"):
        prepare(config)
    monkeypatch.setattr(ops, "memory", lambda: None)
    prepare(config)


@pytest.mark.parametrize("name", ["book-rnn", "book-lstm", "better", "nnlm"])
def test_memory_is_about_what_a_step_takes(treebank, name):
    """Weights exactly, where the optimiser remembers nothing; of a window most of it, and hardly more."""
    sizes = {"hidden_size": 48, "wordvec_size": 48, "batch_size": 20, "time_size": 40}
    config = TrainConfig.from_recipe(name, **sizes, optimizer="sgd", evaluate=False)
    for plan in (prepare(config), prepare(config)):  # the first one loads what has to be loaded
        tracemalloc.start()
        plan.model.forward(*plan.batches.window(0))
        plan.model.backward()
        taken = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert plan.memory.weights == 3 * sum(p.nbytes for p in plan.model.params)
    assert 0.6 * taken < plan.memory.windows < 1.1 * taken


def test_memory_grows_with_the_type_and_the_optimizer():
    config = TrainConfig.from_recipe("book-lstm")
    small = Memory.of(config, config.model_config(10_000))
    double = replace(config, model=replace(config.model, dtype="float64"))
    assert Memory.of(double, double.model_config(10_000)).weights == 2 * small.weights
    adam = replace(config, optimizer="adam")
    assert 3 * Memory.of(adam, adam.model_config(10_000)).weights == 5 * small.weights


@pytest.mark.parametrize(
    ("size", "said"), [(0, "0 B"), (999, "999 B"), (1_000, "1 kB"), (2.34e12, "2.34 TB"), (1e22, "1e+04 EB")]
)
def test_bytes_for_people(size, said):
    assert in_bytes(size) == said


# ---------------------------------------------------------------- time


def forecast(capsys, seconds, steps, left):
    """What is said while so many steps are done, each of so many seconds."""
    now = [0.0]
    heard = Forecast(left, lambda: now[0])
    for _ in range(steps):
        now[0] += seconds
        heard.end_step()
    return capsys.readouterr().err


def test_time_is_told_once_it_is_known(capsys):
    assert forecast(capsys, 1, 6, 1_000) == ""  # too few
    assert forecast(capsys, 0.01, 250, 1_000) == ""  # too short a time
    assert (
        forecast(capsys, 1, 900, 1_000) == "rnnlm: at most about 17 min of training are left, evaluation not counted\n"
    )
    assert forecast(capsys, 1, 8, 12) == ""  # soon over


@pytest.mark.parametrize(
    ("seconds", "said"), [(12.4, "12 s"), (100, "2 min"), (5_900, "99 min"), (12_001, "3 h 21 min")]
)
def test_times_for_people(seconds, said):
    assert in_time(seconds) == said


def test_a_training_hears_it(treebank, monkeypatch):
    heard = []
    monkeypatch.setattr(Forecast, "end_step", lambda self: heard.append(self.left))
    run(TrainConfig.from_recipe("book-rnn", batch_size=4, time_size=5, max_epoch=2, evaluate=False, out=Path("out")))
    assert heard == [106] * 106
    assert json.loads(Path("out/settings.json").read_text())["max_epoch"] == 2
