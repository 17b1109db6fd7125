"""A training is one value: taken apart after any step and put together again, it ends bit for bit as the unbroken one."""

import copy
import os
import pickle
import subprocess
import sys

import numpy as np
import pytest

from rnnlm import (
    ASGD,
    SGD,
    Adam,
    AwdLstm,
    BetterRnnlm,
    Constant,
    Cosine,
    DivideOnPlateau,
    Halving,
    InputError,
    LanguageModel,
    ModelConfig,
    Momentum,
    RMSprop,
    Sentences,
    SimpleRnnlm,
    StepDecay,
    TrainingDiverged,
    evaluate,
)
from rnnlm.backend import NAME
from rnnlm.data.batches import make_batches
from rnnlm.training.run import Run
from tests.gradcheck import dev, host

V = 12
EPOCHS, WINDOWS = 4, 8
CORPUS = np.random.default_rng(2).integers(0, V, 3 * 10 * WINDOWS + 1)
VALID = np.random.default_rng(3).integers(0, V, 60)
GRU = ModelConfig(cell="gru", vocab_size=V, wordvec_size=4, hidden_size=5, weight_drop=0.3, embed_dropout=0.2, seed=4)
PARTS = {  # model, optimiser, rate rule, random windows
    "dropout and momentum": (lambda: BetterRnnlm(V, 6, 6, 0.4, seed=1), lambda: Momentum(0.3), DivideOnPlateau, False),
    "random windows and Adam": (lambda: LanguageModel(GRU), lambda: Adam(0.02), lambda lr: Cosine(lr, 24, 3), True),
    "ASGD": (lambda: AwdLstm(V, 4, 6, seed=2), lambda: ASGD(0.5, 1e-4, nonmono=1), Constant, True),
    "RMSprop": (
        lambda: SimpleRnnlm(V, 4, 5, dtype="float64"),
        lambda: RMSprop(0.01),
        lambda lr: Halving(lr, 2.0),
        False,
    ),
    "no rule": (lambda: SimpleRnnlm(V, 4, 5), lambda: SGD(0.5), lambda _: None, False),
    "steps": (lambda: SimpleRnnlm(V, 4, 5), lambda: SGD(0.5), lambda lr: StepDecay(lr, 2.0, 1), True),
}


class Stopped(Exception):
    """The process has died."""


def build(kind):
    """A training at its beginning, and what it has told."""
    model, optimizer, rule, random = PARTS[kind]
    batches = make_batches(CORPUS[:-1], CORPUS[1:], 3, 10, random, seed=9)
    optimizer = optimizer()
    return Run(model(), optimizer, batches, 0.5, rule(optimizer.lr)), []


def train(run, told, stop_after=None):
    """To its end, or to a step after which it stops at once; told what it reports, and validated after each epoch."""

    def hear(report):
        told.append(report)
        if report.window == 0:
            with run.optimizer.averaged([run.model.flat_params]):
                nats = evaluate(run.model, VALID).nats + report.epoch  # worse and worse: rules and triggers act
            told.append((nats, run.note_valid(nats), run.best, run.waited))
            run.optimizer.end_epoch(nats)
            if run.rate is not None:
                run.rate.end_epoch(nats)

    step = run.step

    def counted():
        step()
        if run.steps == stop_after:
            raise Stopped

    run.step = counted
    try:
        run.train(EPOCHS, 3 if run.rate is None else None, hear)
    except Stopped:
        assert run.steps == stop_after
    finally:
        run.step = step


def outcome(run, told):
    """All that a training leads to, in words that can be compared bit for bit."""
    with run.optimizer.averaged([run.model.flat_params]):
        average = host(run.model.flat_params)
    return words((host(run.model.flat_params), average, run.state_dict(), told))


def words(x):
    if isinstance(x, dict):
        return f"{{{', '.join(f'{key}: {words(value)}' for key, value in x.items())}}}"
    if isinstance(x, (list, tuple)):
        return f"[{', '.join(words(value) for value in x)}]"
    return f"{x.dtype} {x.shape} {x.tobytes().hex()}" if isinstance(x, np.ndarray) else repr(x)


@pytest.mark.parametrize("kind", PARTS)
def test_it_goes_on_from_any_step(kind):
    unbroken, told = build(kind)
    train(unbroken, told)
    want = outcome(unbroken, told)
    steps = unbroken.steps
    assert steps >= EPOCHS * (WINDOWS - 2)
    for stop_after in (0, 1, 2, WINDOWS - 1, WINDOWS, WINDOWS + 1, 3 * WINDOWS + 5, steps):
        run, told = build(kind)
        if stop_after:
            train(run, told, stop_after)
        state = pickle.loads(pickle.dumps(run.state_dict()))
        other, _ = build(kind)
        other.load_state_dict(state)
        train(other, told)
        assert outcome(other, told) == want, stop_after


def test_what_is_told_of_asgd_and_rules_is_told_again():
    """The cases above would be hollow if averaging, halving or a plateau never began."""
    asgd, _ = build("ASGD")
    train(asgd, [])
    assert asgd.optimizer.averaging
    halving, _ = build("RMSprop")
    train(halving, [])
    assert halving.rate.lr < 0.01
    plateau, told = build("dropout and momentum")
    train(plateau, told)
    assert (plateau.waited, plateau.rate.lr) == (3, 0.3 / 4**3)
    assert plateau.best == told[1][0]


def lost(state, *place):
    """Make a state forget one thing."""
    *folders, name = place
    for folder in folders:
        state = state[folder]
    old = state[name]
    if isinstance(old, np.ndarray):
        state[name] = np.zeros_like(old)
    else:
        state[name] = [0 * a for a in old] if isinstance(old, list) else 0.125 if isinstance(old, float) else old + 1


@pytest.mark.parametrize(
    "place",
    [("totals",), ("columns",), ("best",), ("waited",), ("model", "train_steps"), ("optimizer", "v"),
     ("model", "weights", "lstm1.Wh"), ("rate", "best"), ("rate", "lr")],
    ids="/".join,
)  # fmt: skip
def test_what_is_forgotten_is_noticed(place):
    """Planted: a run that goes on without one thing of its state does not end as the unbroken one."""
    kind, stop_after = "dropout and momentum", 2 * WINDOWS + 3
    unbroken, told = build(kind)
    train(unbroken, told)
    run, before = build(kind)
    train(run, before, stop_after)
    state = run.state_dict()
    lost(state, *place)
    other, _ = build(kind)
    other.load_state_dict(state)
    train(other, before)
    assert outcome(other, before) != outcome(unbroken, told)


@pytest.mark.skipif(NAME != "numpy", reason="a process of its own, which no stand-in reaches: runs on NumPy")
@pytest.mark.parametrize("kind", ["dropout and momentum", "random windows and Adam", "ASGD"])
def test_it_goes_on_in_a_fresh_process(tmp_path, clean_env, kind):
    unbroken, told = build(kind)
    train(unbroken, told)
    run, before = build(kind)
    train(run, before, 13)
    (tmp_path / "state").write_bytes(pickle.dumps((run.state_dict(), before)))
    code = f"""
import pickle, sys
from pathlib import Path
from tests.training.test_run import build, outcome, train
run, _ = build({kind!r})
state, told = pickle.loads(Path(sys.argv[1]).read_bytes())
run.load_state_dict(state)
train(run, told)
Path(sys.argv[2]).write_text(outcome(run, told))
"""
    files = [str(tmp_path / "state"), str(tmp_path / "outcome")]
    env = os.environ | clean_env  # with RNNLM_FUSED and RNNLM_THREADS of this process: bits depend on them
    done = subprocess.run([sys.executable, "-c", code, *files], env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "outcome").read_text() == outcome(unbroken, told)


def test_a_state_is_a_copy():
    run, told = build("dropout and momentum")
    train(run, told, 5)
    state = run.state_dict()
    before = words(state)
    train(run, told, 9)
    assert words(state) == before
    other, _ = build("dropout and momentum")
    other.load_state_dict(state)
    train(other, [], 9)
    assert words(state) == before


def test_a_line_begins_with_a_fresh_state():
    """And only a line: the pieces of a long one follow each other."""
    lines = Sentences.of([[1, 2, 3, 4, 5, 6, 7]] * 3 + [[1, 2]] * 4, 0)
    run, resets = Run(SimpleRnnlm(V, 4, 5), SGD(0.5), make_batches(lines, None, 3, 4)), []
    reset = run.model.reset_state
    run.model.reset_state = lambda: resets.append(run.steps) or reset()
    run.train(2, silent=True)
    assert len(resets) < run.steps
    assert resets == [number for number in range(run.steps) if run.batches.fresh(number)]


def test_what_is_called_after_a_step_may_end_the_training():
    for stop_after in (5, WINDOWS, WINDOWS + 1):
        run, told = Run(SimpleRnnlm(V, 4, 5), SGD(0.5), make_batches(CORPUS[:-1], CORPUS[1:], 3, 10)), []
        run.train(
            2, 3, told.append, silent=True, on_step=lambda run=run, stop_after=stop_after: run.steps == stop_after
        )
        assert run.steps == stop_after
        run.train(2, 3, told.append, silent=True)
        assert (run.steps, len(told)) == (2 * WINDOWS, 6)
        assert [(report.epoch, report.window) for report in told] == [(e, w) for e in (0, 1) for w in (1, 4, 7)]
        assert run.reported == 2 * WINDOWS - 1


def test_another_training_is_refused():
    run, told = build("steps")
    train(run, told, 5)
    state = run.state_dict()
    shorter = make_batches(CORPUS[:-11], CORPUS[1:-10], 3, 10, True, seed=9)
    with pytest.raises(InputError, match="tokens of a resumed training must be 240, as before, got 230"):
        Run(SimpleRnnlm(V, 4, 5), SGD(0.5), shorter, 0.5, StepDecay(0.5)).load_state_dict(state)
    reseeded = make_batches(CORPUS[:-1], CORPUS[1:], 3, 10, True, seed=8)
    with pytest.raises(InputError, match="seed of a resumed training must be 9, as before, got 8"):
        Run(SimpleRnnlm(V, 4, 5), SGD(0.5), reseeded, 0.5, StepDecay(0.5)).load_state_dict(state)
    with pytest.raises(InputError, match="optimizer of a resumed training must be SGD, as before, got Adam"):
        Run(SimpleRnnlm(V, 4, 5), Adam(0.5), run.batches, 0.5, StepDecay(0.5)).load_state_dict(state)
    with pytest.raises(InputError, match="rate of a resumed training must be StepDecay, as before, got Constant"):
        Run(SimpleRnnlm(V, 4, 5), SGD(0.5), run.batches, 0.5, Constant(0.5)).load_state_dict(state)
    with pytest.raises(InputError, match="full_epochs of the learning rate .* must be 1, as before, got 2"):
        Run(SimpleRnnlm(V, 4, 5), SGD(0.5), run.batches, 0.5, StepDecay(0.5, 2.0, 2)).load_state_dict(state)
    larger = Run(SimpleRnnlm(V, 4, 6), SGD(0.5), run.batches, 0.5, StepDecay(0.5, 2.0, 1))
    with pytest.raises(InputError, match=r"rnn.Wx must be float32 \(4, 6\), got float32 \(4, 5\)"):
        larger.load_state_dict(state)
    assert larger.steps == 0


def test_a_last_window_that_is_not_finite_is_seen_after_the_last_report():
    """With an interval the last report comes before the end of the epoch; what went wrong since is still seen."""
    run = Run(SimpleRnnlm(V, 4, 5), SGD(0.5), make_batches(CORPUS[:-1], CORPUS[1:], 3, 10), 0.5)
    forward, told = run.model.forward, []
    run.model.forward = lambda xs, ts: forward(xs, ts) * (float("nan") if run.steps == WINDOWS - 1 else 1)
    with pytest.raises(TrainingDiverged, match=f"NaN or infinite at step {WINDOWS} .*; the model has the weights of"):
        run.train(1, WINDOWS - 2, told.append)
    assert [report.window for report in told] == [1, WINDOWS - 1]


class Theirs:
    """A model or an optimiser of someone else."""

    lr = 0.1
    params = grads = ()

    def forward(self, xs, ts):
        return 0.0

    def backward(self):
        pass

    def update(self, params, grads):
        pass


def test_what_is_not_ours_can_not_be_written_down():
    batches = make_batches(CORPUS[:-1], CORPUS[1:], 3, 10)
    for parts, message in (
        (
            (SimpleRnnlm(V, 4, 5), Theirs()),
            "optimizer must be one of rnnlm.optim, or of a subclass, to be saved in checkpoints, got Theirs",
        ),
        ((SimpleRnnlm(V, 4, 5), SGD(0.1), lambda step: 0.1), "rate must be one of rnnlm.optim, .*, got function"),
        ((Theirs(), SGD(0.1)), "model must be one of rnnlm.models to be saved in checkpoints, got Theirs"),
    ):
        run = Run(*parts[:2], batches, 0.5, *parts[2:])
        with pytest.raises(InputError, match=message):
            run.state_dict()


def test_losses_are_added_up_in_float64_whatever_a_model_gives():
    theirs = Theirs()
    theirs.forward = lambda xs, ts: dev(0.1, np.float32)
    run = Run(theirs, Theirs(), make_batches(CORPUS[:-1], CORPUS[1:], 3, 10))
    run.step()
    assert host(run.totals)[0] == 10 * float(np.float32(0.1))  # of ten columns; in float32 it would be 1
    assert run.report() == (float(np.float32(0.1)), 0.0)


def test_a_report_has_the_means_since_the_one_before():
    theirs = Theirs()
    theirs.params, theirs.grads, seen = [dev(np.zeros(2))], [dev(np.zeros(2))], []

    def forward(xs, ts):
        seen.append(len(seen) + 1.0)
        theirs.grads[0][...] = dev(np.array([3.0, 4.0])) * seen[-1]
        return seen[-1]

    theirs.forward = forward
    run = Run(theirs, Theirs(), make_batches(CORPUS[:-1], CORPUS[1:], 3, 10))
    for steps, want in ((2, (1.5, 7.5)), (3, (4.0, 20.0)), (1, (6.0, 30.0))):
        for _ in range(steps):
            run.step()
        assert run.report() == pytest.approx(want)


def test_only_a_lower_loss_is_a_better_one():
    run = Run(Theirs(), Theirs(), make_batches(CORPUS[:-1], CORPUS[1:], 3, 10))
    heard = [run.note_valid(loss) for loss in (2.0, 2.0, float("nan"), float("inf"), 1.5, 1.75)]
    assert heard == [True, False, False, False, True, False]
    assert (run.best, run.waited) == (1.5, 1)


def test_a_rate_is_refused_where_it_can_not_be_set_or_gives_none():
    batches = make_batches(CORPUS[:-1], CORPUS[1:], 3, 10)
    bare = type("Bare", (), {"update": lambda self, params, grads: None})()
    with pytest.raises(InputError, match="optimizer must be one with a learning rate, lr, for the rate to set"):
        Run(SimpleRnnlm(V, 4, 5), bare, batches, 0.5, lambda step: 0.1)
    for wrong in (None, -0.1, float("nan")):
        with pytest.raises(InputError, match="the learning rate of step 1 must be at least 0 and finite, got"):
            Run(SimpleRnnlm(V, 4, 5), SGD(0.1), batches, 0.5, lambda step, wrong=wrong: wrong).step()


def test_a_rate_of_zero_leaves_the_weights():
    """As at the end of a line that falls to zero."""
    batches = make_batches(CORPUS[:-1], CORPUS[1:], 3, 10)
    run = Run(SimpleRnnlm(V, 4, 5), Adam(0.1), batches, 0.5, lambda step: 0.1 * (1 - step))
    run.step()
    weights = host(run.model.flat_params).copy()
    run.step()
    np.testing.assert_array_equal(host(run.model.flat_params), weights)
    assert (run.steps, run.optimizer.iter, run.optimizer.lr, run.lr) == (2, 1, 0.1, 0.0)


@pytest.mark.parametrize("kind", ["optimizer", "rate"])
def test_what_has_trained_a_model_trains_no_other(kind):
    batches = make_batches(CORPUS[:-1], CORPUS[1:], 3, 10)
    first, second = SimpleRnnlm(V, 4, 5), SimpleRnnlm(V, 4, 5)
    optimizer, rate = (Adam(0.1), Constant(0.1)) if kind == "optimizer" else (SGD(0.1), StepDecay(0.1, 2.0, 1))
    run = Run(first, optimizer, batches, rate=rate)
    run.step()
    rate.end_epoch(None)
    Run(first, optimizer, batches, rate=rate)  # goes on
    name = type({"optimizer": optimizer, "rate": rate}[kind]).__name__
    with pytest.raises(InputError, match=f"{kind} must not have trained another model: make a new {name} for each"):
        Run(second, optimizer, batches, rate=rate)
    Run(copy.deepcopy(first), copy.deepcopy(optimizer), batches, rate=copy.deepcopy(rate))
    Run(second, SGD(0.1), batches, rate=Cosine(0.1, 10))
    given = {"optimizer": optimizer, "rate": rate}[kind]
    state = given.state_dict()
    del first, run
    with pytest.raises(InputError, match="must not have trained another model"):
        Run(second, optimizer, batches, rate=rate)
    given.load_state_dict(state)  # a new state belongs to no model
    Run(second, optimizer, batches, rate=rate).step()


def test_what_an_optimizer_does_not_save_is_told_once(capfd):
    class Decay(SGD):
        scale = 1.0

        def update(self, params, grads, factor=1):
            self.scale = self.scale * 0.9

    class Told(Decay):
        noted = ("scale",)

    batches = make_batches(CORPUS[:-1], CORPUS[1:], 3, 10)
    for kind, told in ((Decay, "scale of Decay changed in training and is not saved: name it in noted"), (Told, "")):
        run = Run(SimpleRnnlm(V, 4, 5), kind(0.1), batches)
        run.state_dict()
        run.step()
        for _ in range(2):
            state = run.state_dict()
        assert capfd.readouterr().err.count("name it in noted") == (told != "")
        Run(SimpleRnnlm(V, 4, 5), kind(0.1), batches).load_state_dict(state)
    assert state["optimizer"]["scale"] == 0.9
