"""A folder is one process's."""

import shutil
import subprocess
import sys

import pytest

from rnnlm.errors import BusyError
from rnnlm.saving.lock import LOCK, locked

TRY = "import sys\nfrom pathlib import Path\nfrom rnnlm.saving.lock import locked\nlocked(Path(sys.argv[1]))"


def test_another_process_is_told_that_a_folder_is_in_use(tmp_path, clean_env):
    def other():
        return subprocess.run([sys.executable, "-c", TRY, tmp_path], env=clean_env, capture_output=True, text=True)

    with locked(tmp_path):
        assert (tmp_path / ".lock").exists()
        done = other()
        assert done.returncode == 1
        assert f"{tmp_path} is in use: another training writes to it" in done.stderr
    assert other().returncode == 0


def test_nobody_waits_for_a_lock(tmp_path, monkeypatch):
    with locked(tmp_path):
        monkeypatch.setattr("time.sleep", lambda seconds: pytest.fail("waits"))
        with pytest.raises(BusyError):
            locked(tmp_path)


def test_a_lock_that_was_let_go_can_be_taken(tmp_path):
    lock = locked(tmp_path)
    with pytest.raises(BusyError, match="is in use: another training writes to it"):
        locked(tmp_path)
    lock.release()
    locked(tmp_path).release()


def test_a_folder_that_was_removed_moved_or_replaced_is_not_written_to(tmp_path):
    folder = tmp_path / "kept"
    for change in (
        lambda: shutil.rmtree(folder),
        lambda: folder.rename(tmp_path / "moved"),
        lambda: (folder.rename(tmp_path / "away"), folder.mkdir(), locked(folder)),
    ):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        with locked(folder) as held:
            held.expect_held()
            change()
            with pytest.raises(
                FileNotFoundError, match="removed or moved during the training; nothing more is written"
            ):
                held.expect_held()


def test_a_lock_file_that_was_removed_is_made_again(tmp_path, clean_env):
    with locked(tmp_path) as held:
        (tmp_path / LOCK).unlink()
        held.expect_held()
        assert (
            subprocess.run([sys.executable, "-c", TRY, str(tmp_path)], env=clean_env, capture_output=True).returncode
            == 1
        )
        (tmp_path / LOCK).unlink()
        with locked(tmp_path), pytest.raises(BusyError, match="is in use: another training writes to it"):
            held.expect_held()
    locked(tmp_path).release()
