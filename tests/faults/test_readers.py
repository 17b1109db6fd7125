"""A process that reads what another one replaces, again and again: it never sees a mixture."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import rnnlm
from rnnlm.backend import NAME
from tests.faults.subjects import SUBJECTS

pytestmark = pytest.mark.skipif(NAME != "numpy", reason="files are written alike by all backends: runs on NumPy")

POLL = """
import sys
from pathlib import Path
from tests.faults.subjects import SUBJECTS
path, (write, read), stop = Path(sys.argv[1]), SUBJECTS[sys.argv[2]], Path(sys.argv[3])
seen, reads, last = set(), 0, 0
print(read(path), flush=True)
while not stop.exists():
    number = read(path)
    assert number >= last, "an older one was read after a newer one"
    last = number
    seen.add(number)
    reads += 1
print(reads, len(seen))
"""


def polled(folder, subject, saves):
    """Save again and again beside a process that reads; how often it read, and how many generations it saw."""
    write, _ = SUBJECTS[subject]
    path, stop = folder / "it", folder / "stop"
    write(path, 1)
    env = os.environ | {"PYTHONPATH": str(Path(rnnlm.__file__).parent.parent), "OPENBLAS_NUM_THREADS": "1"}
    command = [sys.executable, "-c", POLL, str(path), subject, str(stop)]
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as reader:
        reader.stdout.readline()  # it has begun, which takes as long as many saves
        for number in range(2, saves + 1):
            write(path, number)
        stop.touch()
        out, errors = reader.communicate(timeout=60)
    assert reader.returncode == 0, errors
    return [int(word) for word in out.split()]


@pytest.mark.parametrize("saves", [200, pytest.param(5000, marks=pytest.mark.fault)])
@pytest.mark.parametrize("subject", ["a model folder", "an encoded corpus"])
def test_a_reader_sees_whole_generations_that_go_forward(tmp_path, subject, saves, tried):
    reads, seen = polled(tmp_path, subject, saves)
    assert seen > saves / 50
    tried(
        f"saves of {subject} beside a process that reads it", saves, "no mixture was read, and none older after a newer"
    )
    tried(f"reads of {subject} beside a process that saves it", reads, "whole")
