import ast
import importlib.metadata
import re
import subprocess
import sys
from pathlib import Path

import pytest

import rnnlm.cells.lstm
from rnnlm import backend
from rnnlm.backend import ATTEMPTS, FUSED, TWINS, accelerated
from rnnlm.data.tokens import read_window
from rnnlm.errors import BackendError

PACKAGE = Path(rnnlm.__file__).parent.parent / "rnnlm"


installed = {distribution.name for distribution in importlib.metadata.distributions()}


needs_cupy = pytest.mark.skipif(
    not installed & {"cupy", "cupy-cuda12x", "cupy-cuda13x"}, reason="CuPy is not installed: pip install cupy-cuda13x"
)


elsewhere = pytest.mark.long  # in processes of their own, which no stand-in reaches


def python(code, env, **variables):
    return subprocess.run(
        [sys.executable, "-c", code], env=env | variables, capture_output=True, text=True, check=False
    )


@elsewhere
def test_numpy_never_imports_cupy(clean_env):
    code = """
import sys
from rnnlm import *
import rnnlm.cli.options, rnnlm.experiments.experiment
model = SimpleRnnlm(9, 4, 5)
RnnlmTrainer(model, SGD(0.1)).fit([1, 2, 3] * 9, [2, 3, 1] * 9, 1, 2, 3)
print(sorted(m for m in sys.modules if m.split('.')[0] in ('cupy', 'cupyx', 'matplotlib')))
"""
    for variables in ({}, {"RNNLM_BACKEND": ""}, {"RNNLM_BACKEND": "numpy"}):
        result = python(code, clean_env, **variables)
        assert result.stdout == "[]\n", result.stderr


@elsewhere
def test_importing_the_package_loads_next_to_nothing(clean_env):
    result = python("import sys, rnnlm; print({'tyro', 'tqdm', 'matplotlib', 'cupy'} & set(sys.modules))", clean_env)
    assert result.stdout == "set()\n", result.stderr


COMMANDS = {
    "python -m rnnlm": [sys.executable, "-m", "rnnlm", "train"],
    "scripts/train_ptb.py": [sys.executable, str(PACKAGE.parent / "scripts" / "train_ptb.py")],
}


NO_CUPY = "import sys; sys.modules['cupy'] = None"


NO_LIBRARIES = """
import sys, types
import numpy as np
def fail(*_):
    raise RuntimeError('failed to load libnvrtc.so.13\\nand more')
cupy = types.ModuleType('cupy')
cupy.is_available = lambda: True
cupy.float32, cupy.ones = np.float32, fail
device = types.SimpleNamespace(use=lambda: None)
runtime = types.SimpleNamespace(getDeviceCount=lambda: 1)
cupy.cuda = types.SimpleNamespace(runtime=runtime, Device=lambda number: device)
sys.modules['cupy'] = cupy
"""


NO_GPU = """
import sys, types
cupy = types.ModuleType('cupy')
cupy.is_available = lambda: False
cupy.cuda = types.SimpleNamespace(runtime=types.SimpleNamespace(getDeviceCount=lambda: 0))
sys.modules['cupy'] = cupy
"""


@elsewhere
@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(
    ("name", "before", "sentence"),
    [
        ("jax", "", "rnnlm: RNNLM_BACKEND must be one of numpy, cupy, got 'jax'\n"),
        ("cupy", NO_CUPY, "or stay on the CPU: RNNLM_DEVICE=cpu\n"),
        (
            "cupy",
            NO_LIBRARIES,
            "CuPy can't compute on the GPU (failed to load libnvrtc.so.13): install CUDA's libraries",
        ),
        (
            "cupy",
            NO_GPU,
            "CuPy found no NVIDIA GPU it can use: check that nvidia-smi lists a device, or stay on the CPU: RNNLM_DEVICE=cpu\n",
        ),
    ],
)
def test_a_backend_that_is_not_there_is_one_sentence(clean_env, tmp_path, command, name, before, sentence):
    (tmp_path / "sitecustomize.py").write_text(before)
    env = clean_env | {"RNNLM_BACKEND": name, "PYTHONPATH": f"{tmp_path}:{clean_env['PYTHONPATH']}"}
    result = subprocess.run(COMMANDS[command], env=env, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert sentence in result.stderr
    assert result.stderr.count("\n") == 1
    assert not result.stdout


@pytest.mark.parametrize(
    ("name", "number", "precision", "message"),
    [
        ("tpu", "", "fp32", "RNNLM_DEVICE must be cpu, cuda, or cuda:1 and so on, got 'tpu'"),
        ("numpy", "1", "fp32", "RNNLM_DEVICE must be cpu, cuda, or cuda:1 and so on, got 'tpu'"),
        ("numpy", "", "tf32", "RNNLM_PRECISION tf32 is for a GPU: set RNNLM_DEVICE=cuda, or leave it at fp32"),
    ],
)
def test_settings_that_do_not_fit_are_refused(monkeypatch, name, number, precision, message):
    monkeypatch.setattr(backend, "SETTINGS", {"RNNLM_DEVICE": "tpu", "RNNLM_PRECISION": precision})
    monkeypatch.setattr(backend, "_NUMBER", number)
    with pytest.raises(BackendError, match=message):
        backend._load(name)


def test_a_setting_is_the_first_that_is_allowed_unless_set(monkeypatch):
    monkeypatch.delenv("RNNLM_TEST", raising=False)
    assert backend._setting("RNNLM_TEST", "a", "b") == "a"
    monkeypatch.setenv("RNNLM_TEST", "b")
    assert backend._setting("RNNLM_TEST", "a", "b") == "b"
    monkeypatch.setenv("RNNLM_TEST", "c")
    with pytest.raises(BackendError, match="RNNLM_TEST must be one of a, b, got 'c'"):
        backend._setting("RNNLM_TEST", "a", "b")


@elsewhere
@needs_cupy
def test_a_real_cupy_without_a_gpu_is_one_sentence(clean_env):
    probe = python("import cupy; print(cupy.is_available())", clean_env)
    if probe.stdout != "False\n":
        pytest.skip("there is a GPU")
    result = python("from rnnlm import SimpleRnnlm", clean_env, RNNLM_BACKEND="cupy")
    assert result.returncode == 1
    assert "rnnlm.errors.BackendError: CuPy needs an NVIDIA GPU" in result.stderr


WITHOUT = """
import sys
import rnnlm.data, rnnlm.models.config
from rnnlm import Batches, ModelConfig, Vocabulary, encode_corpus, load_corpus, open_corpus, ptb, read_corpus, story
from rnnlm.cli.main import main
from rnnlm.experiments.settings import TrainConfig
corpus, words = read_corpus("text")
batches = Batches(corpus[:-1], corpus[1:], 2, 3)
batches.expect_words(len(words))
assert len(load_corpus("text").train) < len(corpus) and story.accepts("the visitor laughed and she sat down")
for arguments in (
    *([command, "--help"] for command in ("train", "eval", "score", "generate", "info", "plot", "data")),
    ["--help"], ["--version"], ["data"], ["data", "encode", "text"], ["data", "check", "text.ids"], ["plot", "."],
):
    assert main(arguments) == 0, arguments
assert main(["train", "--hidden-size", "many"]) == main(["generate"]) == 2
assert "rnnlm.backend" not in sys.modules
"""


@elsewhere
def test_data_pictures_and_help_need_no_backend(clean_env, tmp_path):
    (tmp_path / "text").write_text("the cat sat\na dog sat\n" * 20)
    (tmp_path / "metrics.jsonl").write_text('{"epoch": 1, "train_perplexity": 9.5}\n')
    before = f"{NO_CUPY}\nimport os\nos.chdir({str(tmp_path)!r})\n"
    result = python(before + WITHOUT, clean_env, RNNLM_DEVICE="cuda")
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "perplexity.png").is_file()


@elsewhere
def test_the_first_window_takes_a_backend(clean_env):
    code = f"{NO_CUPY}\nfrom rnnlm import Batches\nBatches([1] * 9, [1] * 9, 2, 3).window(0)"
    result = python(code, clean_env, RNNLM_DEVICE="cuda")
    assert "BackendError: a GPU needs CuPy, which can't be imported" in result.stderr


@elsewhere
@needs_cupy
def test_cupy_has_every_function_that_is_used(clean_env):
    """`xp.a.b` in the sources against the real library, which needs no GPU to be asked what it has."""
    used = {
        ast.unparse(node)
        for path in PACKAGE.rglob("*.py")
        if path.parent.name != "cpu"
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and re.fullmatch(r"xp(\.\w+)+", ast.unparse(node))
    }
    assert len(used) > 20
    code = f"import cupy as xp\nfor name in {sorted(used)!r}:\n    eval(name)"
    result = python(code, clean_env)
    assert result.returncode == 0, result.stderr


def test_only_the_backend_names_a_library():
    for path in PACKAGE.rglob("*.py"):
        names = {
            node.id if isinstance(node, ast.Name) else getattr(node, "module", None)
            for node in ast.walk(ast.parse(path.read_text()))
        }
        imported = {
            alias.name
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.Import)
            for alias in node.names
        }
        if "backend" not in path.parts:
            assert not {"cupy", "cupyx"} & (names | imported), path


def test_accelerated_takes_the_fused_twin_and_remembers_the_pair(monkeypatch):
    def double(a):
        return a + a

    assert accelerated(double) is double
    fused = lambda a: 2 * a  # noqa: E731
    monkeypatch.setitem(TWINS, "double", fused)
    assert accelerated(double) is fused
    assert FUSED.pop("double") == (double, fused)


def test_every_twin_stands_for_a_plain_function():
    for name in rnnlm.__all__:
        getattr(rnnlm, name)  # imports every module with a plain one
    accelerated(read_window)  # which is looked for at the first window
    assert set(FUSED) == set(TWINS) | set(ATTEMPTS)
    assert {name: fused for name, (_, fused) in FUSED.items() if name not in ATTEMPTS} == TWINS


def test_a_twin_for_some_arguments_leaves_the_others_to_the_plain_text(monkeypatch):
    calls = []

    def halve(a):
        calls.append(("plain", a))

    monkeypatch.setitem(ATTEMPTS, "halve", lambda a: a % 2 == 0 and not calls.append(("kernel", a)))
    either = accelerated(halve)
    assert FUSED.pop("halve") == (halve, either)
    assert either(4) is either(3) is None
    assert calls == [("kernel", 4), ("plain", 3)]
