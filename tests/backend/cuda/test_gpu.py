"""What only a device can show. Everything else runs on the stand-in too."""

import numpy as np
import pytest

from rnnlm.backend import FUSED, ops, xp
from rnnlm.backend.cuda import plan, window
from rnnlm.cli.main import main
from rnnlm.data.batches import Batches
from rnnlm.models import AwdLstm, BetterRnnlm, LanguageModel, ModelConfig, SimpleRnnlm
from rnnlm.optim import ASGD, SGD, Adam
from rnnlm.training.run import Run
from tests.backend.cuda import window_cases
from tests.backend.cuda.test_kernels import USED_UP, Draw, on_device
from tests.gradcheck import host

pytestmark = pytest.mark.gpu
V = 500
RUNS = {
    "rnn": (lambda: SimpleRnnlm(V, 100, 100), lambda: SGD(0.1)),
    "better": (lambda: BetterRnnlm(V, 130, 130), lambda: Adam(0.01)),
    "gru": (lambda: LanguageModel(ModelConfig("LanguageModel", V, hidden_size=90, cell="gru")), lambda: SGD(0.1)),
    "awd": (lambda: AwdLstm(V, 60, 110), lambda: ASGD(0.1)),
}


RECORDED = 5  # steps after which one is surely recorded, and replayed


def steps(name, count, N=20, T=35):
    """The bits of weights, gradients and totals after some steps, which are recorded if there are so many."""
    model, optimizer = (make() for make in RUNS[name])
    corpus = np.random.default_rng(0).integers(0, V, 20_000)
    run = Run(model, optimizer, Batches(corpus[:-1], corpus[1:], N, T), 0.25)
    for _ in range(count):
        run.step()
    expect_recorded(run, count)
    return b"".join(host(a).tobytes() for a in (model.flat_params, model.flat_grads, run.totals))


def expect_recorded(run, count):
    """Whether launches are replayed, where there may be a kernel."""
    assert run.unrecorded is None
    assert count < RECORDED or run._compute._recordings


def test_small_models_take_a_few_steps():
    """For compute-sanitizer, under which everything takes long."""
    for name in RUNS:
        assert np.isfinite(np.frombuffer(steps(name, RECORDED, N=3, T=5)[-16:])).all()  # the totals, two of float64


@pytest.mark.parametrize("name", RUNS)
def test_20_repeats_are_bit_for_bit_equal(name):
    assert len({steps(name, RECORDED) for _ in range(20)}) == 1


@pytest.mark.parametrize("H", [100, 200, 256, 400])
@pytest.mark.parametrize("cell", [window_cases.rnn, window_cases.lstm, window_cases.gru_after])
def test_windows_at_real_sizes_are_the_loop(monkeypatch, cell, H):
    """Their plans are those of the device. The loop's products are summed in other orders, 35 times over."""
    N, T = 20, 35
    launch, launched = window.launch_clusters, []
    monkeypatch.setattr(window, "launch_clusters", lambda *given: launched.append(given) or launch(*given))
    for number in range(2):
        results = []
        for which in (0, 1):
            name, arguments = list(cell(Draw("float32"), N, T, H))[number]
            arguments = [on_device(a) for a in arguments]
            FUSED[name][which](*arguments)
            results.append(
                [host(a) for i, a in enumerate(arguments) if a is not None and i not in USED_UP.get(name, ())]
            )
        for plain, fused in zip(*results):
            size = np.abs(plain[np.isfinite(plain)]).max(initial=0)
            np.testing.assert_allclose(fused, plain, rtol=1e-5, atol=1e-5 * size, err_msg=name)
    assert len(launched) == (2 if plan.clustered() else 0)


def test_the_device_is_named():
    assert ops.describe().startswith("CuPy ")
    assert "(cuda:" in ops.describe()
    assert ops.trouble("4096", "fp32").startswith("RNNLM_DEVICE must be one of the ")


def test_too_large_a_model_is_one_sentence(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    sizes = ["--hidden-size", "10000", "--batch-size", "4", "--time-size", "5"]
    pool = xp.get_default_memory_pool()
    pool.set_limit(size=1 << 28)
    try:
        assert main(["train", "--max-tokens", "2000", *sizes]) == 1
    finally:
        pool.set_limit(size=0)
    error = capsys.readouterr().err
    assert "Out of memory allocating" in error
    assert "take smaller sizes (batch_size, time_size, hidden_size)" in error
    assert "Traceback" not in error


def test_a_step_that_is_under_way_is_not_waited_for():
    """The host is back from several steps while the device has still to do them."""
    model = BetterRnnlm(10_000, 650, 650)
    corpus = np.random.default_rng(0).integers(0, 10_000, 100_000)
    run = Run(model, SGD(0.1), Batches(corpus[:-1], corpus[1:], 20, 35), 0.25)
    for _ in range(RECORDED):  # so that every kernel is loaded and every buffer there
        run.step()
    expect_recorded(run, RECORDED)
    ops.synchronize()
    big = xp.ones((8192, 8192), xp.float32)
    for _ in range(200):
        xp.matmul(big, big)  # a second of work, queued
    done = xp.cuda.Event()
    done.record()
    run.step()
    assert not done.done
    ops.synchronize()
