"""Options and fixtures.

python -m pytest                                       NumPy
RNNLM_DEVICE=cuda python -m pytest                     CuPy, on a machine with a GPU
python -m pytest --strict-cupy                         the CuPy path on a machine without one
python -m pytest --hypothesis-profile thorough         properties, on 150 random examples each
"""

import hashlib
import os
import signal
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings

settings.register_profile("usual", max_examples=20, stateful_step_count=20, derandomize=True, deadline=None)
settings.register_profile("few", max_examples=5, stateful_step_count=10, derandomize=True, deadline=None)
settings.register_profile("thorough", max_examples=150, deadline=None)
settings.load_profile("usual")

TEXT = "".join(f" {a} {b} sat on the {c} <unk> N \n" for a in ("the", "a") for b in ("cat", "dog") for c in "xyz") * 10


def pytest_addoption(parser):
    parser.addoption("--strict-cupy", action="store_true", help="run the CuPy path on a strict stand-in for CuPy")


def pytest_configure(config):
    if config.getoption("--strict-cupy"):
        from tests import emulator, strict_cupy

        strict_cupy.install()
        os.environ["RNNLM_DEVICE"] = "cuda"
        if emulator.COMPILER is None:
            os.environ["RNNLM_FUSED"] = "0"  # the plain text alone
        from rnnlm.backend.cuda import blas

        # but in tests of these (the fixture `recording`): the suite's short trainings would take twice as long
        blas.library = lambda: None
        from rnnlm.backend import ops

        ops.RECORDS = False


@pytest.hookimpl(tryfirst=True)  # before those without a mark are left out
def pytest_collection_modifyitems(config, items):
    from rnnlm.backend import NAME

    if config.getoption("-m") == "fault":
        for item in items:
            if "faults" in item.path.parts and item.path.name != "test_guards.py":
                item.add_marker("fault")

    stand_in = config.getoption("--strict-cupy")
    if NAME == "cupy" and not stand_in:
        return
    for item in items:
        if item.get_closest_marker("fault") and config.getoption("-m") != "fault":
            item.add_marker(pytest.mark.skip(reason="takes minutes: python -m pytest -m fault"))
        if stand_in and item.get_closest_marker("long"):
            item.add_marker(pytest.mark.skip(reason="takes long on the stand-in: runs on NumPy and on a GPU"))
        if item.get_closest_marker("gpu"):
            item.add_marker(pytest.mark.skip(reason="needs an NVIDIA GPU: RNNLM_DEVICE=cuda python -m pytest"))


@pytest.fixture
def recording(request, monkeypatch):
    """Products are cuBLAS's own, and launches are recorded, on the stand-in too."""
    from rnnlm.backend import ops

    if request.config.getoption("--strict-cupy"):
        from rnnlm.backend.cuda import blas
        from tests import strict_cupy

        monkeypatch.setattr(blas, "library", strict_cupy.cublas)
    monkeypatch.setattr(ops, "RECORDS", True)


def pytest_report_header():
    from rnnlm.backend import ops

    return f"backend: {ops.describe()}"


def heard():
    """Let signals that ask to end be heard: a process that was begun in the background, or by nohup, ignores them."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


@pytest.fixture
def signals_heard():
    """As `heard`, in this process, and in the end as before."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    heard()
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def strict(request):
    """Counters of the strict stand-in, set to zero."""
    if not request.config.getoption("--strict-cupy"):
        pytest.skip("counts what the strict stand-in for CuPy sees: --strict-cupy")
    from rnnlm.backend import FUSED
    from tests import emulator
    from tests.strict_cupy import stats

    if not FUSED:
        pytest.skip(emulator.MISSING)
    stats.reset()
    return stats


@pytest.fixture(scope="session")
def ptb_dir():
    """The folder that holds Penn Treebank, if there is one."""
    folder = os.environ.get("RNNLM_DATA")
    if not folder or not (Path(folder) / "ptb" / "ptb.train.txt").is_file():
        pytest.skip("needs Penn Treebank: set RNNLM_DATA to the folder that holds ptb/ptb.train.txt")
    return folder


@pytest.fixture
def clean_env():
    """Environment for a subprocess: no backend chosen, the package importable."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("RNNLM_") or key == "RNNLM_DATA"}
    return kept | {"PYTHONPATH": str(Path(__file__).parent.parent)}


@pytest.fixture
def treebank(tmp_path, monkeypatch):
    """A small stand-in for Penn Treebank, with its file names and its own hashes."""
    from rnnlm.data import ptb

    folder = tmp_path / "data"
    (folder / "ptb").mkdir(parents=True)
    for part, name in ptb.FILES.items():
        (folder / "ptb" / name).write_text(TEXT)
        monkeypatch.setitem(ptb.SHA256, part, hashlib.sha256(TEXT.encode()).hexdigest())
    monkeypatch.setenv("RNNLM_DATA", str(folder))
    monkeypatch.chdir(tmp_path)
    return folder


@pytest.fixture
def no_cache(tmp_path, monkeypatch):
    """Nothing is downloaded already, and the addresses that downloads come from don't answer."""
    from rnnlm.data import ptb

    monkeypatch.setattr(ptb, "cache_folder", lambda: tmp_path / "cache")
    monkeypatch.setattr(ptb, "RETRIES", 0)
    monkeypatch.setattr(ptb, "ADDRESSES", ("http://127.0.0.1:9/",))
    return tmp_path / "cache"


@pytest.fixture(scope="session")
def models(tmp_path_factory):
    """A trained run, a model of the built-in words, damaged runs and one without an epoch, an encoded text and half."""
    from rnnlm import SimpleRnnlm, encode_corpus, save_model, story
    from rnnlm.cli.main import main

    folder = tmp_path_factory.mktemp("models")
    (folder / "text").write_text(TEXT)
    options = ["--batch-size", "4", "--time-size", "5", "--hidden-size", "8", "--wordvec-size", "6", "--max-epoch", "2"]
    assert main(["train", *options, "--corpus", str(folder / "text"), "--out", str(folder / "trained")]) == 0
    save_model(folder / "storyish", SimpleRnnlm(102, 4, 5), story.vocabulary())
    encode_corpus(folder / "text", folder / "text.ids")
    (folder / "cut.ids").write_bytes((folder / "text.ids").read_bytes()[:-100])
    for name, content in (("damaged", "{\n"), ("unfinished", ""), ("nonsense", '{"train_perplexity": 2.0}')):
        (folder / name).mkdir()
        (folder / name / "metrics.jsonl").write_text(content)
    return folder


# ---------------------------------------------------------------- what was tried, in a table


@pytest.fixture
def tried(request):
    """Note what was tried, how often, and what came of it: a run with -m fault ends with a table of that."""

    def note(what, times, outcome):
        if times:
            request.node.user_properties.append(("tried", (what, times, outcome)))

    return note


def pytest_terminal_summary(terminalreporter, config):
    if config.getoption("-m") != "fault":
        return
    table = {}
    for report in terminalreporter.stats.get("passed", []):
        for name, entry in report.user_properties:
            if name == "tried":
                what, times, outcome = entry
                table[what, outcome] = table.get((what, outcome), 0) + times
    terminalreporter.section("tried")
    terminalreporter.write_line("| what was tried | times | what happened each time |\n| --- | ---: | --- |")
    for (what, outcome), times in sorted(table.items()):
        terminalreporter.write_line(f"| {what} | {times:,} | {outcome} |")
