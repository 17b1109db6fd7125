"""Disks that are full, read-only or gone, and clocks that jump, while a training runs."""

import os
import random
import resource
import shutil
import subprocess
import sys
import time
import traceback
from pathlib import Path
from unittest.mock import MagicMock

import pytest

from rnnlm import load_model
from rnnlm.backend import NAME
from rnnlm.cli.main import main
from rnnlm.saving import lock
from rnnlm.training.keeper import Keeper
from tests.cli.runs import SMALL
from tests.faults.subjects import hidden
from tests.faults.test_kills_and_signals import files, how_to_go_on

pytestmark = pytest.mark.skipif(NAME != "numpy", reason="files are written alike by all backends: runs on NumPy")

OPTIONS = [*SMALL, "--save-every", "5"]
STEP = 30  # of 3 epochs of some 30 each, in the middle of which something happens to the disk


def forked(action):
    """Do it in a copy of this process: its exit code, and what it wrote to standard error."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        code = 99
        try:
            os.dup2(writing, 2)
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            sys.stdout, sys.stderr = os.fdopen(1, "w", closefd=False), os.fdopen(2, "w", closefd=False)
            code = action()
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(code)
    os.close(writing)
    with open(reading, errors="replace") as file:
        errors = file.read()
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), errors


def train(*options):
    return lambda: main(["train", *options])


@pytest.fixture
def whole(treebank):
    """The files of a run that nothing happens to."""
    assert forked(train(*OPTIONS, "--out", "whole"))[0] == 0
    return files(Path("whole"))


def expect_told(code, errors, out, reason):
    """One sentence that names a file of the run, its code, and a model that is whole if there is one."""
    assert code == 1, errors
    assert "Traceback" not in errors
    last = errors.splitlines()[-1]
    assert last.startswith("rnnlm: [Errno ")
    assert reason in last
    assert str(out) in last
    if (out / "model").exists():
        load_model(out / "model")
    assert not hidden(out)


def expect_gone_on(out, whole):
    """The run goes on to what it would have been."""
    code, errors = forked(train(*how_to_go_on(Path(), str(out), OPTIONS)))
    assert code == 0, errors
    assert files(out) == whole


@pytest.mark.parametrize("step", [7, pytest.param(1, marks=pytest.mark.fault)])
def test_a_limit_of_the_size_of_files(whole, step, tried):
    """At each kilobyte up to the size of the largest file."""
    largest = max(path.stat().st_size for path in Path("whole").rglob("*") if path.suffix != ".png")
    out, limits = Path("out"), range(1, largest // 1024 + 2, step)
    for limit in limits:

        def limited(limit=limit):
            resource.setrlimit(resource.RLIMIT_FSIZE, (1024 * limit, 1024 * limit))
            return main(["train", *OPTIONS, "--out", "out"])

        code, errors = forked(limited)
        if 1024 * limit < largest:
            expect_told(code, errors, out, "File too large")
        if code:
            expect_gone_on(out, whole)
        shutil.rmtree(out)
    tried(
        "files limited to each kilobyte up to the largest", len(limits), "a sentence, code 1; gone on with bit for bit"
    )


@pytest.fixture
def disk(tmp_path):
    """A small disk of its own, to be made larger, smaller or read-only."""
    folder = tmp_path / "disk"
    folder.mkdir()

    def mount(*options):
        done = subprocess.run(["mount", *options, str(folder)], capture_output=True, text=True)
        if done.returncode:
            pytest.skip(f"needs a disk of its own, which may not be mounted here: {done.stderr.strip()}")

    mount("-t", "tmpfs", "-o", "size=16m", "none")
    yield folder, lambda options: mount("-o", f"remount,{options}")
    subprocess.run(["umount", "-l", str(folder)], capture_output=True)


@pytest.mark.parametrize("step", [48, pytest.param(4, marks=pytest.mark.fault)])
def test_a_full_disk(whole, disk, step, tried):
    """Of each size, a page at a time, up to what all files take."""
    folder, remount = disk
    out, page = folder / "out", 4
    taken = sum(-(-path.stat().st_size // 4096) * page for path in Path("whole").rglob("*") if path.is_file())
    sizes, told = range(page, taken + 8 * page, step), 0
    for size in sizes:
        remount(f"size={size}k")
        code, errors = forked(train(*OPTIONS, "--out", str(out)))
        if code:
            told += 1
            expect_told(code, errors, out, "No space left on device")
        remount("size=16m")
        if code:
            expect_gone_on(out, whole)
        shutil.rmtree(out, ignore_errors=True)
    assert told
    tried("a full disk, of each size from 4 KiB on", told, "a sentence, code 1; gone on with bit for bit")


def at_step(step, action):
    """Train in a copy of this process, in which something happens after a step."""
    right = Keeper.end_step

    def end_step(self):
        if self.run.steps == step:
            action()
        return right(self)

    def trained(*options):
        Keeper.end_step = end_step
        return main(["train", *options])

    return trained


def test_a_disk_that_becomes_read_only(whole, disk, monkeypatch, tried):
    folder, remount = disk
    monkeypatch.setattr(lock, "FileLock", lambda path: MagicMock())  # a file that is open keeps it from becoming so
    trained = at_step(STEP, lambda: remount("ro"))
    code, errors = forked(lambda: trained(*OPTIONS, "--out", str(folder / "out")))
    expect_told(code, errors, folder / "out", "Read-only file system")
    remount("rw")
    expect_gone_on(folder / "out", whole)
    tried("a disk that becomes read-only", 1, "a sentence, code 1; gone on with bit for bit")


def test_a_disk_that_is_read_only_from_the_beginning(treebank, disk, tried):
    folder, remount = disk
    remount("ro")
    code, errors = forked(train(*OPTIONS, "--out", str(folder / "out")))
    expect_told(code, errors, folder / "out", "Read-only file system")
    tried("a read-only disk", 1, "a sentence, code 1, before any training")


def test_a_folder_that_vanishes(whole, tried):
    trained = at_step(STEP, lambda: shutil.rmtree("out"))
    code, errors = forked(lambda: trained(*OPTIONS, "--out", "out"))
    expect_told(code, errors, Path("out"), "No such file or directory")
    tried("a folder that is removed while its training runs", 1, "a sentence, code 1")


def test_a_disk_that_vanishes(whole, disk, tried):
    folder, _ = disk
    trained = at_step(STEP, lambda: subprocess.run(["umount", "-l", str(folder)], check=True))
    code, errors = forked(lambda: trained(*OPTIONS, "--out", str(folder / "out")))
    expect_told(code, errors, folder / "out", "No such file or directory")
    tried("a disk that vanishes while a training runs", 1, "a sentence, code 1")


def test_clocks_that_jump(whole, monkeypatch, tried):
    """Years back and forth at each look; and checkpoints whose dates stand on their heads."""
    rng, real = random.Random(0), time.time
    monkeypatch.setattr(time, "time", lambda: real() + rng.choice([-1, 1]) * 10 ** rng.uniform(0, 8))
    dies = at_step(STEP, lambda: os._exit(9))
    code, errors = forked(lambda: dies(*OPTIONS, "--out", "out"))
    assert code == 9, errors
    for age, path in enumerate(sorted(Path("out/checkpoints").iterdir())):
        for inner in (*path.iterdir(), path):
            os.utime(inner, (10**9 - 10**7 * age,) * 2)
    expect_gone_on(Path("out"), whole)
    tried("a clock that jumps, and dates of checkpoints in the wrong order", 1, "killed, gone on with bit for bit")
