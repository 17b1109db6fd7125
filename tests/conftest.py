"""Options and fixtures.

python -m pytest                                       NumPy
RNNLM_BACKEND=cupy python -m pytest                    CuPy, on a machine with a GPU
python -m pytest --strict-cupy                         the CuPy path on a machine without one
"""

import os
from pathlib import Path

import numpy as np
import pytest


def pytest_addoption(parser):
    parser.addoption("--strict-cupy", action="store_true", help="run the CuPy path on a strict stand-in for CuPy")


def pytest_configure(config):
    if config.getoption("--strict-cupy"):
        from tests import strict_cupy

        strict_cupy.install()
        os.environ["RNNLM_BACKEND"] = "cupy"


def pytest_report_header():
    from rnnlm.backend import ops

    return f"backend: {ops.describe()}"


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def strict(request):
    """Counters of the strict stand-in, set to zero."""
    if not request.config.getoption("--strict-cupy"):
        pytest.skip("counts what the strict stand-in for CuPy sees: --strict-cupy")
    from tests.strict_cupy import stats

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
    kept = {key: value for key, value in os.environ.items() if key != "RNNLM_BACKEND"}
    return kept | {"PYTHONPATH": str(Path(__file__).parent.parent)}
