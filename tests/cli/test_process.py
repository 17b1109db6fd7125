import os
import signal
import subprocess
import sys
import time
from functools import partial

import pytest

from rnnlm.cli.process import handled
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


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_an_import_is_waited_for(tmp_path, monkeypatch, signals_heard, capsys, number, code):
    """A signal in the middle of it is heard once it is done."""
    monkeypatch.delitem(sys.modules, "half_done", raising=False)
    (tmp_path / "half_done.py").write_text(
        f"import signal, time\nsignal.raise_signal({int(number)})\ntime.sleep(0.05)\nDONE = True\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    done = []

    def action():
        import half_done

        done.append(half_done.DONE)
        time.sleep(5)
        pytest.fail("nobody heard the signal")

    assert handled(action) == code
    assert done == [True]
    assert capsys.readouterr().err == "rnnlm: interrupted\n"
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


def test_a_signal_at_the_end_of_an_import_that_ends_all_is_heard(tmp_path, monkeypatch, signals_heard):
    (tmp_path / "the_end.py").write_text(f"import signal\nsignal.raise_signal({int(signal.SIGTERM)})\n")
    monkeypatch.syspath_prepend(str(tmp_path))

    def action():
        import the_end  # noqa: F401

    assert handled(action) == 143
    time.sleep(0.05)  # a timer that was left would end the tests


@pytest.mark.parametrize(
    ("notes", "said"),
    [([], "interrupted"), (["go on with: rnnlm train --resume out"], "stopped; go on with: rnnlm train --resume out")],
)
def test_an_interrupt_that_a_library_makes_another_error_of_is_one(signals_heard, capsys, notes, said):
    def action():
        try:
            signal.raise_signal(signal.SIGTERM)
            time.sleep(5)
        except KeyboardInterrupt:
            error = AttributeError("type object 'tqdm' has no attribute '_lock'")
            for note in notes:
                error.add_note(note)
            raise error from None

    assert handled(action) == 143
    assert capsys.readouterr().err == f"rnnlm: {said}\n"


def test_an_interrupt_that_a_library_swallows_is_told(signals_heard, capsys):
    def action():
        try:
            signal.raise_signal(signal.SIGHUP)
            time.sleep(5)
        except KeyboardInterrupt:
            pass

    assert handled(action) == 129
    assert capsys.readouterr().err == "rnnlm: interrupted\n"


def test_an_interrupt_in_a_destructor_is_raised_again(signals_heard, capsys):
    """Python prints what a destructor raises, and goes on."""

    class Ending:
        def __del__(self):
            signal.raise_signal(signal.SIGTERM)
            for _ in range(100):
                pass

    def action():
        Ending()
        time.sleep(5)
        pytest.fail("nobody heard the signal")

    assert handled(action) == 143
    assert capsys.readouterr().err == "rnnlm: interrupted\n"


def test_signals_that_are_ignored_stay_ignored():
    """As after nohup."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        assert handled(lambda: signal.raise_signal(signal.SIGHUP)) == 0
    finally:
        signal.signal(signal.SIGHUP, before)
