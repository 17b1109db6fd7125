"""Where a file should be there is a pipe, a socket, a device, a folder or a link that leads nowhere."""

import os
import shutil
import socket
from pathlib import Path

import pytest

from rnnlm.backend import NAME
from rnnlm.cli.main import main
from rnnlm.data import load_corpus
from rnnlm.errors import DataError
from tests.hostile.bounded import bounded, outcome_of
from tests.hostile.kinds import KINDS, TEXTS

pytestmark = pytest.mark.skipif(NAME != "numpy" or os.name != "posix", reason="files are read alike by all backends")


def a_socket(path):
    here = os.getcwd()
    os.chdir(path.parent)  # its name may have a hundred bytes
    try:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(path.name)
    finally:
        os.chdir(here)


PLACES = {
    "a pipe": os.mkfifo,
    "a socket": a_socket,
    "a device": lambda path: path.symlink_to("/dev/zero"),
    "a folder": os.mkdir,
    "a link to itself": lambda path: path.symlink_to(path.name),
}


@pytest.mark.parametrize("place", PLACES)
def test_what_is_no_file_is_refused_by_its_name(tmp_path, place):
    """At once, and in no memory to speak of."""
    tried = []
    for number, (name, (write, read)) in enumerate(KINDS.items()):
        if name not in TEXTS:
            folder = tmp_path / str(number)
            folder.mkdir()
            write(folder)
            (folder / name).unlink()
            PLACES[place](folder / name)
            tried.append((name, lambda folder=folder, read=read: read(folder)))

    def all_of_them():
        outcomes = [(name, outcome_of(action)) for name, action in tried]
        wrong = [
            (name, o["kind"], o["said"])
            for name, o in outcomes
            if not o["kind"].endswith(("FileError", "DataError", "InputError"))
        ]
        return wrong or "all refused"

    assert bounded(all_of_them, seconds=15).said == "'all refused'"


@pytest.mark.parametrize("place", ["a pipe", "a device"])
def test_a_checkpoint_that_is_no_folder_is_refused(tmp_path, place):
    from tests.hostile.kinds import read_checkpoint

    (tmp_path / "run" / "checkpoints").mkdir(parents=True)
    PLACES[place](tmp_path / "run" / "checkpoints" / "step-000000000002")
    found = bounded(lambda: read_checkpoint(tmp_path), seconds=5)
    assert (found.kind, "no checkpoint that is whole" in found.said) == ("ModelFileError", True)


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "vocab.txt", "manifest.json"])
def test_the_code_is_that_of_a_bad_model(tmp_path, capsys, name):
    KINDS["model/config.json"][0](tmp_path)
    (tmp_path / "model" / name).unlink()
    (tmp_path / "model" / name).mkdir()
    assert main(["info", str(tmp_path / "model")]) == 3
    assert f"{name} is not a file, but a folder" in capsys.readouterr().err


def test_a_place_to_write_to_that_is_a_link_to_itself_is_a_sentence(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "text").write_text("a b\n" * 20)
    assert main(["data", "encode", "text", "--out", "loop"]) == 1
    assert main(["ngram", "train", "--corpus", "text", "--out", "loop"]) == 1
    options = ["--batch-size", "2", "--time-size", "3", "--hidden-size", "4", "--wordvec-size", "3", "--max-epoch", "1"]
    assert main(["train", "--corpus", "text", *options, "--out", "loop"]) in (1, 2)
    lines = capsys.readouterr().err.splitlines()
    assert len([line for line in lines if line.startswith("rnnlm: ") and "loop" in line]) == 3


def test_a_corpus_that_is_not_there_may_be_named_by_a_path(tmp_path):
    with pytest.raises(DataError, match="is none of them"):
        load_corpus(tmp_path / "missing")


def test_going_on_writes_through_no_link(tmp_path, capsys):
    """Else a stranger's run could have what its checkpoint says written to any file."""
    (tmp_path / "mine").write_text("mine")
    (tmp_path / "text").write_text("a b c d e f g h\n" * 30)
    options = ["--batch-size", "2", "--time-size", "3", "--hidden-size", "4", "--wordvec-size", "3", "--max-epoch", "1"]
    options += ["--lr-rule", "plateau"]
    assert main(["train", *options, "--corpus", str(tmp_path / "text"), "--out", str(tmp_path / "run")]) == 0
    for name in ("metrics.jsonl", "timing.jsonl", "settings.json", ".lock"):
        shutil.copytree(tmp_path / "run", tmp_path / "theirs")
        (tmp_path / "theirs" / name).unlink(missing_ok=True)
        (tmp_path / "theirs" / name).symlink_to(tmp_path / "mine")
        assert main(["train", "--resume", str(tmp_path / "theirs"), "--max-epoch", "2"]) == 2
        assert (tmp_path / "mine").read_text() == "mine"
        assert f"{name} must not be a link" in capsys.readouterr().err
        shutil.rmtree(tmp_path / "theirs")


@pytest.mark.parametrize(
    "words",
    [
        ["data", "encode", "text", "--out", "new/../text", "--overwrite"],
        ["data", "encode", "text", "--out", "new/../other"],
        ["ngram", "train", "--corpus", "text", "--out", "new/../other"],
        ["train", "--corpus", "text", "--batch-size", "2", "--time-size", "3", "--out", "new/../folder"],
    ],
)
def test_nothing_is_written_by_way_of_a_folder_that_is_not_there(tmp_path, monkeypatch, capsys, words):
    monkeypatch.chdir(tmp_path)
    Path("text").write_text("a b c\n" * 20)
    Path("other").write_text("precious")
    Path("folder").mkdir()
    assert main(words) in (1, 2, 3)
    assert "new" in capsys.readouterr().err
    assert Path("text").read_text() == "a b c\n" * 20
    assert Path("other").read_text() == "precious"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder", "other", "text"]


def test_a_pipe_is_no_corpus_and_is_told_why(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(DataError, match="it is a pipe, and a corpus is read more than once: save it as a file"):
        load_corpus(tmp_path / "pipe")
