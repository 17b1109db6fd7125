"""How windows are laid out: which sizes get a kernel, where, and for what."""

from types import SimpleNamespace

import numpy as np
import pytest

from rnnlm.backend import NAME
from rnnlm.backend.cuda import plan
from rnnlm.backend.cuda.plan import GATES, Plan
from tests import emulator
from tests.backend.cuda import window_cases
from tests.gradcheck import dev, host

PROCESSORS = 132


@pytest.mark.parametrize("module", GATES)
def test_a_plan_fits(module):
    for H in (1, 33, 100, 200, 256, 400):
        for N in (1, 20, 33):
            way = plan.best(module, H, N, PROCESSORS)
            assert way is not None, (H, N)
            assert plan.fits(GATES[module], H, way)


def test_what_is_too_large_is_left_to_the_loop():
    assert plan.best("lstm_window", 650, 20, PROCESSORS) is None  # more weights than 16 blocks have registers for
    assert plan.best("lstm_window", 100, 10_000, PROCESSORS) is None  # many rounds, where products are efficient
    assert plan.best("lstm_window", 256, 20, 4) is None  # as of a part of a GPU
    assert plan.best("rnn_window", 650, 20, PROCESSORS) is not None


def test_the_plan_of_the_book_runs_all_clusters_at_once():
    assert plan.best("lstm_window", 100, 20, PROCESSORS) == Plan(4, 1)
    assert plan.best("lstm_window", 200, 20, PROCESSORS) == Plan(8, 2)


@pytest.mark.skipif(NAME != "cupy", reason="asks CuPy for the device")
@pytest.mark.parametrize(
    ("capability", "there"), [("75", False), ("89", False), ("90", True), ("100", True), ("120", False)]
)
def test_only_gpus_with_clusters_of_16_blocks_get_kernels(monkeypatch, capability, there):
    device = SimpleNamespace(compute_capability=capability, attributes={"MultiProcessorCount": PROCESSORS})
    monkeypatch.setattr("cupy.cuda.Device", lambda: device)
    plan.here.cache_clear()
    assert (plan.here("lstm_window", 100, 20) is not None) == there
    plan.here.cache_clear()


@pytest.mark.skipif(NAME != "cupy" or not emulator.COMPILER, reason="launches kernels: --strict-cupy")
@pytest.mark.parametrize("case", ["a mask", "float64", "another activation", "no plan"])
def test_what_no_kernel_is_for_is_done_by_the_loop(monkeypatch, case):
    from rnnlm.backend.cuda import window
    from rnnlm.layers.lstm import lstm_window_forward
    from rnnlm.layers.rnn import relu_forward, rnn_window_forward

    def refused(*_):
        raise AssertionError("launched")

    monkeypatch.setattr(window, "launch_clusters", refused)
    monkeypatch.setattr(plan, "here", lambda *_: None if case == "no plan" else Plan(1, 1))
    N, T, H = 2, 3, 10
    rng, dtype = np.random.default_rng(0), np.float64 if case == "float64" else np.float32
    a, Wh, hs, cs = (
        dev(rng.random(s).astype(dtype)) for s in ((T, N, 4 * H), (H, 4 * H), (T + 1, N, H), (T + 1, N, H))
    )
    scratch = dev(np.zeros((N, 4 * H), dtype))
    if case == "another activation":
        rnn_window_forward(hs, Wh[:, :H], scratch[:, :H].copy(), None, relu_forward)
        assert host(hs).max() > 1  # as tanh never is
        return
    mask = dev(np.full((N, H), 2, dtype)) if case == "a mask" else None
    before = host(a)
    lstm_window_forward(a, hs, cs, Wh, scratch, mask)
    assert not np.array_equal(host(a), before)
    monkeypatch.setattr(plan, "here", lambda *_: Plan(1, 1))
    arguments = [dev(host(x).astype(np.float32)) for x in (a, hs, cs, Wh, scratch)]
    with pytest.raises(AssertionError, match="launched"):  # nothing of that is in the way here
        lstm_window_forward(*arguments, None)


def test_the_cases_have_every_size_of_a_cluster():
    ways = [way for way, *_ in window_cases.WAYS.values()]
    assert {way.cluster for way in ways} == {1, 2, 4, 8, 16}
    assert {way.rows for way in ways} == {1, 2, 4}
    for (module, H), (way, *_) in window_cases.WAYS.items():
        assert plan.fits(GATES[module], H, way)
