"""A run that was stopped goes on exactly where it stopped: the same weights and figures, bit for bit."""

import json
import random
import resource
import shutil
import signal
import sys
from hashlib import sha256
from pathlib import Path

import pytest

from rnnlm.backend import NAME
from rnnlm.cli.main import main
from rnnlm.errors import InputError
from rnnlm.experiments import experiment
from rnnlm.experiments.fitting import Fitting
from rnnlm.experiments.results import Results
from rnnlm.saving.lock import locked
from rnnlm.saving.open_folder import manifest_of
from rnnlm.training.keeper import Keeper
from rnnlm.training.run import Run
from rnnlm.training.save_every import SaveEvery
from tests.cli.runs import SMALL, rows

KINDS = {
    "dropout, momentum": ["--optimizer", "momentum", "--lr", "0.5", "--dropout-ratio", "0.3", "--cell", "lstm"],
    "variational, random windows": [
        "--random-bptt", "--time-size", "10", "--variational", "--dropout-ratio", "0.3", "--batch-size", "2",
    ],
    "nt-asgd": ["--optimizer", "asgd", "--lr", "1", "--max-epoch", "5", "--weight-drop", "0.2", "--cell", "lstm"],
    "plateau, adamw": ["--optimizer", "adamw", "--lr-rule", "plateau", "--cell", "gru"],
    "sentences, cosine": ["--sentences", "--lr-rule", "cosine", "--warmup", "3"],
    "nnlm, without evaluation": ["--model", "nnlm", "--optimizer", "rmsprop", "--lr", "0.01", "--no-evaluate"],
    "halving, patience": ["--lr-rule", "halving", "--optimizer", "sgd", "--patience", "1", "--max-epoch", "6"],
}  # fmt: skip
SHORT = "dropout, momentum", "nt-asgd"


def files(folder):
    """What must be the same after all."""
    found = {"metrics": Path(folder, "metrics.jsonl").read_bytes()}
    return found | {path.name: path.read_bytes() for path in Path(folder, "model").iterdir()}


of_files = pytest.mark.skipif(NAME != "numpy", reason="files are written alike by all backends: runs on NumPy")


class Stop(BaseException):
    """As if the machine had died."""


def dies(*_):
    raise Stop


@pytest.mark.parametrize(
    "kind", [kind if kind in SHORT else pytest.param(kind, marks=pytest.mark.long) for kind in KINDS]
)
def test_it_is_the_run_that_was_never_stopped(treebank, monkeypatch, kind):
    options = [*SMALL, *KINDS[kind]]
    assert main(["train", *options, "--out", "whole"]) == 0
    stops, died = random.Random(kind), []
    end_step, finish = Keeper.end_step, Fitting.leave_model

    def end_or_die(self):
        end_step(self)
        if len(died) < 8 and stops.random() < 0.04:
            died.append(self.run.steps)
            raise Stop

    def finish_unless_dead(self):
        if not isinstance(sys.exc_info()[1], Stop):
            finish(self)

    arguments = [*options, "--out", "broken", "--save-every", "3"]
    with monkeypatch.context() as patch:
        patch.setattr(Keeper, "end_step", end_or_die)
        patch.setattr(Fitting, "leave_model", finish_unless_dead)
        while True:
            try:
                assert main(["train", *arguments]) == 0
                break
            except Stop:
                arguments = ["--resume", "broken"]
    assert len(died) > 1
    assert files("broken") == files("whole")
    assert sorted(path.name for path in Path("broken").iterdir()) == sorted(
        path.name for path in Path("whole").iterdir()
    )


def test_a_finished_run_is_left_as_it_is(treebank, capsys):
    assert main(["train", *SMALL, "--out", "out"]) == 0
    before = files("out")
    capsys.readouterr()
    assert main(["train", "--resume", "out"]) == 0
    assert "out is finished: nothing is changed" in capsys.readouterr().out
    assert files("out") == before


def test_a_run_that_lacks_its_final_evaluation_gets_it(treebank, monkeypatch):
    assert main(["train", *SMALL, "--out", "whole"]) == 0
    with monkeypatch.context() as patch:
        patch.setattr(experiment, "final_evaluation", dies)
        with pytest.raises(Stop):
            main(["train", *SMALL, "--out", "out"])
    assert not [row for row in rows("out/metrics.jsonl") if "part" in row]
    with monkeypatch.context() as patch:
        patch.setattr("rnnlm.training.run.Run.step", lambda self: pytest.fail("nothing is left to train"))
        assert main(["train", "--resume", "out"]) == 0
    assert files("out") == files("whole")


@pytest.mark.long
@pytest.mark.parametrize("epoch", [1, 3])
def test_a_signal_while_an_epoch_is_evaluated_is_not_lost(treebank, signals_heard, monkeypatch, capsys, epoch):
    assert main(["train", *SMALL, "--out", "whole"]) == 0
    validate, epochs = Fitting.validate, []

    def asked_to_end(self):
        epochs.append(1)
        if len(epochs) == epoch:
            signal.raise_signal(signal.SIGTERM)
        return validate(self)

    with monkeypatch.context() as patch:
        patch.setattr(Fitting, "validate", asked_to_end)
        assert main(["train", *SMALL, "--out", "out"]) == 143
    assert "stopped; go on with: rnnlm train --resume out" in capsys.readouterr().err
    assert not [row for row in rows("out/metrics.jsonl") if "part" in row]
    assert main(["train", "--resume", "out"]) == 0
    assert files("out") == files("whole")


def test_a_second_signal_ends_at_once(treebank, signals_heard, monkeypatch, capsys):
    """The first one waits for the step, which here never ends."""
    from rnnlm.training.run import Run

    def never(self):
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
        pytest.fail("nobody heard the second signal")

    monkeypatch.setattr(Run, "step", never)
    assert main(["train", *SMALL, "--no-evaluate", "--out", "out"]) == 130
    assert "stopped; go on with" in capsys.readouterr().err


@pytest.mark.long
def test_more_epochs_are_those_of_a_run_that_had_them_from_the_beginning(treebank):
    constant = ["--lr-rule", "constant", "--optimizer", "adam"]
    assert main(["train", *SMALL, *constant, "--max-epoch", "4", "--out", "whole"]) == 0
    assert main(["train", *SMALL, *constant, "--max-epoch", "2", "--out", "out"]) == 0
    assert main(["train", "--resume", "out", "--max-epoch", "4"]) == 0
    assert files("out") == files("whole")
    assert json.loads(Path("out/settings.json").read_text())["max_epoch"] == 4
    assert main(["train", "--resume", "out"]) == 0


def test_what_may_not_change_is_refused_by_name(treebank, capsys):
    assert main(["train", *SMALL, "--lr-rule", "cosine", "--out", "out"]) == 0
    before = files("out")
    for options, said in (
        (["--lr", "3"], "lr of a run that goes on must be 0.001, as before, got 3.0; max_epoch, save_every, corpus"),
        (["--hidden-size", "9"], "hidden_size of a run that goes on must be 8, as before, got 9"),
        (["--seed", "9"], "seed of a run that goes on must be 0, as before, got 9"),
        (["--max-epoch", "9"], "max_epoch of a run whose rate falls as a cosine must be 3, as before, got 9"),
        (
            ["--max-epoch", "2", "--lr-rule", "constant"],
            "lr_rule of a run that goes on must be 'cosine', as before, got",
        ),
        (["--out", "other"], "out must be left out where a run goes on, in its own folder: out"),
        (["--save-every", "soon"], "save_every must be steps, as 200, or a time, as 30s, 10m or 1h, got 'soon'"),
    ):
        assert main(["train", "--resume", "out", *options]) == 2
        assert said in capsys.readouterr().err
    for folder in ("nowhere", "."):
        assert main(["train", "--resume", folder]) == 2
        assert f"resume must be the folder of a run, and {folder} has no whole settings.json" in capsys.readouterr().err
    assert files("out") == before


def damage(path):
    """Flip a bit in the middle of a file."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 4
    path.write_bytes(content)


@pytest.mark.long
@pytest.mark.parametrize("name", ["state.json", "arrays.safetensors", "manifest.json"])
def test_a_damaged_checkpoint_is_moved_aside_and_the_one_before_taken(treebank, capsys, monkeypatch, name):
    assert main(["train", *SMALL, "--out", "whole"]) == 0
    with monkeypatch.context() as patch:
        patch.setattr(experiment, "final_evaluation", dies)
        with pytest.raises(Stop):
            main(["train", *SMALL, "--out", "out", "--save-every", "5"])
    newest = sorted(Path("out/checkpoints").iterdir())[-1]
    damage(newest / name)
    capsys.readouterr()
    assert main(["train", "--resume", "out"]) == 0
    assert "damaged" in (said := capsys.readouterr().err)
    assert f"this checkpoint is now damaged-{newest.name}-" in said
    assert files("out") == files("whole")


def test_no_whole_checkpoint_is_an_error_and_no_fresh_start(treebank, capsys):
    assert main(["train", *SMALL, "--out", "out"]) == 0
    for path in Path("out/checkpoints").iterdir():
        damage(path / "state.json")
    before = files("out")
    assert main(["train", "--resume", "out"]) == 3
    assert "has no checkpoint that is whole: all 2 are damaged" in capsys.readouterr().err
    shutil.rmtree("out/checkpoints")
    assert main(["train", "--resume", "out"]) == 3
    assert "out has no checkpoint to go on from" in capsys.readouterr().err
    assert files("out") == before


@pytest.mark.parametrize(("given", "times"), [("200", [200, 400]), ("1", list(range(1, 401))), ("30s", []), ("2h", [])])
def test_when_to_save(given, times):
    every = SaveEvery(given)
    assert [step for step in range(1, 401) if every.is_time(step)] == times


def test_a_time_to_save_is_by_a_clock_that_does_not_jump(monkeypatch):
    now = [100.0]
    monkeypatch.setattr("rnnlm.training.save_every.monotonic", lambda: now[0])
    every = SaveEvery("10m")
    now[0] += 599
    assert not every.is_time(1)
    now[0] += 2
    assert every.is_time(1)
    every.saved()
    assert not every.is_time(1)


@pytest.mark.parametrize("given", ["", "0", "10x", "-3", "1.5m", "m"])
def test_no_time_to_save_is_refused(given):
    with pytest.raises(InputError, match="save_every must be steps, as 200, or a time"):
        SaveEvery(given)


def stopped(*options, at=40):
    """A run that ends after a step, as if the machine had died."""
    end_step, leave = Keeper.end_step, Fitting.leave_model

    def end_or_die(self):
        end_step(self)
        if self.run.steps == at:
            raise Stop

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Keeper, "end_step", end_or_die)
        patch.setattr(Fitting, "leave_model", lambda self: None)
        with pytest.raises(Stop):
            main(["train", *options])
    assert Fitting.leave_model is leave


@of_files
@pytest.mark.parametrize("optimizer", [["--optimizer", "adam"], ["--optimizer", "asgd", "--lr", "1"]])
def test_a_model_that_is_lost_is_written_again_from_the_best_checkpoint(treebank, capsys, optimizer):
    options = [*SMALL, *optimizer, "--save-every", "5"]
    assert main(["train", *options, "--out", "whole"]) == 0
    stopped(*options, "--out", "out", at=90)
    before = files("out")
    shutil.rmtree("out/model")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Fitting, "fit", dies)
        patch.setattr(Fitting, "leave_model", lambda self: None)
        with pytest.raises(Stop):
            main(["train", "--resume", "out"])
    assert "it is written again, from the best checkpoint" in capsys.readouterr().err
    assert files("out") == before
    assert main(["train", "--resume", "out"]) == 0
    assert files("out") == files("whole")


@of_files
def test_a_model_that_is_lost_without_a_checkpoint_of_it_is_an_error(treebank, capsys):
    stopped(*SMALL, "--save-every", "5", "--out", "out", at=100)
    shutil.rmtree("out/model")
    for path in Path("out/checkpoints").glob("*-best"):
        shutil.rmtree(path)
    assert main(["train", "--resume", "out"]) == 3
    assert "out/model is not a folder" in capsys.readouterr().err


@of_files
def test_a_folder_whose_run_never_began_may_be_taken(treebank, monkeypatch, capsys):
    """Nothing is lost by it; of any other it is refused."""
    assert main(["train", *SMALL, "--out", "whole"]) == 0
    with monkeypatch.context() as patch:
        patch.setattr("rnnlm.saving.checkpoint.Checkpoints.save", dies)
        with pytest.raises(Stop):
            main(["train", *SMALL, "--out", "out"])
    assert main(["train", "--resume", "out"]) == 3
    assert "its training had not begun; begin again with --out out" in capsys.readouterr().err
    assert main(["train", *SMALL, "--out", "out"]) == 0
    assert files("out") == files("whole")
    assert main(["train", *SMALL, "--out", "out"]) == 2
    assert "out must be a new or an empty folder, and out holds " in capsys.readouterr().err


@of_files
def test_the_first_checkpoint_is_written_before_any_step(treebank, monkeypatch, capsys):
    """So that a full disk is met before there is anything to lose."""

    def full(*_, **__):
        raise OSError(28, "No space left on device", "out/checkpoints")

    monkeypatch.setattr("rnnlm.saving.checkpoint.Checkpoints.save", full)
    monkeypatch.setattr("rnnlm.training.run.Run.step", lambda self: pytest.fail("a step was made"))
    assert main(["train", *SMALL, "--out", "out"]) == 1
    assert capsys.readouterr().err == "rnnlm: [Errno 28] No space left on device: 'out/checkpoints'\n"


@of_files
def test_another_training_in_the_folder_is_refused(treebank, capsys):
    assert main(["train", *SMALL, "--out", "out"]) == 0
    with locked(Path("out")):
        assert main(["train", "--resume", "out"]) == 4
    assert "out is in use: another training writes to it" in capsys.readouterr().err
    assert main(["train", "--resume", "out"]) == 0


@of_files
def test_figures_that_were_cut_or_lost_are_there_again(treebank):
    options = [*SMALL, "--save-every", "5"]
    assert main(["train", *options, "--out", "whole"]) == 0
    stopped(*options, "--out", "out", at=120)
    content = Path("out/metrics.jsonl").read_bytes()
    assert len(content) > 100
    Path("out/metrics.jsonl").write_bytes(content[:50])
    Path("out/timing.jsonl").write_bytes(Path("out/timing.jsonl").read_bytes()[:-5])
    assert main(["train", "--resume", "out"]) == 0
    assert files("out") == files("whole")
    assert [row["epoch"] for row in rows("out/timing.jsonl")] == [1, 3]


@of_files
def test_a_line_that_there_is_no_room_for_is_not_written_by_half(tmp_path):
    results = Results.new(tmp_path / "out", "story")
    results.append("metrics.jsonl", {"epoch": 1})
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20, before[1]))
    try:
        with pytest.raises(OSError, match="File too large: '.*metrics.jsonl'"):
            results.append("metrics.jsonl", {"epoch": 2})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        results.close()
    assert (tmp_path / "out" / "metrics.jsonl").read_text() == '{"epoch": 1}\n'


@of_files
@pytest.mark.parametrize(("before", "after", "said"), [("a cat", "a dog", "train"), (" N ", " M ", "vocabulary")])
def test_a_corpus_that_has_changed_is_refused(treebank, capsys, before, after, said):
    """Of the same length, so that nothing else would tell."""
    text = (treebank / "ptb" / "ptb.train.txt").read_text()
    Path("text.txt").write_text(text)
    options = [*SMALL, "--corpus", "text.txt"]
    assert main(["train", *options, "--out", "whole"]) == 0
    stopped(*options, "--out", "out", at=40)
    Path("text.txt").write_text(text.replace(before, after))
    assert main(["train", "--resume", "out"]) == 2
    told = f"the corpus of a run that goes on must be as it was, and of text.txt the {said} has changed"
    assert told in capsys.readouterr().err
    Path("text.txt").write_text(text)
    assert main(["train", "--resume", "out"]) == 0
    assert files("out") == files("whole")


@of_files
def test_a_finished_run_that_is_made_longer_may_die_at_once(treebank):
    constant = [*SMALL, "--lr-rule", "constant", "--optimizer", "adam"]
    assert main(["train", *constant, "--max-epoch", "4", "--out", "whole"]) == 0
    assert main(["train", *constant, "--max-epoch", "2", "--out", "out"]) == 0
    stopped("--resume", "out", "--max-epoch", "4", at=107)
    assert json.loads(Path("out/settings.json").read_text())["max_epoch"] == 4
    assert main(["train", "--resume", "out"]) == 0
    assert files("out") == files("whole")


@of_files
def test_fewer_epochs_than_have_begun_are_refused_and_fewer_than_were_meant_are_kept(treebank, capsys):
    constant = [*SMALL, "--lr-rule", "constant", "--optimizer", "adam", "--save-every", "5"]
    assert main(["train", *constant, "--max-epoch", "2", "--out", "whole"]) == 0
    stopped(*constant, "--max-epoch", "9", "--out", "out", at=90)
    assert main(["train", "--resume", "out", "--max-epoch", "1"]) == 2
    assert "max_epoch must be at least 2, which have begun, got 1" in capsys.readouterr().err
    assert main(["train", "--resume", "out", "--max-epoch", "2"]) == 0
    assert files("out") == files("whole")
    assert main(["train", "--resume", "out"]) == 0
    assert main(["train", *constant, "--max-epoch", "3", "--out", "three"]) == 0
    assert main(["train", "--resume", "out", "--max-epoch", "3"]) == 0
    assert files("out") == files("three")


@of_files
def test_a_run_that_lost_its_patience_is_not_made_longer(treebank, capsys):
    options = [*SMALL, "--lr-rule", "constant", "--optimizer", "sgd", "--lr", "5", "--patience", "1"]
    assert main(["train", *options, "--max-epoch", "15", "--out", "out"]) == 0
    before = files("out")
    assert len([row for row in rows("out/metrics.jsonl") if "epoch" in row]) < 15
    assert main(["train", "--resume", "out", "--max-epoch", "19"]) == 0
    assert "out is finished" in capsys.readouterr().out
    assert files("out") == before


@of_files
def test_a_finished_run_without_its_model_gets_it_again(treebank):
    assert main(["train", *SMALL, "--out", "out"]) == 0
    before = files("out")
    shutil.rmtree("out/model")
    assert main(["train", "--resume", "out"]) == 0
    assert files("out") == before


@of_files
def test_the_settings_are_those_of_the_checkpoint(treebank):
    """Whatever has become of settings.json, which is for people to read."""
    options = [*SMALL, "--dropout-ratio", "0.3", "--save-every", "5"]
    assert main(["train", *options, "--out", "whole"]) == 0
    for content in ('{"dropout_ratio": 0.2}', "{", None):
        stopped(*options, "--out", "out", at=40)
        Path("out/settings.json").unlink()
        if content is not None:
            Path("out/settings.json").write_text(content)
        assert main(["train", "--resume", "out"]) == 0
        assert files("out") == files("whole")
        assert json.loads(Path("out/settings.json").read_text())["dropout_ratio"] == 0.3
        shutil.rmtree("out")


@of_files
def test_sentences_that_are_too_few_to_hold_some_out_are_gone_on_with(treebank):
    Path("few.txt").write_text("a b c\nd e f g\nb c d\na c e g\n" * 3)
    options = [*SMALL, "--corpus", "few.txt", "--sentences", "--max-epoch", "40"]
    assert main(["train", *options, "--out", "whole"]) == 0
    stopped(*options, "--save-every", "2", "--out", "out", at=9)
    assert main(["train", "--resume", "out"]) == 0
    assert files("out") == files("whole")


@of_files
def test_a_corpus_may_have_been_moved(treebank):
    Path("a.txt").write_text((treebank / "ptb" / "ptb.train.txt").read_text())
    options = [*SMALL, "--corpus", "a.txt", "--save-every", "5"]
    assert main(["train", *options, "--out", "whole"]) == 0
    stopped(*options, "--out", "out", at=40)
    Path("elsewhere").mkdir()
    Path("a.txt").rename("elsewhere/b.txt")
    assert main(["train", "--resume", "out", "--corpus", "elsewhere/b.txt"]) == 0
    assert files("out") == files("whole")


@of_files
def test_all_damaged_is_an_error_however_often_it_is_asked(treebank, capsys):
    stopped(*SMALL, "--save-every", "5", "--out", "out", at=40)
    for path in Path("out/checkpoints").iterdir():
        damage(path / "state.json")
    for _ in range(2):
        assert main(["train", "--resume", "out"]) == 3
        assert "has no checkpoint that is whole: all 2 are damaged" in capsys.readouterr().err
    shutil.rmtree("out/checkpoints")
    assert main(["train", "--resume", "out"]) == 3
    assert "no checkpoint to go on from" in capsys.readouterr().err


@of_files
def test_a_second_signal_leaves_the_model_as_it_was(treebank, signals_heard, monkeypatch):
    """In the middle of a step: what the weights are then is no model."""
    right = Run.step

    def twice(self):
        if self.steps == 70:
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGINT)
        right(self)

    monkeypatch.setattr(Run, "step", twice)
    assert main(["train", *SMALL, "--no-evaluate", "--out", "out"]) == 130
    assert not Path("out/model").exists()


@of_files
def test_a_signal_between_looking_and_ending_is_heard_after_the_next_step(treebank, signals_heard, monkeypatch):
    """Nothing is lost: what was done is written down before it ends."""
    right = SaveEvery.is_time

    def is_time(self, steps):
        if steps == 40:
            signal.raise_signal(signal.SIGTERM)
        return right(self, steps)

    monkeypatch.setattr(SaveEvery, "is_time", is_time)
    assert main(["train", *SMALL, "--out", "out"]) == 143
    assert sorted(path.name for path in Path("out/checkpoints").iterdir())[-1] == "step-000000000041"


@of_files
def test_damaged_figures_are_not_taken_over(treebank):
    """The run knows its own."""
    right, damaged = Fitting.end_epoch, []

    def end_epoch(self, report):
        stop = right(self, report)
        if not damaged:
            damage(Path("out/metrics.jsonl"))
            damaged.append(report.epoch)
        return stop

    assert main(["train", *SMALL, "--out", "whole"]) == 0
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Fitting, "end_epoch", end_epoch)
        stopped(*SMALL, "--save-every", "5", "--out", "out", at=100)
    assert main(["train", "--resume", "out"]) == 0
    assert files("out") == files("whole")


@pytest.mark.parametrize("step", [2, 20])
def test_a_run_whose_folder_is_gone_does_not_go_on_in_another(treebank, monkeypatch, capsys, step):
    """Neither in a new one, nor in that of a training which has taken its place."""
    right = Fitting.end_step

    def end_step(self):
        if self.training.steps == step:
            Path("out").rename("moved")
            Path("out").mkdir()
            Path("out/mine").write_text("of another training")
        return right(self)

    monkeypatch.setattr(Fitting, "end_step", end_step)
    assert main(["train", *SMALL, "--out", "out"]) == 1
    assert "(it was removed or moved during the training; nothing more is written): 'out'" in capsys.readouterr().err
    assert [path.name for path in Path("out").iterdir()] == ["mine"]


def test_paths_that_settings_can_not_hold_are_refused_before_training(treebank, capsys):
    assert main(["train", *SMALL, "--out", "caf\udce9"]) == 2
    assert "out must be Unicode characters, to be saved in the settings, got 'caf\\udce9'" in capsys.readouterr().err
    assert not Path("caf\udce9").exists()


@pytest.mark.parametrize(("key", "value"), [("figures", -1), ("curves", []), ("texts", 3)])
def test_a_state_that_no_run_has_is_told_before_anything_is_written(treebank, capsys, key, value):
    assert main(["train", *SMALL, "--out", "out"]) == 0
    path = max(Path("out/checkpoints").iterdir()) / "state.json"
    state = json.loads(path.read_text())
    state["state"][key] = value
    path.write_text(json.dumps(state))
    before, content = Path("out/settings.json").read_text(), path.read_bytes()
    files = {file.name: file.read_bytes() for file in path.parent.iterdir() if file.name != "manifest.json"}
    digests = {name: {"bytes": len(data), "sha256": sha256(data).hexdigest()} for name, data in files.items()}
    (path.parent / "manifest.json").write_bytes(manifest_of(digests))
    capsys.readouterr()
    assert main(["train", "--resume", "out", "--max-epoch", "9"]) in (2, 3)
    assert "Traceback" not in capsys.readouterr().err
    assert Path("out/settings.json").read_text() == before
    assert path.read_bytes() == content
