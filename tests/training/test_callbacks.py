"""What listens to a training, and a text held out."""

import numpy as np
import pytest

from rnnlm import (
    ASGD,
    SGD,
    Callback,
    DataError,
    Dense,
    DivideOnPlateau,
    Halving,
    InputError,
    MeanSquaredError,
    RnnlmTrainer,
    Sentences,
    Sequential,
    SimpleRnnlm,
    StepDecay,
    Trainer,
    evaluate,
)
from rnnlm.saving.checkpoint import Checkpoints
from tests.gradcheck import host

V = 9
CORPUS = np.random.default_rng(0).integers(0, V, 121)
VALID = np.random.default_rng(1).integers(0, V, 40)
SIZES = {"batch_size": 3, "time_size": 5}  # 8 windows an epoch


class Listener(Callback):
    """Writes down what it hears; asks to stop after an epoch."""

    def __init__(self, stop_at=None):
        self.heard, self.stop_at = [], stop_at

    def begin(self, training):
        self.heard.append(("begin", training.next_step))

    def report(self, report):
        self.heard.append(("report", report.epoch, report.window, report.step))

    def end_epoch(self, report):
        self.heard.append(report)
        return report.epoch == self.stop_at

    def end(self, training):
        self.heard.append(("end", training.current_epoch))

    @property
    def epochs(self):
        return [one for one in self.heard if not isinstance(one, tuple)]


class Interrupt(Callback):
    """Ends a training like a user who has no more time, after an epoch."""

    def __init__(self, epoch):
        self.epoch = epoch

    def end_epoch(self, report):
        if report.epoch == self.epoch:
            raise KeyboardInterrupt


def fit(max_epoch=2, optimizer=None, trainer=None, **options):
    trainer = trainer or RnnlmTrainer(SimpleRnnlm(V, 4, 5, seed=1), optimizer or SGD(0.5))
    trainer.fit(CORPUS[:-1], CORPUS[1:], max_epoch, verbose=0, **SIZES, **options)
    return trainer


def test_a_text_held_out_is_evaluated_after_each_epoch():
    trainer, plain = fit(3, valid=VALID), fit(3)
    assert len(trainer.valid_ppl_list) == 3
    assert trainer.valid_ppl_list[-1] == evaluate(trainer.model, VALID, lanes=10).perplexity
    exact = fit(valid=VALID, valid_lanes=1)
    assert exact.valid_ppl_list[-1] == evaluate(exact.model, VALID).perplexity != trainer.valid_ppl_list[-1]
    with pytest.raises(InputError, match="valid_lanes must be a whole number of at least 1, got 0"):
        fit(valid=VALID, valid_lanes=0)
    with pytest.raises(InputError, match="valid_lanes is how a validation text is read, and there is none"):
        fit(valid_lanes=1)
    assert plain.valid_ppl_list == []
    assert trainer.ppl_list == plain.ppl_list
    np.testing.assert_array_equal(host(trainer.model.flat_params), host(plain.model.flat_params))


def test_it_may_be_inputs_and_targets_or_sentences():
    assert fit(valid=(VALID[:-1], VALID[1:])).valid_ppl_list == fit(valid=VALID).valid_ppl_list
    sentences = Sentences(np.append(VALID, 0), 0)
    trainer = fit(valid=sentences)
    assert trainer.valid_ppl_list[-1] == evaluate(trainer.model, sentences).perplexity


@pytest.mark.parametrize(
    ("valid", "error", "message"),
    [
        ((VALID, VALID), InputError, "valid must be a corpus, or .xs, ts. of which ts is xs one word on"),
        ((VALID,) * 3, InputError, "valid must be a corpus, or a tuple .xs, ts."),
        ([1], DataError, "valid must have at least two words, got 1"),
        ([1, V], InputError, "valid must hold ids in .0, 9., got 9"),
        ("text", InputError, "valid must be"),
    ],
)
def test_what_is_no_text_is_refused_before_training(valid, error, message):
    trainer = RnnlmTrainer(SimpleRnnlm(V, 4, 5), SGD(0.5))
    with pytest.raises(error, match=message):
        fit(trainer=trainer, valid=valid)
    assert trainer.ppl_list == []


def test_a_model_that_can_not_be_evaluated_is_named():
    class Foreign:
        params, grads = [], []

        def forward(self, xs, ts):
            return 1.0

        def backward(self):
            pass

    with pytest.raises(InputError, match="model, where valid is given, must be a language model"):
        fit(trainer=RnnlmTrainer(Foreign(), SGD(0.5)), valid=VALID)


def learned(max_epoch=30, averages=False, trainer=None, **options):
    """Trains on a text whose words differ in frequency: these are learned first, and then the text by heart."""
    share = 1 / np.arange(1, V + 1)
    text, valid = (np.random.default_rng(seed).choice(V, n, p=share / share.sum()) for seed, n in ((0, 121), (1, 40)))
    trainer = trainer or RnnlmTrainer(SimpleRnnlm(V, 4, 5, seed=1), ASGD(0.2))
    if averages:
        trainer.optimizer.start_averaging()
    trainer.fit(text, max_epoch=max_epoch, verbose=0, valid=valid, **SIZES, **options)
    return trainer, evaluate(trainer.model, valid, lanes=10).perplexity


@pytest.mark.parametrize("averages", [False, True])
def test_patience_ends_a_training_and_brings_the_best_weights_back(averages):
    trainer, perplexity = learned(averages=averages, patience=2)
    best = int(np.argmin(trainer.valid_ppl_list))
    assert 0 < best == len(trainer.valid_ppl_list) - 3 < 27
    assert perplexity == trainer.valid_ppl_list[best]
    assert learned(best + 1, averages)[0].valid_ppl_list == trainer.valid_ppl_list[: best + 1]


def test_the_best_weights_are_back_after_the_last_epoch_too():
    (plain, last), (patient, best) = (learned(9, patience=patience) for patience in (None, 8))
    assert plain.valid_ppl_list == patient.valid_ppl_list
    assert (last, best) == (plain.valid_ppl_list[-1], min(plain.valid_ppl_list))


@pytest.mark.parametrize("stopped_at", [1, 5, 7])
def test_patience_goes_on_where_a_training_was_stopped(stopped_at, tmp_path):
    whole, best = learned(patience=3)
    assert stopped_at < len(whole.valid_ppl_list) < 30
    with pytest.raises(KeyboardInterrupt):
        learned(patience=3, save_to=tmp_path / "kept", callbacks=[Interrupt(stopped_at)])
    again = RnnlmTrainer(SimpleRnnlm(V, 4, 5, seed=7), ASGD(0.1))
    for _ in range(2):  # the second time it is over already
        assert again.resume(tmp_path / "kept")
        assert learned(trainer=again, patience=3, save_to=tmp_path / "kept")[1] == best
        assert again.valid_ppl_list == whole.valid_ppl_list
        np.testing.assert_array_equal(host(again.model.flat_params), host(whole.model.flat_params))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"patience": 2}, "patience needs samples or a text held out for validation, got 2 without"),
        ({"patience": 0, "valid": VALID}, "patience must be a whole number of at least 1, got 0"),
        ({"rate": DivideOnPlateau(0.5)}, r"rate DivideOnPlateau\(.*\) needs samples or a text held out"),
        ({"verbose": 3}, r"verbose must be a whole number in \[0, 3\), got 3"),
    ],
)
def test_patience_and_verbose_are_checked(options, message):
    trainer = RnnlmTrainer(SimpleRnnlm(V, 4, 5), SGD(0.5))
    with pytest.raises(InputError, match=message):
        trainer.fit(CORPUS, **{**SIZES, **options})
    assert trainer.ppl_list == []


def test_a_rate_by_epochs_falls_without_validation():
    assert fit(5, rate=StepDecay(0.5, 2.0, 2)).optimizer.lr == 0.5 / 2**3  # in epochs 3, 4 and 5


def test_what_is_shown(capfd):
    for verbose in (0, 1, 2):
        trainer = RnnlmTrainer(SimpleRnnlm(V, 4, 5, seed=1), SGD(0.5))
        trainer.fit(CORPUS, max_epoch=2, verbose=verbose, valid=VALID, eval_interval=None, **SIZES)
        out, err = capfd.readouterr()
        figures = zip(trainer.ppl_list, trainer.valid_ppl_list)
        lines = [f"epoch {n}  perplexity {ppl:.2f}  valid {valid:.2f}" for n, (ppl, valid) in enumerate(figures, 1)]
        assert out.splitlines() == (lines if verbose == 2 else [])
        assert ("tokens/s" in err) == (verbose == 1)


def test_a_line_after_each_epoch_needs_no_text_held_out(capfd):
    trainer = fit(1)
    assert capfd.readouterr() == ("", "")
    trainer.fit(CORPUS, max_epoch=2, verbose=2, eval_interval=None, **SIZES)
    lines = [f"epoch {n}  perplexity {ppl:.2f}" for n, ppl in enumerate(trainer.ppl_list, 2)]
    assert capfd.readouterr().out.splitlines() == lines


def test_callbacks_hear_it_all_in_order():
    one, two = Listener(), Listener()
    trainer = fit(2, eval_interval=5, callbacks=[one, two], valid=VALID)
    assert [h if isinstance(h, tuple) else ("epoch", h.epoch, h.step) for h in one.heard] == [
        ("begin", 1),
        ("report", 0, 1, 1), ("report", 0, 6, 6), ("epoch", 1, 8),
        ("report", 1, 1, 9), ("report", 1, 6, 14), ("epoch", 2, 16),
        ("end", 2),
    ]  # fmt: skip
    assert one.heard == two.heard
    assert [report.valid_perplexity for report in one.epochs] == trainer.valid_ppl_list
    assert all(report.speed > 0 and report.lr == 0.5 and report.valid_lanes == 10 for report in one.epochs)


def test_a_report_of_an_epoch_is_its_mean_whenever_else_there_are_reports():
    means = []
    for interval in (None, 1, 3, 5, 100):
        listener = Listener()
        fit(3, eval_interval=interval, callbacks=[listener])
        means.append([(report.loss, report.grad_norm) for report in listener.epochs])
    np.testing.assert_allclose(means, [means[0]] * 5, rtol=1e-12)


def test_one_may_ask_to_stop_and_all_hear_that_epoch():
    first, second = Listener(stop_at=2), Listener()
    trainer = fit(5, callbacks=[first, second])
    assert trainer.current_epoch == 2
    assert [report.epoch for report in second.epochs] == [1, 2]
    assert second.heard[-1] == ("end", 2)


class Broken(Listener):
    def end_epoch(self, report):
        raise ZeroDivisionError("mine")


def test_what_one_raises_comes_out_and_the_end_is_heard():
    listener, broken = Listener(), Broken()
    with pytest.raises(ZeroDivisionError, match="mine"):
        fit(callbacks=[listener, broken])
    assert listener.heard[-1] == broken.heard[-1] == ("end", 1)


def test_epochs_and_steps_count_on_over_calls():
    listener = Listener()
    trainer = fit(1)
    fit(2, trainer=trainer, callbacks=[listener])
    assert listener.heard[0] == ("begin", 9)
    assert [(report.epoch, report.step) for report in listener.epochs] == [(2, 16), (3, 24)]


@pytest.mark.parametrize("given", [Listener(), [print], [Listener], "x", None])
def test_what_is_no_list_of_callbacks_is_refused(given):
    with pytest.raises(InputError, match="callbacks must be a"):
        fit(callbacks=given)


def test_the_rate_and_the_optimizer_hear_of_the_text_held_out():
    rule = DivideOnPlateau(0.5, 2.0)
    fit(3, rate=rule, valid=VALID)
    assert rule.epochs == 3
    averaging = ASGD(0.5, nonmono=1)
    fit(3, optimizer=averaging, valid=VALID)
    assert len(averaging.losses) >= 2
    finishing = fit(9, rate=Halving(0.5, ratio=2.0), valid=VALID)  # no epoch is good enough for that
    assert finishing.current_epoch == len(finishing.valid_ppl_list) < 9


# ---------------------------------------------------------------- going on


class Dies(Listener):
    """The process does, at some report."""

    def __init__(self, report):
        super().__init__()
        self.left = report

    def report(self, report):
        super().report(report)
        self.left -= 1
        if not self.left:
            raise KeyboardInterrupt


@pytest.mark.parametrize("dies", [2, 4, 5])
def test_a_training_that_goes_on_tells_the_same(dies, tmp_path):
    whole = Listener()
    unbroken = fit(3, eval_interval=3, callbacks=[whole], valid=VALID)
    first, then, keeping = Dies(dies), Listener(), {"save_to": tmp_path / "kept", "save_every": "1"}
    with pytest.raises(KeyboardInterrupt):
        fit(3, eval_interval=3, callbacks=[first], valid=VALID, **keeping)
    trainer = RnnlmTrainer(SimpleRnnlm(V, 4, 5, seed=7), SGD(0.1))
    assert trainer.resume(tmp_path / "kept")
    fit(3, trainer=trainer, eval_interval=3, callbacks=[then], valid=VALID, **keeping)
    assert trainer.valid_ppl_list == unbroken.valid_ppl_list
    figures = [
        [(r.epoch, r.step, r.loss, r.grad_norm, r.valid_loss) for r in one]
        for one in (first.epochs + then.epochs, whole.epochs)
    ]
    assert figures[0] == figures[1]


@pytest.mark.parametrize("by", ["rate", "callback"])
def test_a_training_that_was_ended_does_not_go_on(by, tmp_path):
    def again(trainer=None):
        options = {"rate": Halving(0.5, ratio=2.0)} if by == "rate" else {"callbacks": [Listener(stop_at=2)]}
        return fit(9, trainer=trainer, valid=VALID, save_to=tmp_path / "kept", **options)

    first, then = again(), RnnlmTrainer(SimpleRnnlm(V, 4, 5, seed=7), SGD(0.1))
    assert then.resume(tmp_path / "kept")
    again(then)
    assert then.valid_ppl_list == first.valid_ppl_list
    assert then.current_epoch == first.current_epoch < 9
    np.testing.assert_array_equal(host(then.model.flat_params), host(first.model.flat_params))


@pytest.mark.parametrize("interrupted", [False, True])
def test_what_is_saved_after_the_best_weights_are_back_goes_on_from_the_last(interrupted, tmp_path):
    whole, _ = learned(9, patience=8)
    begun = RnnlmTrainer(SimpleRnnlm(V, 4, 5, seed=1), ASGD(0.2))
    if interrupted:
        with pytest.raises(KeyboardInterrupt):
            learned(9, trainer=begun, patience=8, callbacks=[Interrupt(7)])
    else:
        learned(7, trainer=begun, patience=8)
    best = host(begun.model.flat_params).copy()
    begun.save(tmp_path / "saved")
    np.testing.assert_array_equal(host(begun.model.flat_params), best)
    again = RnnlmTrainer(SimpleRnnlm(V, 4, 5, seed=7), ASGD(0.1))
    assert again.resume(tmp_path / "saved")
    learned(9, trainer=again, patience=8)
    assert again.valid_ppl_list[-2:] == whole.valid_ppl_list[-2:]
    np.testing.assert_array_equal(host(again.model.flat_params), host(whole.model.flat_params))


def test_a_training_saved_as_its_patience_runs_out_is_over(tmp_path):
    class Saves(Callback):
        def begin(self, training):
            self.training = training

        def end_epoch(self, report):
            self.training.save(tmp_path / f"{report.epoch}")

    whole, best = learned(patience=2, callbacks=[Saves()])
    again = RnnlmTrainer(SimpleRnnlm(V, 4, 5, seed=7), ASGD(0.1))
    assert again.resume(tmp_path / f"{len(whole.valid_ppl_list)}")
    assert learned(trainer=again, patience=2)[1] == best
    assert again.valid_ppl_list == whole.valid_ppl_list


@pytest.mark.parametrize(("answer", "epochs"), [(np.True_, 1), (True, 1), (np.False_, 2), (None, 2), (1, 2)])
def test_true_of_numpy_ends_a_training_too(answer, epochs):
    class Answers(Callback):
        def end_epoch(self, report):
            return answer

    assert fit(2, callbacks=[Answers()]).current_epoch == epochs
    assert fit(2, on_report=lambda *_: answer, eval_interval=None).current_epoch == epochs


def test_an_interrupted_fit_with_patience_has_the_best_weights():
    rng = np.random.default_rng(3)
    x, t = rng.standard_normal((12, 3)), rng.standard_normal((12, 1))
    trainer = Trainer(Sequential([Dense(3, 1)], MeanSquaredError(), seed=1), SGD(0.3))
    with pytest.raises(KeyboardInterrupt):
        trainer.fit(x, t, 9, 2, patience=9, validation_split=0.5, verbose=0, callbacks=[Interrupt(7)], eval_interval=2)
    assert trainer.evaluate(x[6:], t[6:])[0] == min(trainer.val_loss_list) < trainer.val_loss_list[-1]
    assert len(trainer.loss_list) == 7 * 2  # at the first and third batch of each epoch


def test_callbacks_may_come_later(tmp_path):
    """Epochs that nobody heard of are not reported afterwards."""
    fit(2, save_to=tmp_path / "kept", eval_interval=None)
    plain = fit(4, callbacks=[whole := Listener()], eval_interval=None)
    one, trainer = Listener(), RnnlmTrainer(SimpleRnnlm(V, 4, 5, seed=7), SGD(0.1))
    assert trainer.resume(tmp_path / "kept")
    assert fit(4, trainer=trainer, callbacks=[one], eval_interval=None).ppl_list == plain.ppl_list
    assert [report.epoch for report in one.epochs] == [3, 4]
    assert [report.loss for report in one.epochs] == [report.loss for report in whole.epochs[2:]]


def test_a_checkpoint_of_an_earlier_version_goes_on(tmp_path):
    """One that was made without callbacks held less."""
    fit(1, save_to=tmp_path / "kept")
    state = Checkpoints(tmp_path / "kept").latest()
    Checkpoints(tmp_path / "old").save(
        8, {name: state[name] for name in set(state) - {"valid_ppl_list", "epoch", "enough"}}
    )
    trainer = RnnlmTrainer(SimpleRnnlm(V, 4, 5, seed=7), SGD(0.1))
    assert trainer.resume(tmp_path / "old")
    assert fit(3, trainer=trainer).ppl_list == fit(3).ppl_list


# ---------------------------------------------------------------- bars and samples


def test_what_a_model_was_asked_in_between_changes_nothing():
    plain, asked = fit(), fit()
    asked.model.reset_state()
    asked.model.predict(CORPUS[None, :9])
    for trainer in (plain, asked):
        fit(trainer=trainer)
    assert asked.ppl_list == plain.ppl_list


def test_there_is_no_bar_when_asked(capsys):
    fit()
    assert capsys.readouterr().err == ""
    RnnlmTrainer(SimpleRnnlm(V, 4, 5), SGD(0.5)).fit(CORPUS[:-1], CORPUS[1:], 1, **SIZES)
    assert "windows" in capsys.readouterr().err


def test_a_network_on_samples_tells_too():
    x, t = np.ones((8, 2)), np.ones((8, 1))
    listener = Listener(stop_at=2)
    trainer = Trainer(Sequential([Dense(2, 1)], head=MeanSquaredError(), dtype="float64"), SGD(0.1))
    options = {"batch_size": 3, "validation_split": 0.25, "verbose": 0, "eval_interval": None}
    trainer.fit(x, t, 4, callbacks=[listener], **options)
    assert (trainer.current_epoch, listener.heard[0], listener.heard[-1]) == (2, ("begin", 1), ("end", 2))
    assert [report.valid_loss for report in listener.epochs] == trainer.val_loss_list
    assert [report.loss for report in listener.epochs] == trainer.loss_list
    assert [report.step for report in listener.epochs] == [2, 4]
    assert (listener.epochs[0].figure, listener.epochs[0].unit) == ("loss", "samples")
    trainer.fit(x, t, 1, callbacks=[listener], **options)
    assert listener.epochs[-1].step == 6
