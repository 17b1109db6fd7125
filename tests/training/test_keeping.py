"""A training of the library's trainer is written down and gone on with, bit for bit."""

import os
import random
import signal
import threading
from types import SimpleNamespace

import numpy as np
import pytest

from rnnlm import files
from rnnlm.backend import NAME
from rnnlm.errors import BusyError, InputError, ModelFileError
from rnnlm.models import LanguageModel, ModelConfig, SimpleRnnlm
from rnnlm.optim import ASGD, SGD, Adam, Cosine
from rnnlm.saving.checkpoint import Checkpoints
from rnnlm.saving.lock import locked
from rnnlm.training.keeper import SIGNALS, Keeper
from rnnlm.training.rnnlm_trainer import RnnlmTrainer
from rnnlm.training.save_every import SaveEvery
from tests.gradcheck import host

V = 11
CONFIG = ModelConfig("LanguageModel", V, wordvec_size=5, hidden_size=6, cell="lstm", dropout_ratio=0.3)


class Stop(BaseException):
    """As if the machine had died."""


@pytest.fixture
def corpus(rng):
    return rng.integers(0, V, 200)


def make(optimizer=Adam):
    return RnnlmTrainer(LanguageModel(CONFIG), optimizer(0.01))


def fit(trainer, corpus, **options):
    options = {"max_epoch": 3, "batch_size": 3, "time_size": 10, "max_grad": 1.0, "eval_interval": 2, **options}
    trainer.fit(corpus[:-1], corpus[1:], **options)


def outcome(trainer):
    return host(trainer.model.flat_params).tobytes(), trainer.ppl_list, trainer.grad_norm_list, trainer.current_epoch


@pytest.mark.parametrize(
    "options",
    [{}, {"random_bptt": True, "seed": 4}, {"rate": lambda: Cosine(0.01, 18)}, {"eval_interval": None}],
    ids=["plain", "random", "cosine", "each epoch"],
)
@pytest.mark.parametrize("optimizer", [Adam, ASGD])
def test_it_is_the_training_that_was_never_stopped(corpus, tmp_path, monkeypatch, options, optimizer):
    def given():
        return {name: value() if callable(value) else value for name, value in options.items()}

    whole = make(optimizer)
    fit(whole, corpus, **given())
    stops, died, end_step = random.Random(1), [], Keeper.end_step

    def end_or_die(self):
        stop = end_step(self)
        if len(died) < 6 and stops.random() < 0.3:
            died.append(self.run.steps)
            raise Stop
        return stop

    monkeypatch.setattr(Keeper, "end_step", end_or_die)
    while True:
        trainer = make(optimizer)
        assert trainer.resume(tmp_path / "kept") == (len(died) > 0)
        try:
            fit(trainer, corpus, **given(), save_to=tmp_path / "kept", save_every="2")
            break
        except Stop:
            pass
    assert len(died) > 2
    assert outcome(trainer) == outcome(whole)


def test_a_second_fit_is_gone_on_with_as_the_second(corpus, tmp_path):
    whole = make()
    fit(whole, corpus, random_bptt=True)
    fit(whole, corpus, random_bptt=True)
    first = make()
    fit(first, corpus, random_bptt=True)

    def stop(epoch, window, perplexity):
        first.save(tmp_path / "kept")
        return epoch == 4

    fit(first, corpus, random_bptt=True, on_report=stop)
    second = make()
    assert second.resume(tmp_path / "kept")
    fit(second, corpus, random_bptt=True)
    assert outcome(second) == outcome(whole)


def test_what_is_resumed_is_there_at_once(corpus, tmp_path):
    first, second = make(), make()
    fit(first, corpus)
    first.save(tmp_path / "kept")
    assert second.resume(tmp_path / "kept")
    np.testing.assert_array_equal(host(second.model.flat_params), host(first.model.flat_params))
    assert second.ppl_list == first.ppl_list
    fit(second, corpus)  # it has come to its end: nothing is done
    assert outcome(second) == outcome(first)


def test_what_can_not_go_on_is_refused(corpus, tmp_path):
    trainer = make()
    assert not trainer.resume(tmp_path / "nothing")
    with pytest.raises(InputError, match="save needs a training: call fit first"):
        trainer.save(tmp_path / "kept")
    fit(trainer, corpus, save_to=tmp_path / "kept")
    other = RnnlmTrainer(SimpleRnnlm(V, 5, 6), Adam())
    with pytest.raises(InputError, match="parameters must be"):
        other.resume(tmp_path / "kept")
    theirs = RnnlmTrainer(SimpleRnnlm(V, 4, 5), SimpleNamespace(lr=0.1, update=lambda params, grads: None))
    with pytest.raises(InputError, match=r"optimizer must be one of rnnlm.optim, .*, got SimpleNamespace"):
        theirs.resume(tmp_path / "kept")
    again = make()
    assert again.resume(tmp_path / "kept")
    with pytest.raises(InputError, match="inputs of a resumed training must be [0-9a-f]{32}, as before, got"):
        fit(again, corpus[::-1])
    for options, message in (
        ({"batch_size": 4}, "batch_size of a resumed training must be 3, as before, got 4"),
        ({"time_size": 4}, "time_size of a resumed training must be 10, as before, got 4"),
        ({"max_grad": 2.0}, "max_grad of a resumed training must be 1.0, as before, got 2.0"),
        ({"eval_interval": 3}, "eval_interval of a resumed training must be 2, as before, got 3"),
        ({"rate": Cosine(0.1, 9)}, "rate of a resumed training must be none, as before, got Cosine"),
    ):
        with pytest.raises(InputError, match=message):
            fit(again, corpus, **options)
    fit(again, corpus)  # what was refused has not made it forget
    assert outcome(again) == outcome(trainer)
    for path in (tmp_path / "kept").glob("step-*"):
        (path / "state.json").write_text("{}")
    with pytest.raises(ModelFileError, match="all 2 are damaged"):
        make().resume(tmp_path / "kept")


def test_what_can_not_be_written_down_is_refused_before_any_step(corpus, tmp_path):
    class Foreign:
        def update(self, params, grads):
            pytest.fail("a step was made")

    trainer = RnnlmTrainer(LanguageModel(CONFIG), Foreign())
    with pytest.raises(
        InputError, match=r"optimizer must be one of rnnlm.optim, or of a subclass, to be saved in checkpoints"
    ):
        fit(trainer, corpus, save_to=tmp_path / "kept")
    with pytest.raises(InputError, match="save_every must be steps, as 200, or a time"):
        fit(make(), corpus, save_to=tmp_path / "kept", save_every="often")


def test_another_training_in_the_folder_is_refused(corpus, tmp_path):
    (tmp_path / "kept").mkdir()
    with locked(tmp_path / "kept"), pytest.raises(BusyError, match="kept is in use: another training writes to it"):
        fit(make(), corpus, save_to=tmp_path / "kept")


def test_a_signal_finishes_the_step_and_then_does_what_it_does(corpus, tmp_path, signals_heard):
    whole, trainer, steps = make(), make(), []
    fit(whole, corpus)

    def asked(epoch, window, perplexity):
        if window == 3:
            signal.raise_signal(signal.SIGINT)
            steps.append(trainer._run.steps)

    with pytest.raises(KeyboardInterrupt):
        fit(trainer, corpus, save_to=tmp_path / "kept", on_report=asked)
    assert len(steps) == 1  # where the signal came the report was not cut short
    assert signal.getsignal(signal.SIGINT) == signal.default_int_handler
    again = make()
    assert again.resume(tmp_path / "kept")
    fit(again, corpus, save_to=tmp_path / "kept")
    assert outcome(again) == outcome(whole)


def test_signals_do_afterwards_what_they_did_before(corpus, tmp_path, signals_heard):
    before, seen = [signal.getsignal(number) for number in SIGNALS], []
    fit(make(), corpus, save_to=tmp_path / "kept", on_report=lambda *_: seen.append(signal.getsignal(signal.SIGINT)))
    assert before[0] not in seen
    assert [signal.getsignal(number) for number in SIGNALS] == before


def test_a_second_signal_ends_at_once(corpus, tmp_path, signals_heard):
    def never(epoch, window, perplexity):
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
        pytest.fail("nobody heard the second signal")

    with pytest.raises(KeyboardInterrupt):
        fit(make(), corpus, save_to=tmp_path / "kept", on_report=never)


@pytest.mark.skipif(NAME != "numpy", reason="CuPy's device is the main thread's")
def test_it_is_kept_in_another_thread_too(corpus, tmp_path):
    trainer, whole = make(), make()
    thread = threading.Thread(target=lambda: fit(trainer, corpus, save_to=tmp_path / "kept"))
    thread.start()
    thread.join()
    fit(whole, corpus)
    assert outcome(trainer) == outcome(whole)
    assert len(os.listdir(tmp_path / "kept")) >= 2


def test_a_folder_of_another_training_is_refused(corpus, tmp_path):
    """Its checkpoints would be taken for this one's, or this one's be removed as older ones."""
    fit(make(), corpus, save_to=tmp_path / "kept")
    before = sorted(os.listdir(tmp_path / "kept"))
    other = make()
    for action in (lambda: fit(other, corpus, save_to=tmp_path / "kept"), lambda: other.save(tmp_path / "kept")):
        with pytest.raises(InputError, match="kept must not have checkpoints of another training: go on with it"):
            action()
    assert sorted(os.listdir(tmp_path / "kept")) == before


def test_a_second_fit_is_kept_in_the_same_folder(corpus, tmp_path):
    whole, trainer = make(), make()
    fit(whole, corpus)
    fit(whole, corpus, random_bptt=True)
    fit(trainer, corpus, save_to=tmp_path / "kept")
    with pytest.raises(Stop):
        fit(trainer, corpus, random_bptt=True, save_to=tmp_path / "kept", save_every="1", on_report=dies_late)
    again = make()
    assert again.resume(tmp_path / "kept")
    assert again.current_epoch == 4
    fit(again, corpus, random_bptt=True, save_to=tmp_path / "kept")
    assert outcome(again) == outcome(whole)


def dies_late(epoch, window, perplexity):
    if (epoch, window) == (4, 3):
        raise Stop


def test_another_optimizer_is_refused_before_anything_is_changed(corpus, tmp_path):
    fit(make(), corpus, save_to=tmp_path / "kept")
    other = make(SGD)
    before = host(other.model.flat_params).copy()
    with pytest.raises(InputError, match="optimizer of a resumed training must be Adam, as before, got SGD"):
        other.resume(tmp_path / "kept")
    np.testing.assert_array_equal(host(other.model.flat_params), before)


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (Adam(0.5, beta1=0.8), "beta1 of a resumed training must be 0.9, as before, got 0.8"),
        (Adam(0.5, weight_decay=0.1), "weight_decay of a resumed training must be 0.0, as before, got 0.1"),
    ],
)
def test_other_hyperparameters_are_refused_before_anything_is_changed(other, message, corpus, tmp_path):
    fit(make(), corpus, save_to=tmp_path / "kept")
    trainer = make(lambda lr: other)
    before = host(trainer.model.flat_params).copy()
    with pytest.raises(InputError, match=message):
        trainer.resume(tmp_path / "kept")
    np.testing.assert_array_equal(host(trainer.model.flat_params), before)
    assert other.lr == 0.5


def test_a_checkpoint_of_an_earlier_version_has_no_hyperparameters(corpus, tmp_path):
    whole, begun = make(), make()
    fit(whole, corpus)
    fit(begun, corpus, max_epoch=1, save_to=tmp_path / "kept")
    state = Checkpoints(tmp_path / "kept").latest()
    for name in Adam().hyperparameters():
        del state["training"]["parts"][name]
    Checkpoints(tmp_path / "old").save(10**6, state)
    trainer = make()
    trainer.resume(tmp_path / "old")
    fit(trainer, corpus)
    assert outcome(trainer) == outcome(whole)


# ---------------------------------------------------------------- when


@pytest.mark.parametrize(("given", "seconds"), [("30s", 30), ("10m", 600), ("2h", 7200)])
def test_a_time_to_save_by_the_clock(monkeypatch, given, seconds):
    now = [100.0]
    monkeypatch.setattr("rnnlm.training.save_every.monotonic", lambda: now[0])
    every = SaveEvery(given)
    for _ in range(2):
        now[0] += seconds - 0.5
        assert not every.is_time(1)
        now[0] += 0.5
        assert every.is_time(1)
        every.saved()
    assert not every.is_time(seconds)


def test_a_time_to_save_by_steps():
    every = SaveEvery("20")
    assert [step for step in range(1, 61) if every.is_time(step)] == [20, 40, 60]
    assert SaveEvery("123456789").steps == 123456789
    for wrong in ("0", "1d", "-1", "1.5", "", "20 ", 20, "1234567890"):
        with pytest.raises(InputError, match="save_every must be steps, as 200, or a time, as 30s, 10m or 1h, got"):
            SaveEvery(wrong)


def test_all_steps_are_written_down_or_not(corpus, tmp_path):
    trainer, seen = make(), []
    fit(trainer, corpus)
    run = trainer._run
    keeper = Keeper(run, Checkpoints(tmp_path / "kept"), "5", dict, first=100)
    for _ in range(6):
        run.step()
        seen.append((keeper.end_step(), keeper.is_saved))
    assert [stops for stops, _ in seen] == [False] * 6
    assert sum(saved for _, saved in seen) == 1  # after one step of five
    assert keeper.saved_step % 5 == 0
    assert [path.name for path in (tmp_path / "kept").iterdir()] == [f"step-{100 + keeper.saved_step:012d}"]
    keeper.each_epoch, keeper.every = True, SaveEvery("1000")
    for _ in range(len(run.batches) + 1):
        run.step()
        keeper.end_step()
        assert keeper.is_saved == (run.steps % len(run.batches) == 0)


def test_a_folder_for_what_is_saved_is_made_for_good(corpus, tmp_path, monkeypatch):
    """The names of all folders that are new reach the disk."""
    synced, sync = [], files.sync_folder
    monkeypatch.setattr(files, "sync_folder", lambda folder: synced.append(folder) or sync(folder))
    trainer = make()
    fit(trainer, corpus, max_epoch=1)
    trainer.save(tmp_path / "a" / "b")
    assert {tmp_path, tmp_path / "a"} <= set(synced)
    fit(make(), corpus, max_epoch=1, save_to=tmp_path / "c" / "d")
    assert tmp_path / "c" in synced
    with locked(tmp_path / "a" / "b"), pytest.raises(BusyError, match="is in use: another training writes to it"):
        trainer.save(tmp_path / "a" / "b")
    trainer.save(tmp_path / "a" / "b")


def test_a_checkpoint_elsewhere_is_locked_and_takes_no_folder_away(corpus, tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    trainer = RnnlmTrainer(SimpleRnnlm(V, 5, 6, seed=1), SGD(0.1))
    second.mkdir()

    def save(*_):
        with locked(second), pytest.raises(BusyError, match="second"):
            trainer.save(second)
        trainer.save(second)

    for _ in range(2):
        trainer.fit(corpus[:-1], corpus[1:], 1, 3, 4, eval_interval=None, on_report=save, save_to=first, verbose=0)
