"""A fault of the system at any call that a saving makes, once or for good: the old one or the new one is there, whole.

strace brings the faults about: it kills the process at the n-th call of a kind, or has that call fail, or it and all
that follow. n goes over all calls. `python -m pytest -m fault` does all of it.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from rnnlm.backend import NAME
from rnnlm.files import clear_away
from tests.faults.subjects import MARK, SUBJECTS, hidden

ROOT = Path(__file__).parent.parent.parent
CALLS = [  # all that a saving makes, but getpid, which can't fail
    "openat", "read", "write", "lseek", "fsync", "close", "fcntl", "ioctl", "newfstatat", "getdents64", "getrandom",
    "chmod", "mkdir", "rename", "renameat2", "unlinkat", "rmdir",
]  # fmt: skip
FAULTS = {
    "kill": "signal=KILL:when={n}",
    "EIO": "error=EIO:when={n}",
    "EIO for good": "error=EIO:when={n}+",
    "ENOSPC": "error=ENOSPC:when={n}",
    "ENOSPC for good": "error=ENOSPC:when={n}+",
}
SAVE = """
import sys
from pathlib import Path
from tests.faults.subjects import SUBJECTS, mark
path, (write, read) = Path(sys.argv[1]), SUBJECTS[sys.argv[2]]
write(Path(f"{path}-first"), 1)  # all that is imported is
mark()
write(path, 2)
mark()
"""
READ = """
import sys
from pathlib import Path
from rnnlm.errors import RnnlmError
from tests.faults.subjects import SUBJECTS, mark
path, (write, read) = Path(sys.argv[1]), SUBJECTS[sys.argv[2]]
read(path)
mark()
try:
    number = read(path)
except (RnnlmError, OSError) as error:
    number = f"refused: {error}"
mark()
print(number)
"""

pytestmark = [
    pytest.mark.skipif(NAME != "numpy", reason="files are written alike by all backends: runs on NumPy"),
    pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace"),
]


def traced(script, path, subject, call, *inject):
    """Run a script under strace: the lines of the calls of one kind, and the finished process."""
    env = os.environ | {"PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    trace = path.with_name("trace")
    command = ["strace", "-f", "-qq", "-o", str(trace), "-e", f"trace={call},access,faccessat,faccessat2"]
    command += [*inject, sys.executable, "-c", script, str(path), subject]
    done = subprocess.run(command, env=env, capture_output=True, text=True, cwd=ROOT)
    return trace.read_text(errors="replace").splitlines(), done


def calls_between_marks(script, path, subject, call):
    """How many calls of a kind come before the first mark, and how many between the two."""
    lines, done = traced(script, path, subject, call)
    assert not done.returncode, done.stderr
    first, last = (i for i, line in enumerate(lines) if MARK in line)
    return [sum(f" {call}(" in line for line in part) for part in (lines[:first], lines[first:last])]


def clean(folder):
    for path in folder.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()


def sweep(folder, subject, call, fault, tried):
    """Fault after fault while generation 2 takes the place of 1; returns the generations that were there after each."""
    write, read = SUBJECTS[subject]
    path = folder / "it"
    write(path, 1)
    before, inside = calls_between_marks(SAVE, path, subject, call)
    seen = []
    for number in range(before + 1, before + inside + 1):
        clean(folder)
        write(path, 1)
        inject = f"inject={call}:{FAULTS[fault].format(n=number)}"
        lines, done = traced(SAVE, path, subject, call, "-e", inject)
        assert fault != "kill" or done.returncode
        assert fault == "kill" or any("INJECTED" in line for line in lines)
        seen.append(read(path))
        assert seen[-1] in (1, 2)
        for where in (folder, path):
            clear_away(where)
        clear_away(path / "checkpoints")
        assert not hidden(folder)
    what = f"kill, EIO or ENOSPC, once or for good, at each call of the system while {subject} is saved"
    tried(what, len(seen), "the old one or the new one, whole")
    return seen


@pytest.mark.fault
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("subject", SUBJECTS)
def test_a_fault_at_any_call_of_a_saving(tmp_path, subject, call, fault, tried):
    sweep(tmp_path, subject, call, fault, tried)


def test_some_faults_of_a_saving(tmp_path, tried):
    """What the fault test does, for one kind of call, in every run of the tests."""
    assert sweep(tmp_path, "a model folder", "renameat2", "kill", tried)


@pytest.mark.fault
@pytest.mark.parametrize("call", ["openat", "read", "pread64", "fstat", "newfstatat", "lseek", "mmap"])
@pytest.mark.parametrize("subject", SUBJECTS)
def test_an_error_at_any_call_of_a_reading(tmp_path, subject, call, tried):
    """It is told, or the right one is read; and what was there is still there."""
    write, _ = SUBJECTS[subject]
    path = tmp_path / "it"
    write(path, 1)
    before, inside = calls_between_marks(READ, path, subject, call)
    for number in range(before + 1, before + inside + 1):
        _, done = traced(READ, path, subject, call, "-e", f"inject={call}:error=EIO:when={number}")
        assert done.stdout.startswith(("1\n", "refused: ")), (number, done.stdout, done.stderr)
        clean(tmp_path)
        write(path, 1)
    what = f"EIO at each call of the system while {subject} is read"
    tried(what, inside, "an error that says so, or, where the call did not matter, the right one")
