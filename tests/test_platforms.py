"""What is promised of Windows and macOS, as far as Linux can show it: see `platforms.py`."""

import os
import subprocess
import sys

import pytest

from rnnlm.backend import NAME

pytestmark = pytest.mark.skipif(NAME != "numpy", reason="the command line is alike for all backends: runs on NumPy")

TEXT = "the cat sat on the mat\na dog saw the cat\nthe dog sat on a mat\n"
BEGIN = """
import sys, warnings
from tests.platforms import become
become({system!r})
warnings.filterwarnings("error", category=EncodingWarning, module=r"rnnlm(\\..*)?$")
"""
EVERYTHING = """
import importlib, pkgutil, rnnlm
for module in pkgutil.walk_packages(rnnlm.__path__, "rnnlm."):
    if not module.name.startswith(("rnnlm.backend.cuda", "rnnlm.__main__")):
        importlib.import_module(module.name)
"""
USE = """
from rnnlm import kneser_ney, load_model, load_ngram, save_model, save_ngram
from rnnlm.cli.main import main
from rnnlm.files import clear_away
from pathlib import Path

def done(*options):
    assert main([str(option) for option in options]) == 0, options

done("train", "--corpus", "text", "--lr-rule", "constant", "--hidden-size", 4, "--wordvec-size", 4, "--batch-size", 2,
     "--time-size", 5, "--max-epoch", 1, "--out", "run")
done("train", "--resume", "run", "--max-epoch", 2)
done("eval", "run", "--corpus", "text")
done("generate", "run", "--length", 5)
done("score", "run", "text")
assert main(["score", "run", "-"]) == int(sys.argv[3])
model, words = load_model("run/model")
Path("run/model/notes").write_text("of someone else", encoding="utf-8")
save_model("run/model", model, words)
assert Path("run/model/notes").exists()
load_model("run/model")
done("ngram", "train", "--corpus", "text", "--out", "words", "--order", 2)
done("eval", "words", "--corpus", "text")
done("data", "encode", "text", "--out", "text.ids")
done("train", "--corpus", "text.ids", "--hidden-size", 4, "--wordvec-size", 4, "--batch-size", 2, "--time-size", 5,
     "--max-epoch", 1, "--out", "encoded")
done("eval", "encoded", "--corpus", "text.ids")
for name in ("gone", "here"):
    Path(f".{name}.{sys.argv[1] if name == 'gone' else sys.argv[2]}-01234567.tmp").touch()
clear_away(Path("."))
assert [path.name[1:5] for path in Path(".").glob(".*.tmp")] == ["here"]
from rnnlm.__main__ import command
sys.argv = ["rnnlm", "info", "run"]
sys.exit(command())
"""
PLANTED = {  # lines that Linux takes, and the error that each must be
    "windows": {
        "import os; os.pread": "AttributeError",
        "from signal import SIGHUP": "ImportError",
        "import fcntl": "ModuleNotFoundError",
        "import os; os.open('.', os.O_RDONLY)": "PermissionError",
        "import os; os.kill(os.getpid(), 0)": "RuntimeError",
        "import os; file = open('text', 'rb'); os.replace('text', 'other')": "PermissionError",
        "import os, shutil; os.mkdir('a'); file = open('a/b', 'wb'); shutil.rmtree('a')": "PermissionError",
        "from pathlib import Path; Path('text').read_text()": "EncodingWarning",
    },
    "macos": {
        "import os; os.sched_getaffinity(0)": "AttributeError",
        "import ctypes; ctypes.CDLL(None).renameat2": "AttributeError",
    },
}
ATTEMPTS = """
for line, expected in planted.items():
    try:
        exec(line, {"__name__": "rnnlm.planted"})
    except Exception as error:
        assert type(error).__name__ == expected, (line, error)
    else:
        raise SystemExit(f"{line} was taken")
exec("import os, fcntl; os.pread", {"__name__": "other"})
"""


def run(system, program, tmp_path, clean_env, *arguments):
    """A program on a system, in a folder with a text."""
    (tmp_path / "text").write_text(TEXT * 60)
    command = [sys.executable, "-X", "warn_default_encoding", "-c", BEGIN.format(system=system) + program, *arguments]
    return subprocess.run(command, env=clean_env, cwd=tmp_path, input=TEXT, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("system", ["windows", "macos"])
def test_a_model_is_trained_saved_loaded_and_used(tmp_path, clean_env, system):
    ended = subprocess.Popen(["true"])
    ended.wait()
    code = {"windows": 2, "macos": 0}[system]  # of reading standard input, for which Windows has no path
    result = run(system, EVERYTHING + USE, tmp_path, clean_env, str(ended.pid), str(os.getpid()), str(code))
    assert result.returncode == 0, result.stderr
    assert "Traceback" not in result.stderr
    assert ("rnnlm: file must be a text file on Windows, got -" in result.stderr) == (code == 2)
    assert not [path.name for path in tmp_path.rglob(".*.old")]


def test_a_module_that_does_what_linux_alone_has_is_found_out(tmp_path, clean_env):
    for system, planted in PLANTED.items():
        result = run(system, f"planted = {planted!r}" + ATTEMPTS, tmp_path, clean_env)
        assert result.returncode == 0, result.stderr
