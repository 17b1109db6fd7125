"""What was not flushed to the disk is lost, as by a power cut: LazyFS, a file system that forgets it when it is told to.

    LAZYFS=.../lazyfs/build/lazyfs python -m pytest -m fault tests/faults/test_lost_syncs.py

LazyFS keeps what was not synced of the content of files; renames and folders it always lets through, and it has no
RENAME_EXCHANGE, so that folders change places by two renames here.
Source: https://github.com/dsrhaslab/lazyfs
"""

import os
import select
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

from rnnlm import files
from rnnlm.backend import NAME
from tests.faults.subjects import SUBJECTS, Fault

LAZYFS = os.environ.get("LAZYFS")
pytestmark = [
    pytest.mark.fault,
    pytest.mark.skipif(NAME != "numpy", reason="files are written alike by all backends: runs on NumPy"),
    pytest.mark.skipif(LAZYFS is None, reason="needs LazyFS: set LAZYFS to its program"),
]
CONFIG = """
[faults]
fifo_path="{0}/faults"
fifo_path_completed="{0}/done"
[cache]
apply_eviction=false
[cache.simple]
custom_size="64mb"
blocks_per_page=1
[filesystem]
log_all_operations=false
logfile="{0}/log"
"""


@pytest.fixture
def lazy():
    """A folder on LazyFS, and what makes it forget. LazyFS takes no long paths."""
    tmp_path = Path(tempfile.mkdtemp(dir="/tmp"))
    for name in ("root", "mounted"):
        (tmp_path / name).mkdir()
    (tmp_path / "config.toml").write_text(CONFIG.format(tmp_path))
    options = ["-o", "allow_other", "-o", "modules=subdir", "-o", f"subdir={tmp_path / 'root'}", "-f"]
    command = [LAZYFS, str(tmp_path / "mounted"), "--config-path", str(tmp_path / "config.toml"), *options]
    run = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    while not os.path.ismount(tmp_path / "mounted") or not (tmp_path / "done").exists():
        assert run.poll() is None
        time.sleep(0.01)
    done, faults = (os.open(tmp_path / name, os.O_RDWR | os.O_NONBLOCK) for name in ("done", "faults"))

    def forget():
        os.write(faults, b"lazyfs::clear-cache\n")
        assert select.select([done], [], [], 20)[0], "LazyFS does not answer"
        assert b"finished" in os.read(done, 1000)

    yield tmp_path / "mounted", forget
    subprocess.run(["umount", "-l", str(tmp_path / "mounted")], check=True)
    run.kill()
    run.wait()
    shutil.rmtree(tmp_path)


def died_at(at, action):
    """Do it in a copy of this process that dies before its `at`-th call of the system; whether it got to its end."""
    child = os.fork()
    if not child:
        code = 99
        try:
            with pytest.MonkeyPatch.context() as patch:
                Fault(patch, at, lambda: os._exit(9))
                action()
            code = 0
        finally:
            os._exit(code)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert code in (0, 9)
    return code == 0


def power_cuts(lazy, subject):
    """A power cut before each call of a saving, and one after the last; which generation was there after each."""
    folder, forget = lazy
    write, read = SUBJECTS[subject]
    path, seen, over = folder / "it", [], False
    while not over:
        for inner in folder.iterdir():
            shutil.rmtree(inner) if inner.is_dir() else inner.unlink()
        write(path, 1)
        forget()
        over = died_at(len(seen) + 1, lambda: write(path, 2))
        forget()
        seen.append(read(path))
    return seen


@pytest.mark.parametrize("subject", SUBJECTS)
def test_a_power_cut_before_any_call_of_a_saving(lazy, subject, tried):
    seen = power_cuts(lazy, subject)
    assert set(seen) == {1, 2}
    assert seen[-1] == 2  # once it is saved, it is
    tried(f"a power cut (LazyFS) while {subject} is saved", len(seen), "the old one or the new one, whole")


@pytest.mark.parametrize("subject", SUBJECTS)
def test_a_file_that_is_not_synced_is_caught(lazy, subject, monkeypatch):
    monkeypatch.setattr(files.os, "fsync", lambda handle: None)
    with pytest.raises(Exception, match="damaged|not an encoded|does not exist|whole|empty|cut"):
        power_cuts(lazy, subject)
