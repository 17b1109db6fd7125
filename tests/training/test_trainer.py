import tracemalloc

import numpy as np
import pytest

from rnnlm.data.batches import Batches, RandomBatches
from rnnlm.errors import DataError, InputError, TrainingDiverged
from rnnlm.inference.evaluation import evaluate
from rnnlm.models import AwdLstm, LanguageModel, ModelConfig, SimpleRnnlm
from rnnlm.optim import ASGD, SGD, Adam, Cosine, clip_grads
from rnnlm.training.rnnlm_trainer import RnnlmTrainer
from rnnlm.training.run import Run
from tests.gradcheck import host

V = 11


def build(seed=0, dtype="float64", lr=0.5):
    model = SimpleRnnlm(V, 5, 6, seed=seed, dtype=dtype)
    return model, RnnlmTrainer(model, SGD(lr))


@pytest.fixture
def corpus(rng):
    return rng.integers(0, V, 100)


def by_hand(corpus, epochs, N, T, max_grad=None, interval=None):
    """The book's loop, index by index."""
    model, optimizer = SimpleRnnlm(V, 5, 6, dtype="float64"), SGD(0.5)
    xs, ts = corpus[:-1], corpus[1:]
    jump, time, losses, reports = len(xs) // N, 0, [], []
    windows = len(xs) // (N * T)
    for _ in range(epochs):
        for window in range(windows):
            index = np.array([[(i * jump + time + t) % len(xs) for t in range(T)] for i in range(N)])
            time += T
            losses.append(float(model.forward(xs[index], ts[index])))
            model.backward()
            if max_grad:
                clip_grads(model.grads, max_grad)
            optimizer.update(model.params, model.grads)
            if window == windows - 1 if interval is None else window % interval == 0:
                reports.append(np.exp(np.mean(losses)))
                losses = []
    return model, reports


@pytest.mark.parametrize("max_grad", [None, 0.1])
@pytest.mark.parametrize("interval", [None, 1, 2, 20])
@pytest.mark.parametrize(("N", "T"), [(3, 4), (1, 7), (10, 9)])
def test_fit_is_the_books_loop(corpus, N, T, interval, max_grad):
    model, trainer = build()
    trainer.fit(corpus[:-1], corpus[1:], 3, N, T, max_grad, interval)
    want, reports = by_hand(corpus, 3, N, T, max_grad, interval)
    np.testing.assert_allclose(trainer.ppl_list, reports, rtol=1e-10)
    np.testing.assert_allclose(host(model.flat_params), host(want.flat_params), rtol=1e-9, atol=1e-12)
    assert trainer.current_epoch == 3


def test_each_call_of_fit_begins_at_the_beginning(corpus):
    model, trainer = build()
    seen = []
    forward = model.forward
    model.forward = lambda xs, ts: seen.append(xs.copy()) or forward(xs, ts)
    for _ in range(2):
        trainer.fit(corpus[:-1], corpus[1:], 1, 3, 4)
    np.testing.assert_array_equal(host(seen[0]), host(seen[len(seen) // 2]))
    assert trainer.current_epoch == 2


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_rerun_gives_the_same_bits(corpus, dtype):
    runs = []
    for _ in range(2):
        model, trainer = build(dtype=dtype)
        trainer.fit(corpus[:-1], corpus[1:], 3, 4, 5, 0.25)
        runs.append((host(model.flat_params), trainer.ppl_list))
    np.testing.assert_array_equal(runs[0][0], runs[1][0])
    assert runs[0][1] == runs[1][1]


def test_reports_are_called_back(corpus):
    _, trainer = build()
    rows = []
    trainer.fit(corpus[:-1], corpus[1:], 2, 3, 8, None, 3, lambda *row: rows.append(row))
    assert [row[:2] for row in rows] == [(0, 1), (1, 0), (1, 1), (2, 0)]
    assert [row[2] for row in rows] == trainer.ppl_list


@pytest.mark.long
@pytest.mark.parametrize("optimizer", [SGD(1.0), Adam(0.02)])
def test_a_sentence_is_learned_to_its_floor(optimizer):
    """A text that repeats has one continuation only: perplexity 1. A word follows two different ones here, so that the
    state has to remember."""
    corpus = np.array([0, 1, 2, 3, 1, 4] * 40)
    model = SimpleRnnlm(5, 8, 16, seed=1)
    trainer = RnnlmTrainer(model, optimizer)
    trainer.fit(corpus[:-1], corpus[1:], 60, 4, 10, 1.0, None)
    assert 1 <= trainer.ppl_list[-1] < 1.02


@pytest.mark.long
def test_noise_is_not_learned_below_its_floor(rng):
    """Words drawn evenly have perplexity V for anyone who has not seen them: below it by more than the standard error
    would be a leak from target to input."""
    corpus, unseen = rng.integers(0, V, (2, 4000))
    model, trainer = build(dtype="float32")
    trainer.fit(corpus[:-1], corpus[1:], 2, 10, 10)
    result = evaluate(model, unseen)
    assert result.nats > np.log(V) - 4 * result.stderr


class BookModel:
    """A model of someone else's: lists, made anew at each backward, no flat buffers, another kind of configuration."""

    config = {"name": "mine"}  # noqa: RUF012

    def __init__(self):
        self.inner = SimpleRnnlm(V, 5, 6, dtype="float64")
        self.params, self.forward = self.inner.params, self.inner.forward

    def backward(self):
        self.inner.backward()
        self.grads = [g.copy() for g in self.inner.grads]


def test_any_model_of_the_form_is_trained(corpus):
    model, (ours, trainer) = BookModel(), build()
    RnnlmTrainer(model, SGD(0.5)).fit(corpus[:-1], corpus[1:], 2, 3, 4, 0.1)
    trainer.fit(corpus[:-1], corpus[1:], 2, 3, 4, 0.1)
    np.testing.assert_allclose(host(model.inner.flat_params), host(ours.flat_params), rtol=1e-10)
    with pytest.raises(TrainingDiverged):
        RnnlmTrainer(model, SGD(1e30)).fit(corpus[:-1], corpus[1:], 20, 3, 4)


def test_targets_none_of_which_counts_are_refused(corpus):
    _, trainer = build()
    with pytest.raises(InputError, match="ts must have a target that counts, and all are -1, the ignored label"):
        trainer.fit(corpus[:-1], np.full(len(corpus) - 1, -1), 1, 3, 4)


def test_a_forward_without_a_loss_is_told(corpus):
    model = BookModel()
    model.forward = lambda xs, ts: None
    model.backward = lambda: setattr(model, "grads", [g.copy() for g in model.inner.grads])
    with pytest.raises(InputError, match="forward of the model must return the loss, got None"):
        RnnlmTrainer(model, SGD(0.1)).fit(corpus[:-1], corpus[1:], 1, 3, 4)


class NotInPlace:
    """An optimiser whose steps no model sees."""

    def update(self, params, grads):
        for i, g in enumerate(grads):
            params[i] = params[i] - g


def test_an_optimiser_that_does_not_work_in_place_is_told(corpus):
    model = BookModel()
    with pytest.raises(InputError, match="update of NotInPlace must change the arrays in place, params"):
        RnnlmTrainer(model, NotInPlace()).fit(corpus[:-1], corpus[1:], 1, 3, 4)


@pytest.mark.parametrize("optimizer", [SGD(0.5), Adam(0.5)])
@pytest.mark.parametrize(("bad", "kept"), [(1, 1), (2, 1), (21, 1), (22, 21), (30, 21)])
def test_a_gradient_that_is_not_finite_stops_the_run_with_the_step(corpus, optimizer, bad, kept):
    """The weights kept last come back, and the state begins anew."""
    model, _ = build()
    trainer = RnnlmTrainer(model, type(optimizer)(0.5))
    steps, weights = [], []
    backward = model.backward

    def spoil():
        weights.append(host(model.flat_params))
        backward()
        steps.append(1)
        if len(steps) == bad:
            model.grads[1][0, 0] = np.nan

    model.backward = spoil
    epoch, window = divmod(bad - 1, 8)
    message = rf"at step {bad} \(epoch {epoch + 1}, window {window + 1} of 8\) with lr 0.5; the model has the weights of step {kept} "
    with pytest.raises(TrainingDiverged, match=message) as error:
        trainer.fit(corpus[:-1], corpus[1:], 20, 3, 4, eval_interval=None)
    assert error.value.step == bad
    np.testing.assert_array_equal(host(model.flat_params), weights[kept - 1])
    assert model.get_state() == [None]


@pytest.mark.parametrize("lr", [1e30, 1e39])
def test_a_learning_rate_that_is_far_too_large_is_told_and_a_good_model_kept(corpus, lr):
    model, trainer = build(dtype="float32", lr=lr)
    with pytest.raises(TrainingDiverged, match="NaN or infinite at step .* Take a smaller lr"):
        trainer.fit(corpus[:-1], corpus[1:], 20, 3, 4)
    assert np.isfinite(evaluate(model, corpus).perplexity)


BAD = [
    (DataError, {"batch_size": 20}, "batch_size 20 x time_size 35 needs 700 pairs of words, it has 99"),
    (InputError, {"batch_size": -1}, "batch_size must be a whole number of at least 1, got -1"),
    (InputError, {"batch_size": 2, "max_epoch": 0}, "max_epoch must be a whole number of at least 1, got 0"),
    (InputError, {"batch_size": 2, "max_grad": 0}, "max_grad must be positive, got 0"),
    (InputError, {"batch_size": 2, "eval_interval": 0}, "eval_interval must be a whole number of at least 1, got 0"),
]


@pytest.mark.parametrize(("error", "options", "message"), BAD)
def test_bad_arguments_are_refused_before_training(corpus, error, options, message):
    model, trainer = build()
    before = host(model.flat_params)
    with pytest.raises(error, match=message):
        trainer.fit(corpus[:-1], corpus[1:], **options)
    np.testing.assert_array_equal(host(model.flat_params), before)


def test_ids_that_are_no_words_are_refused_before_training(corpus):
    model, trainer = build()
    before = host(model.flat_params)
    corpus[-2] = V
    with pytest.raises(InputError, match=r"xs must hold ids in \[0, 11\), got 11"):
        trainer.fit(corpus[:-1], corpus[1:], 1, 2, 3)
    np.testing.assert_array_equal(host(model.flat_params), before)


def test_the_bar_shows_time_tokens_and_perplexity(corpus, capfd):
    _, trainer = build()
    trainer.fit(corpus[:-1], corpus[1:], 1, 3, 4, None, None)
    shown = capfd.readouterr().err
    assert "8/8 windows" in shown
    assert "tokens/s" in shown
    assert "ms/window" in shown
    assert f"perplexity {trainer.ppl_list[0]:.2f}" in shown


@pytest.mark.long
def test_memory_does_not_grow(rng):
    """After the first windows a step allocates what it frees: 900 more leave next to nothing behind."""
    corpus = rng.integers(0, V, 4000)
    model, _ = build(dtype="float32")
    run = Run(model, SGD(0.1), Batches(corpus[:-1], corpus[1:], 5, 10), 0.25)
    for _ in range(20):
        run.step()
    tracemalloc.start()
    for _ in range(
        300
    ):  # in which lists of free objects fill, Python's and NumPy's; the latter go on, for 50,000 bytes
        run.step()
    before = tracemalloc.take_snapshot()
    for _ in range(900):
        run.step()
    after = tracemalloc.take_snapshot()
    tracemalloc.stop()
    grown = sum(stat.size_diff for stat in after.compare_to(before, "filename") if "tracemalloc" not in str(stat))
    assert grown < 120_000  # the ids of a window are 400 bytes: kept, they would make 360,000


def test_the_train_step_neither_waits_nor_copies(corpus, strict):
    """On a GPU the host runs ahead: between two looks nothing asks the device for a value, nothing is uploaded.

    What is allocated are a window's inputs and targets, the loss and the norm, which may be kept, and the norm's partial
    sums.
    """
    for max_grad in (float("inf"), 0.25):
        for optimizer in (SGD(0.5), Adam(0.01)):
            model, _ = build()
            run = Run(model, optimizer, Batches(corpus[:-1], corpus[1:], 3, 4), max_grad)
            run.step()
            for _ in range(3):
                strict.reset()
                run.step()
                assert (strict.syncs, strict.copies, strict.uploads) == (0, 0, 0)
                assert strict.allocations == 5


def test_a_whole_fit_waits_only_where_it_must(corpus, strict):
    """48 steps in 6 epochs: looks at steps 1, 21 and 41, and for each of 6 reports a look and the loss."""
    _, trainer = build()
    trainer.fit(corpus[:-1], corpus[1:], 6, 3, 4, 0.25, None)
    assert strict.syncs == 3 + 2 * 6


# ---------------------------------------------------------------------- rates, random windows, gates


def test_the_rate_of_each_step_is_the_rules(corpus):
    model, _ = build()
    optimizer, seen = SGD(1.0), []
    update = optimizer.update
    optimizer.update = lambda *arrays: (seen.append(optimizer.lr), update(*arrays))
    rule = Cosine(0.5, steps=16, warmup=3)
    RnnlmTrainer(model, optimizer).fit(corpus[:-1], corpus[1:], 2, 3, 4, rate=rule)
    assert seen == [rule(k) for k in range(16)]


def test_training_ends_where_a_report_says_so(corpus):
    _, trainer = build()
    trainer.fit(corpus[:-1], corpus[1:], 9, 3, 4, None, None, lambda epoch, *_: epoch == 2)
    assert (len(trainer.ppl_list), trainer.current_epoch) == (2, 2)


def test_the_mean_norm_of_the_gradient_is_kept(corpus):
    model, trainer = build()
    trainer.fit(corpus[:-1], corpus[1:], 1, 3, 4, 0.05, None)
    model, norms = build()[0], []
    windows = Batches(corpus[:-1], corpus[1:], 3, 4)
    for k in range(len(windows)):
        model.forward(*windows.window(k))
        model.backward()
        norms.append(float(clip_grads([model.flat_grads], 0.05)))
        SGD(0.5).update([model.flat_params], [model.flat_grads])
    np.testing.assert_allclose(trainer.grad_norm_list, [np.mean(norms)], rtol=1e-12)
    assert norms[0] > 0.05


def test_random_windows_are_trained_with_rates_in_proportion(rng):
    """The loop written out: each window's length, its rate, and a mean over tokens, not over windows."""
    corpus = rng.integers(0, V, 600)
    model, trainer = build()
    trainer.fit(corpus[:-1], corpus[1:], 2, 3, 20, 0.25, None, random_bptt=True, seed=7)
    assert trainer.optimizer.lr == 0.5
    other, windows, step = build()[0], RandomBatches(corpus[:-1], corpus[1:], 3, 20, seed=7), 0
    for epoch in range(2):
        loss = columns = 0
        for _ in range(len(windows)):
            xs, ts = windows.window(step)
            T = xs.shape[1]
            loss, columns, step = loss + T * float(other.forward(xs, ts)), columns + T, step + 1
            other.backward()
            clip_grads([other.flat_grads], 0.25)
            SGD(0.5 * T / 20).update([other.flat_params], [other.flat_grads])
        np.testing.assert_allclose(trainer.ppl_list[epoch], np.exp(loss / columns), rtol=1e-12)
    np.testing.assert_allclose(host(other.flat_params), host(model.flat_params), rtol=1e-9, atol=1e-12)


def test_random_windows_follow_each_other(rng):
    xs = np.arange(10_000)
    windows = RandomBatches(xs, xs + 1, 2, 40, seed=3)
    lengths, begin = [], 0
    for k in range(300):
        x, t = windows.window(k)
        x, t = host(x), host(t)
        np.testing.assert_array_equal(x[0], (begin + np.arange(x.shape[1])) % 10_000)
        np.testing.assert_array_equal(x[1], (5_000 + begin + np.arange(x.shape[1])) % 10_000)
        np.testing.assert_array_equal(t, (x + 1) % 10_001)
        begin += x.shape[1]
        lengths.append(x.shape[1])
    assert abs(np.mean(lengths) - 38.5) < 2  # standard error 0.6
    assert 5 <= min(lengths) < 25 < 45 < max(lengths)
    assert abs(len(windows) * np.mean(lengths) - 5_000) < 300
    assert 4 < np.std([n for n in lengths if n > 28]) < 6  # about 40, without the few about 20
    assert [RandomBatches(xs, xs, 2, 40, 3, lap=1).span(k)[1] for k in range(20)] != lengths[:20]
    again = RandomBatches(xs, xs, 2, 40, seed=3)
    np.testing.assert_array_equal(host(again.window(200)[0]), host(windows.window(200)[0]))
    assert [RandomBatches(xs, xs, 2, 40, seed=4).span(k)[1] for k in range(20)] != lengths[:20]


def test_windows_too_short_to_vary_are_refused(corpus):
    with pytest.raises(InputError, match="time_size of random windows must be a whole number of at least 10, got 5"):
        build()[1].fit(corpus[:-1], corpus[1:], 1, 3, 5, random_bptt=True)


@pytest.mark.long
@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_a_gated_model_learns_what_is_far_back(rng, cell):
    """The first word of nine comes again as the last, eight words that say nothing in between."""
    lines = [[a, *rng.integers(2, 6, 7), a] for a in rng.integers(0, 2, 600)]
    corpus = np.concatenate(lines)
    model = LanguageModel(
        ModelConfig(vocab_size=6, wordvec_size=12, hidden_size=24, cell=cell, dtype="float64", seed=1)
    )
    trainer = RnnlmTrainer(model, Adam(0.01))
    trainer.fit(corpus[:-1], corpus[1:], 12, 10, 18, 1.0, None)
    floor = (7 * np.log(4) + np.log(2)) / 9  # the last word of nine is known
    assert floor - 0.03 < np.log(trainer.ppl_list[-1]) < floor + 0.05


def test_an_average_that_a_bad_step_spoiled_is_given_up(corpus):
    model, optimizer = build()[0], ASGD(0.5)
    trainer = RnnlmTrainer(model, optimizer)
    trainer.fit(corpus[:-1], corpus[1:], 1, 3, 4, 0.25, None)
    optimizer.start_averaging()
    with pytest.raises(TrainingDiverged):
        trainer.fit(corpus[:-1], corpus[1:], 9, 3, 4, None, None, rate=lambda step: 1e30)
    with optimizer.averaged([model.flat_params]):
        assert np.abs(host(model.flat_params)).max() < 100


def test_awd_lstm_trains_and_averages(rng):
    corpus = np.tile(rng.integers(0, V, 50), 8)
    model = AwdLstm(V, 8, 12, layers=2, dtype="float64", seed=1)
    optimizer = ASGD(1.0, weight_decay=1e-6)
    trainer = RnnlmTrainer(model, optimizer)
    before = evaluate(model, corpus).perplexity
    trainer.fit(corpus[:-1], corpus[1:], 10, 4, 20, 0.25, None, random_bptt=True, seed=1)
    optimizer.start_averaging()
    trainer.fit(corpus[:-1], corpus[1:], 2, 4, 20, 0.25, None, random_bptt=True, seed=1)
    with optimizer.averaged([model.flat_params]):
        averaged = evaluate(model, corpus).perplexity
    assert averaged < 0.9 * before
    assert averaged != evaluate(model, corpus).perplexity


def test_gated_train_steps_neither_wait_nor_copy(corpus, strict):
    """Copied are, on purpose, the blocks on both sides of a GRU's reset gate: 4 of weights, 2 of gradients. Masks are drawn
    where they are needed.
    """
    for cell, copies in (("lstm", 0), ("gru", 4 + 2)):
        config = ModelConfig(vocab_size=V, wordvec_size=5, hidden_size=6, cell=cell)
        run = Run(LanguageModel(config), SGD(0.5), Batches(corpus[:-1], corpus[1:], 3, 4), 0.25)
        run.step()
        strict.reset()
        run.step()
        assert (strict.syncs, strict.copies, strict.uploads, strict.allocations) == (0, copies, 0, 5 + copies)
    run = Run(AwdLstm(V, 6, 8), ASGD(0.5), Batches(corpus[:-1], corpus[1:], 3, 4), 0.25)
    run.step()
    strict.reset()
    run.step()
    assert (strict.syncs, strict.copies, strict.uploads) == (0, 0, 0)
    assert strict.allocations == 5 + 3  # and means and a difference of the activations' penalty


@pytest.mark.parametrize(("cell", "products", "cells"), [("rnn", 1, 1), ("lstm", 1, 1), ("gru", 2, 2)])
def test_a_time_step_is_a_product_and_a_cell(rng, strict, cell, products, cells):
    """What a time step costs each way; the reset gate of a GRU has a product on both of its sides."""
    corpus, launches = rng.integers(0, V, 400), []
    for T in (4, 14):
        config = ModelConfig(vocab_size=V, wordvec_size=5, hidden_size=6, cell=cell)
        run = Run(LanguageModel(config), SGD(0.5), Batches(corpus[:-1], corpus[1:], 3, T), 0.25)
        run.step()
        strict.reset()
        run.step()
        launches.append(strict.launches)
    assert launches[1] - launches[0] == 10 * 2 * (products + cells)
    assert launches[0] < 50 + 4 * 2 * (products + cells)


def test_the_perplexities_are_drawn(corpus):
    pyplot = pytest.importorskip("matplotlib.pyplot", reason="needs the extra 'plot'")
    _, trainer = build()
    for interval, label in ((2, "windows (x2)"), (None, "epoch")):
        trainer.fit(corpus[:-1], corpus[1:], 2, 3, 5, 0.25, interval)
        axes = trainer.plot()
        assert axes.lines[0].get_ydata().tolist() == trainer.ppl_list
        assert (axes.get_xlabel(), axes.get_ylabel()) == (label, "perplexity")
    pyplot.close("all")


def test_what_is_not_said_is_the_books(rng):
    """Ten epochs of 20 rows of 35 steps, a report at every 20 windows."""
    ids = rng.integers(0, V, 20 * 35 + 1)
    model, trainer = build(dtype="float32")
    shapes, forward = [], model.forward
    model.forward = lambda xs, ts: shapes.append(xs.shape) or forward(xs, ts)
    trainer.fit(ids[:-1], ids[1:])
    assert (trainer.current_epoch, shapes) == (10, [(20, 35)] * 10)
    reports = []
    model.reset_state()
    trainer.fit(ids[:82], ids[1:83], 1, 1, 2, on_report=lambda epoch, window, _: reports.append(window))
    assert reports == [1, 21, 0]


def test_each_call_of_fit_has_random_windows_of_its_own(rng):
    ids = rng.integers(0, V, 601)
    model, trainer = build(dtype="float32")
    lengths, forward = [], model.forward
    model.forward = lambda xs, ts: lengths.append(xs.shape[1]) or forward(xs, ts)
    for call, epochs in ((0, 1), (1, 2), (3, 1)):  # the number of epochs before it
        trainer.fit(ids[:-1], ids[1:], epochs, 3, 20, random_bptt=True, seed=7)
        windows = RandomBatches(ids[:-1], ids[1:], 3, 20, 7, call)
        assert lengths == [windows.span(k)[1] for k in range(epochs * len(windows))]
        lengths.clear()


@pytest.mark.parametrize("where", ["memory", "file"])
@pytest.mark.parametrize("label", [-1, 0])
@pytest.mark.parametrize("random_bptt", [False, True])
def test_targets_that_do_not_count_are_in_no_mean(random_bptt, label, where, tmp_path):
    class Still(SGD):
        def update_array(self, *_):
            pass  # the weights stay, so that the figure can be computed again

    corpus = np.random.default_rng(0).integers(0, 10, 401)
    xs, ts = corpus[:-1], corpus[1:].copy()
    ts.reshape(4, 100)[:, 55:] = label  # some windows count in part, some not at all
    if where == "file":
        np.save(tmp_path / "ts.npy", ts)
        ts = np.load(tmp_path / "ts.npy", mmap_mode="r")
    model = SimpleRnnlm(10, 4, 4, seed=1)
    model.head.ignore_label = label
    trainer = RnnlmTrainer(model, Still(0.1))
    trainer.fit(xs, ts, 1, 4, 10, eval_interval=None, random_bptt=random_bptt)
    batches = (RandomBatches if random_bptt else Batches)(xs, ts, 4, 10)
    model.reset_state()
    nats = []
    for x, t in batches:
        model.forward(x, t, train_flg=False)
        nats += host(model.head.nats)[host(t) != label].tolist()
    np.testing.assert_allclose(trainer.ppl_list, np.exp(np.mean(nats)), rtol=1e-6)
