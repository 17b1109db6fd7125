"""Each fused CUDA function against the plain text it stands for, on the emulator (--strict-cupy) or on a GPU."""

import re

import numpy as np
import pytest

import rnnlm
from rnnlm.backend import FUSED, NAME, accelerated, xp
from rnnlm.backend.cuda import plan
from rnnlm.backend.cuda.source import source
from rnnlm.data.tokens import read_window
from rnnlm.layers.dropout import LANES
from tests import emulator
from tests.backend.cuda import window_cases
from tests.gradcheck import dev, host

for name in rnnlm.__all__:
    getattr(rnnlm, name)  # imports every module with an accelerated function, so that FUSED has all of them
accelerated(read_window)  # which is looked for at the first window

pytestmark = [
    pytest.mark.skipif(NAME != "cupy", reason="CUDA's functions run on a GPU or with --strict-cupy"),
    pytest.mark.skipif(NAME == "cupy" and not FUSED, reason=emulator.MISSING),
]
N, H, M, D, V, SIZE = 3, 37, 90, 300, 1000, 5003
TOLERANCE = {"float32": 3e-6, "float64": 1e-13}  # relative: a few roundings, and other orders of sums


class Draw:
    """Arguments of functions: arrays of random numbers, and NaN where something is to be written."""

    def __init__(self, dtype):
        self.dtype, self.rng = np.dtype(dtype), np.random.default_rng(3)

    def __call__(self, *shape):
        return self.rng.standard_normal(shape).astype(self.dtype)

    def gates(self, *shape):
        return self.rng.uniform(0.05, 0.95, shape).astype(self.dtype)

    def nan(self, *shape, dtype=None):
        return np.full(shape, np.nan if dtype != np.int32 else -7, dtype or self.dtype)

    def ids(self, *shape, below=V, dtype=np.int32):
        return self.rng.integers(0, below, shape).astype(dtype)

    def apart(self, *shape):
        """(N, H) gradients whose rows are apart in memory, as those of a batch-first array are."""
        return self(shape[0], 5, shape[1])[:, 2]

    def batch_first(self, T, N, H):
        """(T, N, H) gradients of a batch-first array (N, T, H)."""
        return self(N, T, H).swapaxes(0, 1)


def cells(draw):
    dy, dh, dc, product, h = (draw(N, H) for _ in range(5))
    yield "rnn_forward", (draw(N, H), product)
    yield "rnn_backward", (draw.apart(N, H), dh, np.tanh(h), draw.nan(N, H))
    yield "lstm_forward", (draw(N, 4 * H), draw(N, 4 * H), draw(N, H), draw.nan(N, H), draw.nan(N, H))
    yield "lstm_backward", (draw.apart(N, H), dh, dc, draw.gates(N, 4 * H), draw(N, H), draw(N, H))
    yield "gru_reset", (draw(N, 3 * H), draw(N, 2 * H), h, draw.nan(N, H))
    yield "gru_update", (draw(N, 3 * H), product, h, draw.nan(N, H))
    yield "gru_update_backward", (dy, dh, product, draw.gates(N, 3 * H), h, draw.nan(N, H))
    yield "gru_reset_backward", (draw(N, H), dh, draw.gates(N, 3 * H), h, draw.nan(N, 2 * H))
    yield "gru_after_forward", (draw(N, 3 * H), draw(N, 3 * H), draw(3 * H), h, draw.nan(N, H), draw.nan(N, H))
    yield "gru_after_backward", (draw.apart(N, H), dh, product, draw.gates(N, 3 * H), h, draw(N, H), draw.nan(N, 3 * H))


def output(draw):
    nats, totals = draw.nan(M, dtype=np.float64), draw.nan(M)
    targets, weights, sums = draw.ids(M), draw.gates(M) / M, 1 + draw.gates(M)
    shares = np.where(np.arange(M) % 7, 1 / 77, 0)
    yield "exp_scores", (5 * draw(M, V), draw(V), targets, nats, totals)
    yield "exp_scores", (100 * draw(M, V), None, targets, nats, totals)
    yield "exp_scores", (draw(M, 1), draw(1), np.zeros(M, np.int32), nats, totals)
    yield "softmax_gradient", (draw.gates(M, V), targets, weights, sums)
    yield "output_factors", (draw.gates(M, V), targets, weights, sums, draw(M, D), draw.nan(M, 1), draw.nan(M, D))
    yield "scale_rows", (draw(M, D), draw(M, 1))
    for ts in (draw.ids(M), np.full(M, -1), np.where(np.arange(M) % 3, draw.ids(M, dtype=np.int64), -1)):
        yield "weigh_targets", (ts, -1, draw.nan(M, dtype=np.int32), draw.nan(M, dtype=np.float64), draw.nan(M))
    yield "mean_loss", (np.where(shares > 0, np.abs(draw(M)), np.inf).astype(np.float64), shares)


def rows(draw):
    yield "add_rows", (draw(V, D), draw.ids(M, below=9), draw(M, D))
    yield "add_rows", (draw(V, D), draw.ids(M, below=9, dtype=np.int64), draw(M, D))
    yield (
        "add_rows",
        (draw(7, 5), draw.ids(5000, below=7), draw(5000, 5)),
    )  # more than a block's threads look at at once
    corpus = draw.ids(1013)
    for begin in (0, 990, 123_456_789_012):
        yield "read_window", (corpus, 101, begin, draw.nan(35, 10, dtype=np.int32))


def update(draw):
    p, g, v = draw(SIZE), draw(SIZE), draw.gates(SIZE)
    factor = np.array(0.3, draw.dtype)
    for given in (1, factor):
        for decay in (0.0, 0.01):
            yield "sgd_step", (p, g, given, 0.5, decay)
            yield "momentum_step", (p, g, v, given, 0.5, 0.9, decay, False)
            yield "momentum_step", (p, g, v, given, 0.5, 0.9, decay, True)
            yield "adam_step", (p, g, draw(SIZE), v, given, 0.1, 0.98, 0.9, 0.99, 1e-7, decay)
            yield "asgd_step", (p, g, draw(SIZE), given, 0.5, 0.25, decay)
    for share in (0.0, 1.0):  # nothing of what was not finite before or without averaging stays
        spoiled = np.where(np.arange(SIZE) % 3, p, np.nan).astype(p.dtype)
        yield (
            "asgd_step",
            (spoiled if share == 0 else p, g, np.zeros_like(p) if share == 0 else spoiled, 1, 0.5, share, 0.0),
        )
    for size in (0.25, 1000.0, np.inf):
        yield "norm_and_factor", ([g], size)
    yield "norm_and_factor", ([draw(3), g, draw(2, 7)], 0.25)
    for wrong in (np.nan, np.inf):
        yield "norm_and_factor", ([np.array([1, wrong], p.dtype), g], 0.25)
    for loss, norm in ((5.0, 2.0), (np.nan, 2.0), (5.0, np.inf), (800.0, 2.0)):
        for good in (4, 3):
            totals, norm = np.array([0.1, 0.2]), np.array(norm, draw.dtype)
            yield "note_step", (np.array(loss), norm, 4, 35, 709.0, np.array([good]), totals)


def dropout(draw):
    for size in (1, 15, 16, 17, SIZE):
        for step in (0, 2**40):
            yield "draw_mask", ((2**64 - 1, (1 << 62) + 3), step, round(0.3 * LANES), 1 / 0.7, draw.nan(size))


CASES = {
    f"{name}-{number}-{dtype}": (group, dtype, number)
    for group in (cells, output, rows, update, dropout)
    for dtype in TOLERANCE
    for number, (name, _) in enumerate(group(Draw(dtype)))
} | {
    f"{name}-{number}-float32": (window_cases.windows, "float32", number)
    for number, (name, _) in enumerate(window_cases.windows(Draw("float32")))
}
USED_UP = {  # arguments that a plain function uses for its own sums, and a fused one leaves alone or the other way round
    "lstm_backward": {1},
    "gru_reset_backward": {0},
    "gru_after_forward": {1},
    "rnn_window_forward": {2},
    "lstm_window_forward": {4},
    "gru_after_window_forward": {5},
    "gru_after_window_backward": {7},
}


def on_device(argument):
    """Arrays on the device, with the distances in memory that they had on the host."""
    if isinstance(argument, list):
        return [on_device(a) for a in argument]
    if not isinstance(argument, np.ndarray):
        return argument
    if argument.ndim == 3 and not argument.flags.c_contiguous:
        return dev(argument.swapaxes(0, 1)).swapaxes(0, 1)
    if argument.base is not None and argument.ndim == 2 and not argument.flags.c_contiguous:
        return dev(argument.base)[:, 2]
    return dev(argument)


def on_host(result):
    """All arrays in a result, on the host."""
    if isinstance(result, (tuple, list)):
        return [a for one in result for a in on_host(one)]
    return [host(result)] if isinstance(result, xp.ndarray) else []


def assert_equal_twins(case):
    """The fused function does to its arguments, and returns, what the plain one does."""
    group, dtype, number = CASES[case]
    results = []
    for which in (0, 1):
        name, arguments = list(group(Draw(dtype)))[number]
        arguments = [on_device(a) for a in arguments]
        returned = FUSED[name][which](*arguments)
        results.append([on_host(a) for i, a in enumerate(arguments) if i not in USED_UP.get(name, ())])
        results[-1].append(on_host(returned))
    rtol = TOLERANCE[dtype]
    for plain, fused in zip(*results):
        for one, other in zip(plain, fused):
            assert one.dtype == other.dtype
            if case.startswith("exp_scores") and one.ndim == 2:
                one, other = (a / a.sum(axis=1, keepdims=True) for a in (one, other))
            size = np.abs(one[np.isfinite(one)]).max(initial=0)
            np.testing.assert_allclose(other, one, rtol=10 * rtol, atol=rtol * size, err_msg=case)


@pytest.fixture
def full_blocks(request, monkeypatch):
    """The emulator with as many threads in a block as a GPU has."""
    from rnnlm.backend.cuda import launch

    if request.config.getoption("--strict-cupy"):
        monkeypatch.setattr(emulator.RawModule, "get_function", lambda self, name: emulator.Kernel(self.text, name))
    launch.forget()
    yield
    launch.forget()


@pytest.fixture(autouse=True)
def windows_of_every_kind(request, monkeypatch):
    """Windows laid out as the cases want it, where blocks form clusters; the emulator's always do."""
    if request.config.getoption("--strict-cupy") or plan.clustered():
        monkeypatch.setattr(plan, "here", window_cases.forced)


def test_a_block_of_the_suite_is_a_warp_unless_it_is_compiled_for_its_sizes(request):
    """Eight times as many fibers in each, and the trainings on the stand-in take five times as long."""
    if not request.config.getoption("--strict-cupy"):
        pytest.skip("asks the emulator: --strict-cupy")
    H, (way, *_) = next((H, way) for (module, H), way in window_cases.WAYS.items() if module == "rnn_window")
    sized = source("rnn_window", "float32", plan.defines(H, way))
    for text, name, threads in (
        (source("output", "float32"), "exp_scores", emulator.WARP),
        (source("cells", "float32"), "rnn_forward", None),  # whose threads never wait
        (sized, "rnn_window_forward", None),
    ):
        assert emulator.RawModule(text).get_function(name).threads == threads, name


def test_every_fused_function_is_tested():
    assert set(FUSED) == {case.split("-")[0] for case in CASES}


@pytest.mark.parametrize("case", CASES)
def test_a_fused_function_is_the_plain_text(full_blocks, case):
    assert_equal_twins(case)


FAULTS = {
    "another gate": ("gate[0] = f, gate[H] = g", "gate[0] = g, gate[H] = f", "lstm_forward"),
    "rows taken for contiguous": ("array[(size_t)(n) * (stride) + (j)]", "array[(size_t)(n) * H + (j)]", "lstm_backward"),
    "an element too few": ("EACH(i, N * H)", "EACH(i, N * H - 1)", "gru_update"),
    "a slope left out": ("gate[H] = dct * in * (1 - g * g)", "gate[H] = dct * in", "lstm_backward"),
    "a sum begun too early": ("= value;\n    SYNC();\n    T total", "= value;\n    T total", "norm_and_factor"),
    "a maximum begun too early": ("= value;\n    SYNC();\n    T top", "= value;\n    T top", "exp_scores"),
    "a score overwritten too early": ("    SYNC();  // every thread has read the target's score before one overwrites it\n", "", "exp_scores"),
    "half a warp": ("int mask = 16", "int mask = 8", "mean_loss"),
    "ids that come again": ("if (block_sum(seen) || ", "block_sum(seen); if (", "add_rows"),
    "the last row": ("smaller(begin + SEGMENT, M)", "smaller(begin + SEGMENT, M - 1)", "add_rows"),
    "places counted too early": ("counts[THREAD] = count;\n        SYNC();\n", "counts[THREAD] = count;\n", "add_rows"),
    "places read too early": ("found[place++] = i;\n        SYNC();\n", "found[place++] = i;\n", "add_rows"),
    "no wrapping": (") % size];", ") % (size + 1)];", "read_window"),
    "an ignored target that counts": ("weights[i] = counts ? weight : 0", "weights[i] = weight", "weigh_targets"),
    "no factor": ("const REAL f = factor[0]", "const REAL f = 1", "sgd_step"),
    "not finite": ("root - root == 0 && ", "", "norm_and_factor"),
    "a round of Philox": ("round < 10", "round < 9", "draw_mask"),
    "a lane": ("16 * (i % 4)", "16 * (i % 3)", "draw_mask"),
    "no barrier between steps": ("        CLUSTER_WAIT();\n    }\n}", "    }\n}", "rnn_window_forward"),
    "no barrier on the way back": ("        CLUSTER_WAIT();\n#pragma unroll\n        for (int row = 0; row < ROWS; ++row) d_state", "#pragma unroll\n        for (int row = 0; row < ROWS; ++row) d_state", "rnn_window_backward"),
    "one buffer": ("gradients + t % 2 * ROWS * WIDTH", "gradients", "rnn_window_backward"),
    "a block that hears nothing": ("first + sender < CLUSTER", "first + sender < CLUSTER - 1", "rnn_window_forward"),
    "a gate's neighbour": ("gate != 1", "gate != 2", "lstm_window_forward"),
    "the rows of another cluster": ("FIRST_ROW + row;\n    return", "row;\n    return", "rnn_window_backward"),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_a_wrong_kernel_is_caught(request, full_blocks, monkeypatch, fault):
    from rnnlm.backend.cuda import launch

    if not request.config.getoption("--strict-cupy"):
        pytest.skip("on a device a missing barrier may go well, and a wrong address ends all: --strict-cupy")
    old, new, name = FAULTS[fault]
    changed = []

    def source(module, *given):
        text = right(module, *given)
        changed.append(old in text)
        return text.replace(old, new)

    right = launch.source
    monkeypatch.setattr(launch, "source", source)
    launch.forget()
    cases = [case for case in CASES if re.fullmatch(rf"{name}-\d+-float{32 if 'window_' in name else 64}", case)]
    with pytest.raises(AssertionError, match="Not equal to tolerance"):  # noqa: PT012 - in one of the cases
        for case in cases:
            assert_equal_twins(case)
    assert any(changed)


def test_ids_that_are_no_words_write_nowhere(full_blocks):
    """NumPy refuses them. On a device they come unchecked, and what stands beside an array is another parameter's."""
    memory = dev(np.zeros((5, 4)))
    out, rows, ids = memory[1:4], dev(np.ones((4, 4))), dev(np.array([-1, 3, 2**31 - 1, 1], np.int32))
    FUSED["add_rows"][1](out, ids, rows)
    np.testing.assert_array_equal(host(memory).sum(axis=1), [0, 0, 4, 0, 0])
    scores, nats, totals = dev(np.zeros((4, 3))), dev(np.zeros(4)), dev(np.zeros(4))
    FUSED["exp_scores"][1](scores, None, ids, nats, totals)
    np.testing.assert_array_equal(np.isnan(host(nats)), [True, True, True, False])
    factors, xf = dev(np.zeros((4, 1))), dev(np.zeros((4, 4)))
    FUSED["output_factors"][1](scores, ids, dev(np.ones(4)), totals, rows, factors, xf)
    np.testing.assert_array_equal(host(scores), [[1, 1, 1], [1, 1, 1], [1, 1, 1], [1, -2, 1]])


def test_reruns_are_bit_for_bit_equal(full_blocks):
    draw = Draw("float32")
    out, ids, given = draw(V, D), draw.ids(M, below=9), draw(M, D)
    results = set()
    for _ in range(20):
        total = dev(out)
        FUSED["add_rows"][1](total, dev(ids), dev(given))
        norm, _ = FUSED["norm_and_factor"][1]([total], 1.0)
        results.add(host(total).tobytes() + host(norm).tobytes())
    assert len(results) == 1
