"""The kernels compile, for every GPU they are meant for, where there is none."""

import pytest

from rnnlm.backend.cuda import plan, skinny
from rnnlm.backend.cuda.launch import OPTIONS
from rnnlm.backend.cuda.plan import GATES, Plan
from rnnlm.backend.cuda.source import MODULES, REALS, WINDOWS, source
from tests import nvrtc
from tests.emulator import kernels

pytestmark = [
    pytest.mark.long,  # NVRTC compiles the same text whichever backend runs
    pytest.mark.skipif(nvrtc.library() is None, reason=nvrtc.MISSING),
]
CUPYS_OPTION = "-ftz=true"  # which CuPy adds to every kernel: the smallest floats become 0


@pytest.mark.parametrize("architecture", ["sm_80", "sm_90", "sm_100"])
@pytest.mark.parametrize("dtype", REALS)
@pytest.mark.parametrize("module", MODULES)
def test_kernels_compile_and_keep_what_they_hold_in_registers(module, dtype, architecture):
    text = source(module, dtype)
    _, size, log = nvrtc.compiled(text, *OPTIONS, CUPYS_OPTION, f"-arch={architecture}", "--ptxas-options=-v")
    assert size > 1000
    assert log.count("0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads") == len(kernels(text)), log


def largest(module, way):
    """The largest layer that is said to fit."""
    return max(H for H in range(1, 1000) if plan.fits(GATES[module], H, way))


@pytest.mark.parametrize(
    ("module", "way", "architecture"),
    [
        *((module, None, architecture) for module in WINDOWS for architecture in ("sm_90", "sm_100")),
        *((module, Plan(16, 1), "sm_90") for module in WINDOWS),
        ("lstm_window", Plan(4, 2), "sm_90"),
        ("rnn_window", Plan(4, 2), "sm_90"),
        ("rnn_window", Plan(16, 4), "sm_90"),
    ],
)
def test_windows_compile_and_keep_all_weights_in_registers(module, way, architecture):
    """As the book's layers are laid out on an H100, and in other ways the largest layers that are said to fit."""
    H = largest(module, way) if way else 100
    way = way or plan.best(module, H, 20, 132)
    text = source(module, "float32", plan.defines(H, way))
    _, _, log = nvrtc.compiled(text, *OPTIONS, CUPYS_OPTION, f"-arch={architecture}", "--ptxas-options=-v")
    assert log.count("0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads") == 2, log


def test_cells_in_float32_never_compute_in_float64():
    """One forgotten suffix, and a GPU has a thirtieth of its speed."""
    ptx, *_ = nvrtc.compiled(source("cells", "float32"), *OPTIONS, "-arch=compute_90")
    assert ".f32" in ptx
    assert ".f64" not in ptx
    slow = source("cells", "float32").replace("REAL(0.5) * tanh", "0.5 * tanh")
    assert ".f64" in nvrtc.compiled(slow, *OPTIONS, "-arch=compute_90")[0]


@pytest.mark.parametrize("architecture", ["sm_90", "sm_100"])
@pytest.mark.parametrize("shape", [(20, 650, 2600), (32, 4600, 1150)])
def test_products_of_few_rows_keep_their_sums_in_registers(shape, architecture):
    text = source("skinny", "float32", tuple(skinny.plan(*shape).items()))
    *_, log = nvrtc.compiled(text, *OPTIONS, CUPYS_OPTION, f"-arch={architecture}", "--ptxas-options=-v")
    assert "0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads" in log


def test_the_compiler_can_refuse():
    with pytest.raises(AssertionError, match='identifier "undefined" is undefined'):
        nvrtc.compiled(source("rows", "float32").replace("+= sum;", "+= undefined;"), *OPTIONS, "-arch=sm_90")
