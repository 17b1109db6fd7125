import os
import signal
import subprocess
import sys
import time
from functools import partial

import pytest

from rnnlm.saving.model_folder import load_model


@pytest.mark.parametrize(("sign", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_leaves_the_model(tmp_path, clean_env, ptb_dir, sign, code):
    command = [sys.executable, "-m", "rnnlm", "train", "--recipe", "seed-1000", "--max-epoch", "100000", "--out", "out"]
    env = clean_env | {"RNNLM_DATA": os.path.abspath(ptb_dir)}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    heed = partial(signal.signal, sign, signal.SIG_DFL)  # a shell's background jobs ignore SIGINT, and so would this
    with subprocess.Popen(command, env=env, cwd=tmp_path, preexec_fn=heed, **pipes) as p:
        while "epoch   2" not in p.stdout.readline():
            time.sleep(0.01)
        p.send_signal(sign)
        _, errors = p.communicate(timeout=60)
    assert p.returncode == code
    assert "Traceback" not in errors
    load_model(tmp_path / "out" / "model")


def test_a_terminal_without_the_characters(models, clean_env):
    command = [sys.executable, "-m", "rnnlm", "eval", str(models / "trained"), "--corpus", str(models / "text")]
    env = clean_env | {"PYTHONIOENCODING": "ascii"}
    result = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert result.returncode == 0
    assert "\\xb1" in result.stdout


def test_a_reader_that_goes_is_no_error(models, clean_env):
    command = f"{sys.executable} -m rnnlm generate {models / 'trained'} --count 2000 | head -n 1"
    result = subprocess.run(["bash", "-c", command], env=clean_env, capture_output=True, text=True, check=False)
    assert result.stdout.count("\n") == 1
    assert not result.stderr


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams(models, clean_env, closed):
    command = f"{sys.executable} -m rnnlm eval {models / 'trained'} --corpus {models / 'text'} {closed}"
    result = subprocess.run(["bash", "-c", command], env=clean_env, capture_output=True, text=True, check=False)
    assert result.returncode == 0
    assert "Traceback" not in result.stderr
