"""--quiet, --log-file, --version."""

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

import rnnlm
from rnnlm.cli.main import main
from rnnlm.progress import note, progress_bar, telling
from tests.cli.runs import SMALL, script
from tests.cli.test_terminal import Terminal

TRAIN = ["train", *SMALL, "--max-epoch", "1"]


def test_quiet_leaves_results_and_errors(treebank, capsys):
    assert main([*TRAIN, "--quiet"]) == 0
    streams = capsys.readouterr()
    assert "test perplexity" in streams.out
    assert streams.err == ""
    assert main([*TRAIN, "--quiet", "--lr", "-1"]) == 2
    assert "lr must be positive" in capsys.readouterr().err


def test_a_log_has_what_is_told_without_bars(treebank, capsys):
    Path("log").write_text("before\n")
    assert main(["--log-file", "log", *TRAIN]) == 0
    streams = capsys.readouterr()
    assert "windows [" in streams.err
    log = Path("log").read_text()
    told = streams.out.splitlines() + [line for line in streams.err.splitlines() if line.startswith("rnnlm: ")]
    assert sorted(log.splitlines()) == sorted(["before", *told])
    assert log.index("before") < log.index("memory: at least") < log.index("epoch   1") < log.index("test perplexity")


def test_a_log_of_a_quiet_command_has_its_notes_and_errors(treebank, capsys):
    assert main([*TRAIN, "--quiet", "--log-file=log"]) == 0
    assert "rnnlm: memory: at least" in Path("log").read_text()
    assert capsys.readouterr().err == ""
    assert main(["eval", "nowhere", "--log-file=log"]) == 3
    said = capsys.readouterr().err
    assert Path("log").read_text().endswith(said)


def test_the_script_obeys_too(treebank, capsys):
    assert script("train_ptb").main([*SMALL[2:], "--no-evaluate", "--quiet", "--log-file", "log"]) == 0
    streams = capsys.readouterr()
    assert streams.err == ""
    assert set(streams.out.splitlines()) < set(Path("log").read_text().splitlines())


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--log-file", "/proc/none/log"], "log_file must be a file that can be written, got /proc/none/log"),
        (["--log-file", "."], "log_file must be a file that can be written, got ."),
        (["--log-file", "/dev/null"], "log_file must be a file, and /dev/null is none"),
        (["--log-file", "pipe"], "log_file must be a file that can be written, got pipe"),
        (["--log-file"], "log_file must be followed by the name of a file"),
        (["--log-file="], "log_file must be followed by the name of a file"),
    ],
)
def test_a_log_that_can_not_be_written_is_refused_before_any_work(treebank, capsys, words, said):
    os.mkfifo("pipe")
    assert main([*TRAIN, *words]) == 2
    streams = capsys.readouterr()
    assert said in streams.err
    assert not streams.out
    assert not Path("runs").exists()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a full disk: /dev/full")
def test_a_log_whose_disk_is_full_costs_nothing(treebank, capsys, monkeypatch):
    monkeypatch.setattr("rnnlm.cli.output._opened", lambda path: open("/dev/full", "w"))  # noqa: SIM115
    assert main([*TRAIN, "--log-file", "log"]) == 0
    streams = capsys.readouterr()
    assert streams.err.count("nothing more goes to the log: [Errno 28]") == 1
    assert "test perplexity" in streams.out


def test_a_note_makes_a_bar_on_the_same_terminal_give_way(tmp_path, monkeypatch):
    """The bar is on the terminal itself, the note goes to both."""
    from rnnlm.cli.output import _obeyed

    monkeypatch.setattr(sys, "stderr", Terminal())
    monkeypatch.setenv("COLUMNS", "80")
    terminal = sys.stderr
    with _obeyed(["--log-file", str(tmp_path / "log")]), progress_bar(5, 1) as bar:
        bar.refresh()
        note("a line")
    assert "\rrnnlm: a line\n" in terminal.getvalue()
    assert (tmp_path / "log").read_text() == "rnnlm: a line\n"
    assert sys.stderr is terminal


def test_where_things_are_told_is_put_back():
    notes = io.StringIO()
    with telling(notes=notes):
        note("one")
    with telling(notes=None):
        note("two")
    assert notes.getvalue() == "rnnlm: one\n"


@pytest.mark.parametrize("words", [["--version"], ["train", "--version"], ["--quiet", "eval", "--version"]])
def test_the_version_is_told_anywhere(words, capsys):
    assert main(words) == 0
    assert capsys.readouterr().out == f"rnnlm {rnnlm.__version__}\n"


def test_quiet_holds_for_a_process(models, clean_env):
    command = [sys.executable, "-m", "rnnlm", "generate", str(models / "trained"), "--seed", "1", "--quiet"]
    found = subprocess.run(command, env=clean_env, capture_output=True, text=True, check=True)
    assert found.stdout
    assert not found.stderr


def test_a_log_is_none_of_the_files_that_are_read(treebank, capsys):
    text = Path("text")
    text.write_text("a b\n" * 20)
    for words in (["data", "check", "text", "--log-file", "text"], ["data", "check", "./text", "--log-file=text"]):
        assert main(words) == 2
        assert "log_file must be a file of its own" in capsys.readouterr().err
    assert text.read_text() == "a b\n" * 20


def test_quiet_takes_no_value(capsys):
    assert main(["recipes", "--quiet=false"]) == 2
    assert "quiet takes no value: --quiet, or leave it out" in capsys.readouterr().err


def test_a_log_may_stand_beside_a_model_and_be_appended_to(models, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("settings.json").write_text("{}")
    for _ in range(2):
        assert main(["info", str(models / "trained"), "--log-file", "info.log"]) == 0
    assert Path("info.log").read_text().count("LSTM") % 2 == 0


def test_a_log_is_no_file_of_a_model_and_no_text_that_is_read(models, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("lm.arpa").touch()
    assert main(["info", str(models / "trained"), "--log-file", "lm.arpa"]) == 2
    vocabulary = models / "trained" / "model" / "vocab.txt"
    before = vocabulary.read_bytes()
    assert main(["info", str(models / "trained"), "--log-file", str(vocabulary)]) == 2
    assert "log_file must be no file of a model, a run or a picture" in capsys.readouterr().err
    assert vocabulary.read_bytes() == before
    Path("text").write_text("a b\n" * 9)
    assert main(["vectors", "train", "--corpus=text", "--log-file", "text", "--out", "v.txt"]) == 2
    assert "log_file must be a file of its own" in capsys.readouterr().err
    assert Path("text").read_text() == "a b\n" * 9
