"""Trainings that are killed and signalled at random moments, in processes of their own."""

import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import rnnlm
from rnnlm.backend import NAME
from tests.conftest import heard
from tests.faults.subjects import hidden

pytestmark = pytest.mark.skipif(NAME != "numpy", reason="processes of their own, which no stand-in reaches: on NumPy")

TRAIN = [
    "--corpus", "text.txt", "--recipe", "book-rnn", "--batch-size", "4", "--time-size", "5", "--hidden-size", "8",
    "--wordvec-size", "6", "--cell", "lstm", "--dropout-ratio", "0.3", "--lr", "1",
]  # fmt: skip
LONG = [*TRAIN, "--optimizer", "asgd", "--max-epoch", "20"]
MOMENTUM = [*TRAIN, "--optimizer", "momentum", "--max-epoch", "20"]
SHORT = [*TRAIN, "--optimizer", "asgd", "--max-epoch", "2"]
ENDLESS = [*TRAIN, "--optimizer", "asgd", "--max-epoch", "100000"]


@pytest.fixture
def here(tmp_path):
    """A folder with a text, where the words of Penn Treebank's stand-in are known to this process alone."""
    words = np.random.default_rng(0).integers(0, 60, (400, 8))
    (tmp_path / "text.txt").write_text("".join(" ".join(f"w{i}" for i in line) + "\n" for line in words))
    return tmp_path


def start(folder, *options, **more):
    """A training in a process of its own."""
    env = os.environ | {"PYTHONPATH": str(Path(rnnlm.__file__).parent.parent), "OPENBLAS_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "rnnlm", "train", *options]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **more}
    return subprocess.Popen(command, cwd=folder, env=env, text=True, preexec_fn=heard, **pipes)


def finish(folder, *options):
    """Train to the end."""
    run = start(folder, *options)
    _, errors = run.communicate()
    assert run.returncode == 0, errors


def files(folder):
    """What must be the same after all."""
    return {p.name: p.read_bytes() for p in [folder / "metrics.jsonl", *(folder / "model").iterdir()]}


def how_to_go_on(folder, out, options):
    """The arguments that go on with a run, or begin it if it has no checkpoint yet."""
    saved = list((folder / out / "checkpoints").glob("step-*"))
    return ["--resume", out] if saved else [*options, "--out", out]


def first_epoch(run):
    while not run.stdout.readline().startswith("epoch"):
        assert run.poll() is None


@pytest.mark.parametrize(
    ("options", "kills"),
    [
        pytest.param(LONG, 2, id="nt-asgd, 2"),
        pytest.param(LONG, 50, id="nt-asgd, 50", marks=pytest.mark.fault),
        pytest.param(MOMENTUM, 50, id="momentum, 50", marks=pytest.mark.fault),
    ],
)
def test_a_run_killed_again_and_again_is_the_one_that_was_not(here, kills, options, tried):
    rng = random.Random(kills)
    finish(here, *options, "--out", "whole")
    begin = [*options, "--save-every", "7"]
    killed = 0
    while killed < kills:
        run = start(here, *how_to_go_on(here, "broken", begin))
        try:
            run.communicate(timeout=rng.uniform(0.2, 3))
            assert run.returncode == 0
            shutil.rmtree(here / "broken")  # it came to its end: once more from the beginning
        except subprocess.TimeoutExpired:
            run.kill()
            run.communicate()
            killed += 1
    finish(here, *how_to_go_on(here, "broken", begin))
    assert files(here / "broken") == files(here / "whole")
    assert not hidden(here)
    what = "kill -9 of a training with an LSTM and dropout"
    tried(what, kills, "gone on with; in the end weights and figures bit for bit those of a run left alone")


def hears(run):
    """Whether a process has come to rnnlm's first line, from where on it catches SIGTERM."""
    for line in Path(f"/proc/{run.pid}/status").read_text().splitlines():
        name, _, value = line.partition(":")
        if name == "SigCgt":
            return bool(int(value, 16) & 1 << signal.SIGTERM - 1)
    return True  # it has ended


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="asks Linux which signals a process catches")
@pytest.mark.parametrize("times", [3, *(pytest.param(55, marks=pytest.mark.fault, id=f"55-{k}") for k in range(6))])
def test_signals_at_random_moments(here, times, tried, request):
    """From rnnlm's first line to the process's end: a line, the code, files that are whole, and the run goes on."""
    rng = random.Random(request.node.name)
    begin = time.monotonic()
    finish(here, *SHORT, "--out", "whole")
    length, done = time.monotonic() - begin, 0
    for _ in range(times):
        number, code = rng.choice([(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
        run = start(here, *SHORT, "--out", "out", "--save-every", "5")
        while not hears(run):
            time.sleep(0.001)
        time.sleep(rng.uniform(0, length))
        run.send_signal(number)
        told, errors = run.communicate(timeout=60)
        lines = [line for line in errors.splitlines() if line.startswith("rnnlm: ")]
        begun = (here / "out" / "checkpoints").is_dir() and any((here / "out" / "checkpoints").glob("step-*"))
        if run.returncode == 0:
            done += 1  # it was done before
        else:
            assert run.returncode == code, errors
            assert "Traceback" not in errors
            assert "ignored" not in errors
            how = "stopped; go on with: rnnlm train --resume out"
            said = [how] if begun else ["interrupted", "stopped before any training; there is nothing in out yet"]
            if "it writes: " in told:  # it was all but done, or done
                said.append("interrupted")
            assert lines[-1].removeprefix("rnnlm: ") in said, errors
        assert not hidden(here)
        finish(here, *how_to_go_on(here, "out", SHORT))
        assert files(here / "out") == files(here / "whole")
        shutil.rmtree(here / "out")
    outcome = "its code (130, 143, 129), one line that says how to go on, files whole, and gone on with bit for bit"
    tried("SIGINT, SIGTERM or SIGHUP at a random moment of a training", times - done, outcome)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_signal_finishes_the_step_and_says_how_to_go_on(here, number, code):
    for options in ([*ENDLESS, "--out", "out"], ["--resume", "out"]):
        run = start(here, *options)
        first_epoch(run)
        run.send_signal(number)
        _, errors = run.communicate(timeout=60)
        assert run.returncode == code
        assert errors.splitlines()[-1] == "rnnlm: stopped; go on with: rnnlm train --resume out"
        assert "Traceback" not in errors


def test_two_runs_in_one_folder_are_refused(here, tried):
    run = start(here, *ENDLESS, "--out", "out")
    first_epoch(run)
    other = start(here, "--resume", "out")
    _, errors = other.communicate(timeout=60)
    assert other.returncode == 4
    assert errors.splitlines()[-1].startswith("rnnlm: out is in use: another training writes to it")
    other = start(here, *ENDLESS, "--out", "out")
    _, errors = other.communicate(timeout=60)
    assert other.returncode == 2
    assert "out must be a new or an empty folder" in errors
    run.kill()
    run.communicate()
    tried("a second training in the folder of one that runs", 2, "refused (codes 4 and 2), the first goes on")


def test_a_full_standard_error_ends_no_training(here, tried):
    with open("/dev/full", "w") as full:
        run = start(here, *SHORT, "--out", "out", stderr=full)
        run.communicate(timeout=60)
    assert run.returncode == 0
    finish(here, *SHORT, "--out", "whole")
    assert files(here / "out") == files(here / "whole")
    tried("standard error full", 1, "trained to the end")


def test_a_standard_error_that_nobody_reads_ends_no_training(here, tried):
    """A pipe that is full, and that its writer does not wait for."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(writing, bytes(4096))
    run = start(here, *SHORT, "--out", "out", stderr=writing)
    run.communicate(timeout=60)
    for handle in (reading, writing):
        os.close(handle)
    assert run.returncode == 0
    tried("standard error a full pipe that nobody reads", 1, "trained to the end")


@pytest.mark.parametrize("closed", [False, True])
def test_a_signal_while_a_process_begins_has_its_code_without_a_standard_error_too(here, closed):
    program = (
        "import os, signal, rnnlm.cli.process as process; "
        "process.whole_process(lambda: signal.raise_signal(signal.SIGTERM) or 0)"
    )
    env = os.environ | {"PYTHONPATH": str(Path(rnnlm.__file__).parent.parent)}
    stream = "2>&-" if closed else "2>/dev/full"
    done = subprocess.run(["bash", "-c", f"{sys.executable} -c '{program}' {stream}"], env=env)
    assert done.returncode == 143


def test_a_full_standard_output_is_told_and_gone_on_from(here, tried):
    with open("/dev/full", "w") as full:
        run = start(here, *SHORT, "--out", "out", stdout=full)
        _, errors = run.communicate(timeout=60)
    assert run.returncode == 1
    assert errors.splitlines()[-1] == "rnnlm: [Errno 28] No space left on device: 'standard output'"
    finish(here, *how_to_go_on(here, "out", SHORT))
    finish(here, *SHORT, "--out", "whole")
    assert files(here / "out") == files(here / "whole")
    tried("standard output full", 1, "a sentence, code 1; gone on with bit for bit")
