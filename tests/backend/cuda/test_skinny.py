"""Products of few rows by their own kernel, on the emulator (--strict-cupy) or on a GPU."""

import re
import types

import numpy as np
import pytest

from rnnlm.backend import NAME, TWINS, ops
from rnnlm.layers import lstm
from tests import emulator
from tests.gradcheck import dev, host

pytestmark = [
    pytest.mark.skipif(NAME != "cupy", reason="CUDA's functions run on a GPU or with --strict-cupy"),
    pytest.mark.skipif(NAME == "cupy" and not TWINS, reason=emulator.MISSING),
]
if NAME == "cupy":
    from rnnlm.backend.cuda import lstm_steps, skinny
    from rnnlm.backend.cuda.source import source
SIZES = [  # rows, K, C, and whether W is a transposed view: other clusters, and tiles that C and K do not fill
    (32, 65, 263, False),
    (20, 3, 900, False),
    (3, 261, 3, True),
    (1, 261, 3, True),
]
REAL_SIZES = [(20, 650, 2600, False), (20, 2600, 650, True), (10, 1150, 4600, False), (32, 4600, 1150, True)]


def operands(rows, K, C, transposed):
    """a (rows, K) and W (K, C) on the host; W as a view if it is transposed."""
    rng = np.random.default_rng(7)
    a, W = rng.standard_normal((rows, K)), rng.standard_normal((C, K) if transposed else (K, C))
    return a.astype(np.float32), W.astype(np.float32).T if transposed else W.astype(np.float32)


def on_device(W):
    """On the device, transposed as on the host."""
    return dev(W) if W.flags.c_contiguous else dev(W.T).T


def product(a, W):
    """By the kernel, where NaN has been."""
    out = dev(np.full((len(a), W.shape[1]), np.nan, np.float32))
    skinny.multiplier(on_device(W), len(a))(dev(a), out)
    return host(out)


def assert_product(a, W):
    """The kernel's product is that in float64, but for some roundings of sums of K."""
    exact = a.astype(np.float64) @ W.astype(np.float64)
    np.testing.assert_allclose(product(a, W), exact, rtol=0, atol=1e-6 * np.abs(exact).max())


@pytest.mark.parametrize("size", SIZES)
def test_products_are_those_of_float64(size):
    assert_product(*operands(*size))


@pytest.mark.gpu
@pytest.mark.parametrize("size", REAL_SIZES)
def test_products_of_real_sizes_are_those_of_float64(size):
    assert_product(*operands(*size))


def test_clusters_of_two_and_eight_are_tried():
    assert {skinny.plan(*size[:3])["CLUSTER"] for size in SIZES} == {2, 8}
    assert [skinny.plan(20, 650, 2600)[name] for name in ("CLUSTER", "GROUPS")] == [2, 10]
    assert [skinny.plan(20, 4600, 1150)[name] for name in ("CLUSTER", "GROUPS")] == [8, 10]


def test_rows_may_be_apart():
    a, W = operands(*SIZES[0])
    wide_a, wide = dev(np.tile(a, 2)), dev(np.zeros((len(a), 300), np.float32))
    skinny.multiplier(dev(W), len(a))(wide_a[:, 65:], wide[:, 30:293])
    np.testing.assert_array_equal(host(wide)[:, 30:293], product(a, W))
    assert not host(wide)[:, :30].any()
    assert not host(wide)[:, 293:].any()


def test_what_is_not_finite_is_seen_where_it_belongs_and_nowhere_else():
    a, W = operands(*SIZES[2])
    right = product(a, W)
    a[1, 260], W[4, 2] = np.nan, np.inf
    out = product(a, W)
    assert np.isnan(out[1]).all()
    assert np.isinf(out[[0, 2], 2]).all()
    np.testing.assert_array_equal(out[[0, 2], :2], right[[0, 2], :2])


def test_reruns_are_bit_for_bit_equal():
    a, W = operands(*SIZES[0])
    assert len({product(a, W).tobytes() for _ in range(5)}) == 1


@pytest.mark.parametrize("shape", [(3, 261), (64, 33), (1, 5)])
def test_a_transposed_matrix_is_laid_out_by_rows(shape):
    W = np.random.default_rng(1).standard_normal(shape).astype(np.float32)
    laid = skinny.laid_out(dev(W).T)
    assert laid.strides[0] % 16 == 0
    np.testing.assert_array_equal(host(laid), W.T)


def lstm_windows(N, T, H):
    """Arguments of a window forward and back, on the host."""
    rng = np.random.default_rng(2)
    arrays = [rng.standard_normal(shape).astype(np.float32) for shape in [(T, N, 4 * H), *[(T + 1, N, H)] * 2]]
    Wh = (rng.standard_normal((H, 4 * H)) / np.sqrt(H)).astype(np.float32)
    yield "lstm_window_forward", (*arrays, Wh, np.zeros((N, 4 * H), np.float32), None)
    gates = rng.uniform(0.05, 0.95, (T, N, 4 * H)).astype(np.float32)
    dhs, dh, dc = (rng.standard_normal(shape).astype(np.float32) for shape in ((N, T, H), (N, H), (N, H)))
    yield "lstm_window_backward", (dhs, gates, arrays[2], Wh, dh, dc, None)


def by_steps(N, T, H):
    """What a launch for each time step, and what the loop leaves in their arguments."""
    results = []
    for steps in (True, False):
        results.append([])
        for name, given in lstm_windows(N, T, H):
            arguments = [None if a is None else dev(a) for a in given]
            if name == "lstm_window_backward":
                arguments[0] = arguments[0].swapaxes(0, 1)  # rows that are apart
            if not steps:
                getattr(lstm, name).__wrapped__(*arguments)
            elif name == "lstm_window_forward":
                assert lstm_steps.window_forward(*arguments[:4])
            else:
                assert lstm_steps.window_backward(*arguments[:6])
            results[-1] += [host(a) for i, a in enumerate(arguments) if a is not None and (i, name[12]) != (4, "f")]
    return results


def assert_steps_are_the_loop(N, T, H):
    for step, loop in zip(*by_steps(N, T, H)):
        np.testing.assert_allclose(step, loop, rtol=1e-5, atol=1e-5 * np.abs(loop).max())


@pytest.mark.parametrize("size", [(3, 4, 18), (5, 2, 33), (2, 1, 7)])
def test_steps_of_an_lstm_are_the_loop(monkeypatch, size):
    monkeypatch.setattr(skinny, "pays", lambda *_: True)
    assert_steps_are_the_loop(*size)


@pytest.mark.gpu
@pytest.mark.parametrize("H", [650, 1150])
def test_steps_of_an_lstm_of_real_size_are_the_loop(H):
    assert_steps_are_the_loop(20, 35, H)


STEP_FAULTS = {
    "another gate": ("gate[0] = f, gate[DEPTH] = g", "gate[0] = g, gate[DEPTH] = f"),
    "a cell that forgets": ("f * c_prev[at] + g * in", "c_prev[at] + g * in"),
    "columns of another gate": ("gate[DEPTH] + sums.at[1]", "gate[DEPTH] + sums.at[2]"),
    "a gradient not carried on": ("dc[at] = dct * f", "dc[at] = dct"),
    "rows taken for contiguous": ("row * dy_stride", "row * COLUMNS"),
    "a slope left out": ("dct * in * (1 - g * g)", "dct * in"),
}


@pytest.mark.parametrize("fault", STEP_FAULTS)
def test_a_wrong_step_is_caught(request, monkeypatch, fault):
    if not request.config.getoption("--strict-cupy"):
        pytest.skip("what a device does with a wrong kernel is not asked: --strict-cupy")
    right = skinny.source
    changed = []

    def wrong(*given):
        text = right(*given)
        changed.append(STEP_FAULTS[fault][0] in text)
        return text.replace(*STEP_FAULTS[fault])

    monkeypatch.setattr(skinny, "pays", lambda *_: True)
    monkeypatch.setattr(skinny, "source", wrong)
    skinny._kernel.cache_clear()
    with pytest.raises(AssertionError, match="Not equal to tolerance"):
        assert_steps_are_the_loop(3, 3, 7)
    skinny._kernel.cache_clear()
    assert all(changed)


def test_the_kernel_is_taken_where_it_pays(monkeypatch):
    monkeypatch.setattr(skinny, "multiplier", lambda W, rows: "the kernel")
    monkeypatch.setattr(skinny, "_runs", lambda: True)
    monkeypatch.setattr(skinny, "_most_shared", lambda: 100_000)
    W = dev(np.zeros((300, 400), np.float32))
    assert ops.multiplier(W, 20, 35) == ops.multiplier(W.T, 1, 35) == "the kernel"
    assert "the kernel" not in [
        ops.multiplier(*other) for other in ((W, 33, 35), (W, 20, 1), (W[:200], 20, 35), (dev(np.zeros((300, 400))), 20, 35))
    ]  # fmt: skip
    monkeypatch.setattr(skinny, "_runs", lambda: False)
    assert ops.multiplier(W, 20, 35) != "the kernel"


def test_clusters_and_kernels_are_asked_for(monkeypatch):
    import cupy

    runs = []
    for architecture, fused in (("90", "1"), ("120", "1"), ("89", "1"), ("90", "0")):
        device = types.SimpleNamespace(compute_capability=architecture)
        monkeypatch.setattr(cupy.cuda, "Device", lambda device=device: device)
        monkeypatch.setitem(skinny.SETTINGS, "RNNLM_FUSED", fused)
        runs.append(skinny._runs.__wrapped__())
    assert runs == [True, True, False, False]


FAULTS = {
    "a step of the slice": ("step < STEPS / AHEAD", "step < STEPS / AHEAD - 1"),
    "the last of the first loads": ("i * PARTS < size ?", "i * PARTS < 16 ?"),
    "the last of the loads": ("left > 0 ?", "left > 1 ?"),
    "the last of `a`": ("r < M && k < size ?", "r < M && k < size - 1 ?"),
    "`a` read too early": ("    CLUSTER_ENTER();\n    SYNC();\n", "    CLUSTER_ENTER();\n"),
    "`a` overwritten too early": ("    SYNC();  // `a` has been read\n", ""),
    "parts added too early": ("    SYNC();\n    CLUSTER_WAIT();  //", "    CLUSTER_WAIT();  //"),
    "a part of the block": ("int p = 1; p < PARTS", "int p = 2; p < PARTS"),
    "a block of the cluster": ("block = 1; block < CLUSTER", "block = 2; block < CLUSTER"),
    "another's share": ("i / SHARE)[rank", "i / SHARE)[0 * rank"),
    "shares added too early": ("    CLUSTER_ARRIVE();\n    CLUSTER_WAIT();\n", ""),
}


def without_shared_mem(launch):
    """The emulator has as much as is asked for."""
    return lambda grid, block, args, shared_mem: launch(grid, block, args)


def test_a_wrong_kernel_is_caught(request, monkeypatch):
    """All wrong ones are compiled as one text: that takes no longer than one of them."""
    if not request.config.getoption("--strict-cupy"):
        pytest.skip("on a device a missing barrier may go well, and a wrong address ends all: --strict-cupy")
    rows, K, C = 3, 261, 70
    sizes = skinny.plan(rows, K, C) | {"THREADS": 64, "GROUPS": 4, "AHEAD": 2}  # three steps, two warps
    text = source("skinny", "float32", tuple(sizes.items()))
    begin, end = text.index("template <class Finish>"), text.index("// A time step of an LSTM")
    words, kernel = text[:begin], text[begin:end]
    wrong = [kernel.replace(*fault) for fault in FAULTS.values()]
    assert kernel not in wrong
    text = words + "".join(
        re.sub(r"(multiply_rows|KERNEL skinny)\(", rf"\1_{i}(", one) for i, one in enumerate((kernel, *wrong))
    )
    monkeypatch.setattr(skinny, "plan", lambda *_shape: sizes)
    caught = []
    for i in range(len(FAULTS) + 1):
        launch = emulator.RawModule(text).get_function(f"skinny_{i}")
        monkeypatch.setattr(skinny, "_kernel", lambda *_sizes, launch=launch: without_shared_mem(launch))
        try:
            assert_product(*operands(rows, K, C, False))
            caught.append(False)
        except AssertionError:
            caught.append(True)
    assert dict(zip(["nothing", *FAULTS], caught)) == {"nothing": False} | dict.fromkeys(FAULTS, True)
