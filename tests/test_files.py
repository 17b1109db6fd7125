import os
import stat
from pathlib import Path

import pytest

from rnnlm import files
from rnnlm.files import write_atomic


def test_it_writes_and_replaces(tmp_path):
    path = tmp_path / "a"
    for content in (b"one", b"", b"three"):
        write_atomic(path, content)
        assert path.read_bytes() == content
    assert [p.name for p in tmp_path.iterdir()] == ["a"]


def test_permissions_are_those_of_a_new_file(tmp_path):
    write_atomic(tmp_path / "a", b"")
    (tmp_path / "b").touch()
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == stat.S_IMODE((tmp_path / "b").stat().st_mode)


def test_a_link_stays_a_link(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "target")
    write_atomic(tmp_path / "link", b"new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "target").read_bytes() == b"new"


def test_a_failure_leaves_the_old_file_and_no_other(tmp_path, monkeypatch):
    write_atomic(tmp_path / "a", b"old")

    def full(_handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_atomic(tmp_path / "a", b"new")
    assert (tmp_path / "a").read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["a"]


def test_a_way_through_a_folder_that_is_not_there_leads_nowhere(tmp_path, monkeypatch):
    """The operating system says so; with links resolved it would be the file beside."""
    monkeypatch.chdir(tmp_path)
    Path("precious").write_text("old")
    for path in ("new/../precious", Path("new/../precious")):
        with pytest.raises(FileNotFoundError, match="new"):
            write_atomic(path, b"new")
    assert Path("precious").read_text() == "old"
    Path("new").mkdir()
    write_atomic("new/../precious", b"new")
    assert Path("precious").read_text() == "new"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["new", "precious"]
