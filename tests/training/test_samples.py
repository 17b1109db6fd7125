"""Networks fitted to samples: batches, reports, validation, accuracy."""

import numpy as np
import pytest

from rnnlm.backend import NAME, xp
from rnnlm.data.samples import Samples
from rnnlm.errors import InputError, TrainingDiverged
from rnnlm.layers import (
    Affine,
    BinaryCrossEntropy,
    Dense,
    EachTarget,
    Embedding,
    Head,
    Layer,
    Losses,
    MeanOverTime,
    MeanSquaredError,
    NegativeSamplingLoss,
    Sigmoid,
    SigmoidWithLoss,
    Softmax,
    SoftmaxWithLoss,
    SparseCategoricalCrossEntropy,
    Split,
    Tanh,
    TimeActivationRegularization,
    TimeAffine,
    TimeAffineWithLoss,
    TimeDropout,
    TimeEmbedding,
    TimeLSTM,
    TimeSoftmaxWithLoss,
)
from rnnlm.models import Sequential
from rnnlm.optim import SGD, Adam, Halving, StepDecay
from rnnlm.training.callbacks import Callback
from rnnlm.training.run import Run
from rnnlm.training.trainer import Trainer
from tests.gradcheck import dev, host


def test_each_epoch_goes_over_all_samples_once_in_another_order():
    batches = Samples(np.arange(23)[:, None] * 1.0, np.arange(23), 5, seed=3)
    epochs = []
    for epoch in range(3):
        parts = [batches.window(epoch * len(batches) + i) for i in range(len(batches))]
        assert [len(x) for x, _ in parts] == [5, 5, 5, 5, 3]
        assert all((host(x)[:, 0] == host(t)).all() for x, t in parts)
        epochs.append(np.concatenate([host(t) for _, t in parts]).tolist())
    assert all(sorted(order) == list(range(23)) for order in epochs)
    assert epochs[0] != epochs[1] != epochs[2]
    again = Samples(np.arange(23)[:, None] * 1.0, np.arange(23), 5, seed=3)
    assert host(again.window(7)[1]).tolist() == host(batches.window(7)[1]).tolist()
    assert len(Samples(np.zeros((2000, 3)), np.zeros(2000), 200)) == 10


def test_linear_regression():
    """3 inputs, 1 output: SGD, mean squared error, 50 epochs, until only the noise is left."""
    rng = np.random.default_rng(1)
    x = rng.standard_normal((200, 3))
    t = x @ [[1.0], [-2.0], [0.5]] + 0.3 + 0.01 * rng.standard_normal((200, 1))
    net = Sequential([Dense(3, 1)], MeanSquaredError(), seed=0)
    trainer = Trainer(net, SGD(0.05))
    trainer.fit(x, t, max_epoch=50, batch_size=20, eval_interval=None, verbose=0)
    W, b = net.state_dict().values()
    np.testing.assert_allclose(np.append(W[:, 0], b), [1, -2, 0.5, 0.3], atol=0.01)
    assert len(trainer.loss_list) == 50
    assert trainer.loss_list[-1] < 2e-4


def test_logistic_regression():
    """Sigmoid and binary cross-entropy, as two and in one: the same curve; valid samples are the last ones."""
    rng = np.random.default_rng(2)
    x = rng.standard_normal((500, 3))
    t = (x @ [2.0, -1.0, 0.5] > 0).astype(int)[:, None]
    curves = []
    for chain, head in (([Dense(3, 1), Sigmoid()], BinaryCrossEntropy()), ([Dense(3, 1)], SigmoidWithLoss())):
        trainer = Trainer(Sequential(chain, head, "float64", seed=4), SGD(0.5))
        trainer.fit(x, t, max_epoch=5, validation_split=0.2, accuracy=True, eval_interval=None, verbose=0)
        lists = (trainer.loss_list, trainer.val_loss_list, trainer.accuracy_list, trainer.val_accuracy_list)
        assert [len(values) for values in lists] == [5] * 4
        assert trainer.accuracy_list[-1] > 0.95
        assert trainer.val_accuracy_list[-1] > 0.9
        held_out = trainer.evaluate(x[400:], t[400:], accuracy=True)
        np.testing.assert_allclose(held_out, (trainer.val_loss_list[-1], trainer.val_accuracy_list[-1]), rtol=1e-12)
        curves.append(trainer.loss_list)
    np.testing.assert_allclose(*curves, rtol=1e-5)


def test_xor_is_learned():
    x, t = [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0]
    net = Sequential([Dense(2, 8), Tanh(), Dense(8, 2)], SoftmaxWithLoss(), seed=1)
    Trainer(net, Adam(0.1)).fit(x, t, max_epoch=100, batch_size=4, verbose=0)
    assert net.predict(x).argmax(axis=1).tolist() == t


def test_a_training_is_the_same_again_and_goes_on_in_another_order(rng):
    x, t = rng.standard_normal((40, 3)), rng.standard_normal((40, 1))

    def trained(calls):
        net = Sequential([Dense(3, 4), Tanh(), Dense(4, 1)], MeanSquaredError(), seed=5)
        trainer = Trainer(net, SGD(0.1))
        for epochs in calls:
            trainer.fit(x, t, epochs, 8, verbose=0, seed=6)
        assert trainer.current_epoch == sum(calls)
        return net.state_dict()["dense1.W"]

    assert (trained([4]) == trained([4])).all()
    assert (trained([2, 2]) != trained([4])).any()


def test_a_run_over_samples_is_taken_apart_and_goes_on_bit_for_bit(rng):
    x, t = rng.standard_normal((20, 3)), rng.standard_normal((20, 1))

    def new():
        net = Sequential([Dense(3, 4), Tanh(), Dense(4, 1)], MeanSquaredError(), seed=5)
        return net, Run(net, Adam(0.01), Samples(net.inputs("x", x), t, 8, seed=6))

    net, run = new()
    for _ in range(7):
        run.step()
    begun, first = new()
    for _ in range(4):
        first.step()
    other, second = new()
    second.load_state_dict(first.state_dict())
    for _ in range(3):
        second.step()
    for name, p in net.state_dict().items():
        np.testing.assert_array_equal(other.state_dict()[name], p)
    assert begun is not other


def test_what_is_shown(rng, capfd):
    x, t = rng.standard_normal((10, 2)), rng.standard_normal((10, 1))
    for verbose in (0, 1, 2):
        Trainer(Sequential([Dense(2, 1)], MeanSquaredError()), SGD(0.1)).fit(
            x, t, 3, 5, verbose=verbose, validation_data=(x[:4], t[:4]), eval_interval=None
        )
        out, err = capfd.readouterr()
        assert out.count("epoch ") == (3 if verbose == 2 else 0)
        assert ("valid loss" in out) == (verbose == 2)
        assert ("samples/s" in err) == (verbose == 1)


def test_a_line_after_each_epoch_has_all_that_was_asked_for(rng, capfd):
    x, t = rng.standard_normal((10, 2)), rng.integers(0, 3, 10)
    trainer = Trainer(Sequential([Dense(2, 3)], SoftmaxWithLoss()), SGD(0.1))
    trainer.fit(x, t, 1, 5, eval_interval=None, validation_split=0.4, accuracy=True, verbose=2)
    figures = (trainer.loss_list, trainer.accuracy_list, trainer.val_loss_list, trainer.val_accuracy_list)
    loss, right, held_out, valid = (one[0] for one in figures)
    told = f"epoch 1  loss {loss:.4g}  accuracy {right:.4f}  valid loss {held_out:.4g}  valid accuracy {valid:.4f}\n"
    assert capfd.readouterr().out == told


def test_a_training_that_diverges_ends(rng):
    x, t = rng.standard_normal((10, 2)), 1e6 * rng.standard_normal((10, 1))
    trainer = Trainer(Sequential([Dense(2, 1)], MeanSquaredError()), SGD(0.001))
    trainer.fit(x, t, 1, 5, verbose=0)  # a large loss is none that is not finite
    assert trainer.loss_list[0] > 1e9
    with pytest.raises(TrainingDiverged, match="the loss or the gradient was NaN or infinite at step"):
        Trainer(Sequential([Dense(2, 1)], MeanSquaredError()), SGD(1e30)).fit(x, t, 5, 5, verbose=0)


def test_the_books_models_are_trained_too(rng):
    """Anything with forward(x, t), backward(), params and grads."""

    class Two:
        def __init__(self):
            self.params, self.grads = [xp.zeros((2, 1))], [xp.zeros((2, 1))]

        def forward(self, x, t):
            self.x, self.gap = x, x @ self.params[0] - t
            return (self.gap**2).mean()

        def backward(self, dout=1):
            self.grads[0][...] = 2 * self.x.T @ self.gap / len(self.gap)

    x = rng.standard_normal((50, 2))
    model = Two()
    trainer = Trainer(model, SGD(0.1))
    trainer.fit(x, x @ [[1.0], [2.0]], max_epoch=30, batch_size=10, max_grad=5, verbose=0)
    np.testing.assert_allclose(host(model.params[0]), [[1], [2]], atol=1e-3)
    refusal = "model must be a Sequential where accuracy and validation are asked for, got Two"
    for options in ({"accuracy": True}, {"validation_split": 0.5}):
        with pytest.raises(InputError, match=refusal):
            trainer.fit(x, x[:, :1], verbose=0, **options)
    with pytest.raises(InputError, match=refusal):
        trainer.evaluate(x, x[:, :1])


def test_patience_ends_a_training_and_brings_the_best_weights_back(rng):
    """What is held out is best after the first epoch, since its answers are the opposite of what is learned."""
    x = rng.standard_normal((40, 2))
    t, held_out = x[:, :1] * 3, (x[:8], -x[:8, :1])

    def trained(**options):
        net = Sequential([Dense(2, 1)], MeanSquaredError(), seed=1)
        trainer = Trainer(net, SGD(0.05))
        trainer.fit(x, t, batch_size=10, eval_interval=None, validation_data=held_out, verbose=0, **options)
        return trainer, host(net.weights()[0])

    (waited, weights), (one, want) = trained(max_epoch=9, patience=3), trained(max_epoch=1)
    assert waited.val_loss_list == sorted(waited.val_loss_list)
    assert (waited.current_epoch, len(waited.val_loss_list), len(waited.loss_list)) == (4, 4, 4)
    np.testing.assert_array_equal(weights, want)
    assert one.val_loss_list == waited.val_loss_list[:1]
    np.testing.assert_allclose(one.evaluate(*held_out)[0], one.val_loss_list[-1], rtol=1e-6)
    to_the_end, last = trained(max_epoch=4)
    assert to_the_end.val_loss_list == waited.val_loss_list
    assert not np.array_equal(last, want)


def test_a_rule_of_the_learning_rate_hears_the_validation_loss(rng):
    x, t = rng.standard_normal((20, 2)), rng.standard_normal((20, 1))
    net = Sequential([Dense(2, 1)], MeanSquaredError(), seed=1)
    rule = Halving(2.0)  # steps that are far too long: no epoch is better than the one before
    trainer = Trainer(net, SGD(2.0))
    trainer.fit(x, t, 9, 5, validation_split=0.5, rate=rule, max_grad=1.0, verbose=0)
    assert trainer.current_epoch == rule.epochs < 9
    assert trainer.optimizer.lr < 2.0


def test_a_rate_by_epochs_falls_without_validation(rng):
    trainer = Trainer(Sequential([Dense(2, 1)], MeanSquaredError()), SGD(0.1))
    trainer.fit(
        rng.standard_normal((20, 2)), rng.standard_normal((20, 1)), 5, 5, rate=StepDecay(0.1, 2.0, 2), verbose=0
    )
    assert trainer.optimizer.lr == 0.1 / 2**3  # in epochs 3, 4 and 5


def test_samples_are_evaluated_some_at_a_time(rng, monkeypatch):
    net = Sequential([Dense(2, 3)], SoftmaxWithLoss(), seed=1)
    trainer, x, t = Trainer(net, SGD(0.1)), rng.standard_normal((10, 2)), rng.integers(0, 3, 10)
    loss, right = trainer.evaluate(x, t, accuracy=True)
    scores = host(net.forward(net.inputs("x", x), train_flg=False))
    np.testing.assert_allclose(right, (scores.argmax(axis=1) == t).mean(), rtol=1e-12)
    likely = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(loss, -np.log(likely[range(10), t]).mean(), rtol=1e-5)
    monkeypatch.setattr("rnnlm.training.sample_evaluation.TOGETHER", 4)
    np.testing.assert_allclose(trainer.evaluate(x, t, accuracy=True), (loss, right), rtol=1e-6)
    assert trainer.evaluate(x, t)[1] is None
    trainer.fit(x, t, 2, 4, accuracy=True, validation_split=0.3, verbose=0)
    assert [len(one) for one in (trainer.accuracy_list, trainer.val_accuracy_list, trainer.val_loss_list)] == [2, 2, 2]
    assert trainer.accuracy_list[-1] == pytest.approx(trainer.evaluate(x[:7], t[:7], True)[1])
    assert (trainer.val_loss_list[-1], trainer.val_accuracy_list[-1]) == pytest.approx(
        trainer.evaluate(x[7:], t[7:], True)
    )
    assert net.sample_shape == (2,)
    assert (type(trainer.current_epoch), trainer.current_epoch) == (int, 2)
    assert len(trainer.loss_list) == 2  # of two batches an epoch the first one is reported


def rows(count):
    """Weights that make class 0 unlikely for samples of the first half, and likely for those of the second."""
    E, W = np.eye(2, dtype=np.float32), np.array([[0, 3], [3, 0]], np.float32)
    return E, W, np.zeros(2, np.float32), np.repeat([0, 1], count // 2)[:, None]


@pytest.mark.parametrize("head", [TimeSoftmaxWithLoss, SoftmaxWithLoss, TimeAffineWithLoss])
def test_targets_that_are_ignored_count_in_no_part_of_an_evaluation(head, monkeypatch):
    monkeypatch.setattr("rnnlm.training.sample_evaluation.TOGETHER", 4)
    E, W, b, x = rows(8)
    affine = TimeAffine(dev(W, np.float32), dev(b, np.float32))
    layers = [TimeEmbedding(dev(E, np.float32))]
    is_affine = head is TimeAffineWithLoss
    net = Sequential(layers if is_affine else [*layers, affine], head(affine) if is_affine else head())
    t = np.array([[0], [-1], [-1], [-1], [0], [0], [0], [0]])
    wrong, right = np.log(1 + np.exp(3)), np.log(1 + np.exp(-3))
    np.testing.assert_allclose(Trainer(net, SGD(0.1)).evaluate(x, t)[0], (wrong + 4 * right) / 5, rtol=1e-6)


def test_one_hot_targets_and_several_outputs_are_weighed_alike(monkeypatch):
    monkeypatch.setattr("rnnlm.training.sample_evaluation.TOGETHER", 4)
    E, W, b, x = rows(8)
    W, b, X = dev(W, np.float32), dev(b, np.float32), E[x[:, 0]]
    t, other = np.array([0, 1, 1, 1, 0, 0, 0, 0]), np.array([-1, -1, -1, -1, 0, 0, -1, 1])
    head = SoftmaxWithLoss()
    head.ignore_label = 1
    one = Trainer(Sequential([Affine(W.copy(), b.copy())], head), SGD(0.1))
    assert one.evaluate(X, t)[0] == one.evaluate(X, np.eye(2)[t])[0]
    wrong, right = np.log(1 + np.exp(3)), np.log(1 + np.exp(-3))
    branches = Split([Affine(W.copy(), b.copy())], [Affine(W.copy(), b.copy())])
    both = Sequential([branches], Losses(SoftmaxWithLoss(), SoftmaxWithLoss(), weights=[1, 2]))
    means = (4 * wrong + 4 * right + 3 * (right - wrong)) / 8, (2 * right + wrong) / 3
    np.testing.assert_allclose(
        Trainer(both, SGD(0.1)).evaluate(X, (t, other))[0], means[0] + 2 * means[1], rtol=1e-6
    )  # fmt: skip


class Still(SGD):
    """The weights stay, so that figures can be computed again."""

    def update_array(self, p, g, factor, *remembered):
        pass


def test_the_loss_of_an_epoch_is_the_mean_over_its_samples():
    """Not over its batches, of which the last one is smaller."""
    x, t = np.zeros((33, 1)), np.zeros((33, 1))
    t[0] = 33**0.5
    trainer = Trainer(Sequential([Dense(1, 1)], MeanSquaredError()), Still(0.1))
    trainer.fit(x, t, 3, 32, eval_interval=None, verbose=0)
    np.testing.assert_allclose(trainer.loss_list, 1, rtol=1e-6)


@pytest.mark.parametrize("shape", [(20,), (20, 3)])
def test_the_loss_of_an_epoch_is_the_mean_over_its_targets_that_count(shape, rng):
    x, t = rng.standard_normal((*shape, 2)), rng.integers(0, 3, shape)
    t[rng.random(shape) < 0.5] = -1
    trainer = Trainer(Sequential([Dense(2, 3)], SoftmaxWithLoss(), seed=1), Still(0.1))
    trainer.fit(x, t, 2, 3, eval_interval=None, verbose=0)
    np.testing.assert_allclose(trainer.loss_list, trainer.evaluate(x, t)[0], rtol=1e-6)


def test_a_head_of_ones_own_ignores_no_target_unless_it_says_so(monkeypatch):
    """As one with labels of 1 and -1."""

    class Hinge(Head):
        def loss(self, h, ts, keep=True):
            self._saved = () if keep else None
            return xp.maximum(0, 1 - h[:, 0] * ts).mean()

        def backward(self, dout=1):
            raise NotImplementedError  # it is not trained here

    monkeypatch.setattr("rnnlm.training.sample_evaluation.TOGETHER", 3)
    x, t = np.ones((8, 2)), np.array([-1, -1, 1, -1, 1, -1, -1, -1])
    trainer = Trainer(Sequential([Dense(2, 1)], Hinge(), seed=1), SGD(0.1))
    y = host(trainer.model.forward(trainer.model.inputs("x", x), train_flg=False))[0, 0]
    assert trainer.evaluate(x, t)[0] == pytest.approx(np.maximum(0, 1 - y * t).mean(), rel=1e-6)


@pytest.mark.parametrize("scored", [4, 30])
def test_targets_of_a_row_that_are_ignored_count_in_no_mean(scored, monkeypatch, rng):
    monkeypatch.setattr("rnnlm.training.sample_evaluation.TOGETHER", scored)
    x, t = rng.standard_normal((30, 4)), rng.integers(0, 5, (30, 3))
    t[:10, 1] = -1
    net = Sequential([Dense(4, 5)], EachTarget(SoftmaxWithLoss()), seed=1)
    trainer = Trainer(net, Still(0.1))
    scores = host(net.forward(net.inputs("x", x), train_flg=False)).astype(float)
    nats = np.log(np.exp(scores).sum(axis=1))[:, None] - np.take_along_axis(scores, np.maximum(t, 0), axis=1)
    mean = nats[t >= 0].sum() / 30
    assert trainer.evaluate(x, t)[0] == pytest.approx(mean, rel=1e-6)
    trainer.fit(x, t, 1, 7, eval_interval=None, verbose=0)
    assert trainer.loss_list[0] == pytest.approx(mean, rel=1e-6)


def test_an_evaluation_draws_no_negative_samples_of_the_training(rng):
    x, t, W = rng.standard_normal((20, 3)), rng.integers(0, 6, 20), rng.standard_normal((6, 4))
    found = []
    for options in ({}, {"validation_data": (x[:5], t[:5])}):
        head = NegativeSamplingLoss(dev(W, np.float32), np.arange(6).repeat(4), seed=1)
        net = Sequential([Dense(3, 4)], head, seed=1)
        Trainer(net, SGD(0.5)).fit(x, t, 4, 5, verbose=0, **options)
        found.append(host(net.flat_params))
    np.testing.assert_array_equal(*found)


@pytest.mark.parametrize(
    ("t", "options", "message"),
    [
        ([0, 1, 2, -1], {}, r"t must hold ids in \[0, 3\), got -1"),
        (
            [0, 1, 2, 2],
            {"validation_data": (np.ones((2, 2)), [0, 3])},
            r"validation t must hold ids in \[0, 3\), got 3",
        ),
        (
            [0, 1, 2, 2],
            {"validation_data": (np.ones((2, 2)), [0])},
            "validation_data must have one entry for each sample",
        ),
        ([0, 1, 2, 2], {"validation_data": (np.ones((2, 5)), [0, 1])}, "got .2, 5.|got .1, 5."),
    ],
)
def test_all_targets_are_checked_before_training(t, options, message):
    net = Sequential([Dense(2, 3), Softmax()], SparseCategoricalCrossEntropy(), seed=1)
    before = host(net.flat_params).copy()
    with pytest.raises(InputError, match=message):
        Trainer(net, SGD(0.1)).fit(np.ones((4, 2)), t, 2, 2, verbose=0, **options)
    np.testing.assert_array_equal(host(net.flat_params), before)


NO_CLASS = np.eye(3)[[0] * 6]
NO_CLASS[5] = 0
BAD_TARGETS = {
    "numbers": (1, SigmoidWithLoss, [0, 1, 0, 1, 0, 7], r"t must be in \[0, 1\], got 7"),
    "one-hot": (3, SoftmaxWithLoss, NO_CLASS, "t must have one entry"),
    "NaN": (1, MeanSquaredError, [[0.0]] * 5 + [[np.nan]], "t must be finite, and sample 5 has NaN or an infinity"),
    "ignored": (3, SoftmaxWithLoss, [-1] * 6, "t must have a target that counts, and all are -1, the ignored label"),
}


@pytest.mark.parametrize("validation", [False, True])
@pytest.mark.parametrize("name", BAD_TARGETS)
def test_targets_are_checked_before_training_whatever_the_loss(name, validation):
    if NAME == "cupy" and name in ("numbers", "one-hot"):
        pytest.skip("values on a device are not looked at, because that would wait for it")
    outputs, head, t, message = BAD_TARGETS[name]
    net = Sequential([Dense(2, outputs)], head(), seed=1)
    before, x = host(net.flat_params).copy(), np.ones((6, 2))
    right = np.zeros_like(t) if name != "one-hot" else np.eye(3)[[0] * 6]
    given = {"t": right, "validation_data": (x, t)} if validation else {"t": t}
    with pytest.raises(InputError, match=message) as raised:
        Trainer(net, SGD(0.1)).fit(x, **given, max_epoch=1, batch_size=2, verbose=0)
    assert ("validation t" in str(raised.value)) is validation
    np.testing.assert_array_equal(host(net.flat_params), before)


class Imputed(Layer):
    """Takes NaN for 0."""

    def forward(self, xs):
        self.save_for_backward(xs)
        return xp.nan_to_num(xs)

    def backward(self, dys):
        self.clear_saved_values()
        return dys


class Weighted(Head):
    """Squares with weights: targets are a tuple, of which NaN is missing."""

    scores_words = False

    def loss(self, h, ts, keep=True):
        t, w = ts
        apart = xp.where(xp.isnan(t), 0, h - t) * w
        self.save_for_backward(apart * w / len(h))
        return (apart * apart).mean().astype(np.float64)

    def backward(self, dout=1):
        (slopes,) = self.saved_values()
        self.clear_saved_values()
        return slopes.astype(np.float32)


def test_layers_and_losses_of_ones_own_take_what_they_like(rng):
    """NaN that they know what to do with, and targets that are tuples."""
    x, t, w = rng.standard_normal((20, 3)), rng.standard_normal((20, 1)), np.ones((20, 1))
    x[3, 1] = t[7, 0] = np.nan
    net = Sequential([Imputed(), Dense(3, 1)], Weighted(), seed=1)
    trainer = Trainer(net, SGD(0.1))
    trainer.fit(x, (t, w), 5, 8, verbose=0, eval_interval=None)
    assert trainer.loss_list[-1] < trainer.loss_list[0]


def test_inputs_are_finite():
    net, x = Sequential([Dense(2, 1)], MeanSquaredError(), seed=1), np.ones((6, 2))
    x[4, 1] = np.inf
    with pytest.raises(InputError, match="x must be finite, and sample 4 has NaN or an infinity"):
        Trainer(net, SGD(0.1)).fit(x, np.ones((6, 1)), verbose=0)


def test_targets_of_several_outputs_are_checked_one_by_one():
    net = Sequential([Split([Dense(2, 1)], [Dense(2, 3)])], Losses(MeanSquaredError(), SoftmaxWithLoss()), seed=1)
    trainer, x, numbers, ids = Trainer(net, SGD(0.1)), np.ones((6, 2)), np.ones((6, 1)), np.array([0, 1, 2, 0, 1, 3])
    with pytest.raises(InputError, match=r"t\[1\] must hold ids in \[-1, 3\), got 3"):
        trainer.fit(x, (numbers, ids), verbose=0)
    for wrong in ((numbers,), (numbers, ids % 3, ids)):
        with pytest.raises(InputError, match="ts must be a tuple of 2, one for each head"):
            trainer.evaluate(x, wrong)
    with pytest.raises(InputError, match="accuracy is that of one output"):
        trainer.evaluate(x, (numbers, ids % 3), accuracy=True)


def test_the_bar_shows_the_validation_loss(rng, capfd):
    x = rng.standard_normal((40, 2))
    trainer = Trainer(Sequential([Dense(2, 1)], MeanSquaredError(), seed=1), SGD(0.1))
    trainer.fit(x, x[:, :1], 3, 8, validation_split=0.2)
    assert f"valid loss {trainer.val_loss_list[-1]:.4g}" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"x": np.zeros((3, 2)), "t": np.zeros((4, 1))}, "x and t must have one entry for each sample, got 3 and 4"),
        ({"x": [[1, 2], [3]], "t": [0, 1]}, "x must be an array of numbers, its rows of one length, got"),
        ({"x": np.zeros((0, 2)), "t": np.zeros((0, 1))}, "x must be an array of numbers, one row a sample"),
        ({"batch_size": 0}, "batch_size must be a whole number of at least 1, got 0"),
        ({"max_epoch": 0}, "max_epoch must be a whole number of at least 1, got 0"),
        ({"verbose": 3}, r"verbose must be a whole number in \[0, 3\), got 3"),
        ({"validation_split": 1.0}, r"validation_split must be in \[0, 1\), got 1.0"),
        ({"validation_split": 0.9}, "validation_split must leave samples on both sides, got 0.9 of 4"),
        ({"validation_split": 0.5, "validation_data": ([], [])}, "must not both be given"),
        ({"accuracy": True}, "MeanSquaredError has no accuracy"),
        ({"patience": 1}, "patience needs samples or a text held out for validation, got 1 without"),
        ({"rate": Halving(0.1)}, r"rate Halving\(.*\) needs samples or a text held out for validation"),
        ({"patience": 0, "validation_split": 0.5}, "patience must be a whole number of at least 1, got 0"),
        ({"eval_interval": 0}, "eval_interval must be a whole number of at least 1, got 0"),
        ({"max_grad": 0}, "max_grad must be positive, got 0"),
    ],
)
def test_what_can_not_be_is_refused(options, message):
    net = Sequential([Dense(2, 1)], MeanSquaredError())
    with pytest.raises(InputError, match=message):
        Trainer(net, SGD(0.1)).fit(**{"x": np.ones((4, 2)), "t": np.ones((4, 1)), "verbose": 0, **options})


def test_ids_that_are_none_are_refused(rng):
    """As inputs of an embedding, and as targets: NumPy would fail in the middle, CuPy read something else."""
    net = Sequential([Embedding(dev(rng.standard_normal((7, 4)), "float32")), Dense(4, 3)], SoftmaxWithLoss())
    trainer = Trainer(net, SGD(0.1))
    for x, t, message in (
        ([0, 7], [0, 1], r"x must hold ids in \[0, 7\), got 7"),
        ([0, 6], [0, 3], r"t must hold ids in \[-1, 3\), got 3"),
        ([0.5, 1], [0, 1], "x must be integer ids, got float64"),
    ):
        with pytest.raises(InputError, match=message):
            trainer.fit(np.array(x), np.array(t), verbose=0)
    with pytest.raises(InputError, match=r"xs must hold ids in \[0, 7\), got -1"):
        net.predict([-1])


@pytest.mark.parametrize("steps", [2, 6])
def test_targets_of_sequences_are_ids_of_the_last_axis(rng, steps):
    """Fewer steps than words, or more."""
    net = Sequential([Embedding(dev(rng.standard_normal((7, 4)), "float32")), Dense(4, 5)], SoftmaxWithLoss())
    trainer, x = Trainer(net, SGD(0.1)), rng.integers(0, 7, (3, steps))
    t = np.full((3, steps), 4)
    trainer.fit(x, t, 1, verbose=0)
    t[2, 1] = 5
    with pytest.raises(InputError, match=r"t must hold ids in \[-1, 5\), got 5"):
        trainer.fit(x, t, 1, verbose=0)


def test_what_is_not_said_is_ten_epochs_of_batches_of_32(rng):
    """And a loss is reported at every 20 of them."""
    x, t = rng.standard_normal((41 * 32, 2)), rng.standard_normal((41 * 32, 1))
    trainer = Trainer(Sequential([Dense(2, 1)], MeanSquaredError()), SGD(0.1))
    trainer.fit(x, t, verbose=0)
    assert (trainer.current_epoch, len(trainer.loss_list)) == (10, 30)


def test_a_network_without_a_head_is_refused_at_once():
    with pytest.raises(InputError, match="these layers have none"):
        Trainer(Sequential([Dense(2, 1)]), SGD(0.1)).fit(np.ones((4, 2)), np.ones((4, 1)), verbose=0)


def test_the_losses_are_drawn(rng):
    """With the library that draws, and without it."""
    pyplot = pytest.importorskip("matplotlib.pyplot", reason="needs the extra 'plot'")
    trainer = Trainer(Sequential([Dense(2, 1)], MeanSquaredError()), SGD(0.1))
    trainer.fit(rng.standard_normal((8, 2)), rng.standard_normal((8, 1)), 3, 4, eval_interval=None, verbose=0)
    axes = trainer.plot()
    assert axes.lines[0].get_ydata().tolist() == trainer.loss_list
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("epoch", "loss")
    pyplot.close("all")


def test_targets_that_are_ignored_count_in_no_mean(rng):
    x, t = rng.standard_normal((2048, 3)), np.array([0, 1] * 1024)
    t[:1023] = -1  # nearly all that is evaluated at once
    trainer = Trainer(Sequential([Dense(3, 2)], head=SoftmaxWithLoss(), seed=0), SGD(0.1))
    order = rng.permutation(2048)
    want = trainer.evaluate(x[1023:], t[1023:], accuracy=True)
    for xs, ts in ((x, t), (x[order], t[order])):
        assert trainer.evaluate(xs, ts, accuracy=True) == pytest.approx(want, rel=1e-6)
    assert trainer.evaluate(x, np.full(2048, -1), accuracy=True) == (0, 0)


def test_samples_begin_with_a_state_of_zeros(rng):
    x, t = rng.standard_normal((65, 5, 3)).astype(np.float32), rng.integers(0, 2, 65)
    twins = []
    for stateful in (True, False):
        lstm = TimeLSTM.of_size(3, 4, stateful=stateful, return_sequences=False)
        net = Sequential([lstm, Dense(4, 2)], head=SoftmaxWithLoss(), seed=0)
        trainer = Trainer(net, SGD(0.1))
        trainer.fit(x, t, max_epoch=2, batch_size=16, verbose=0, validation_data=(x[:5], t[:5]))
        assert trainer.evaluate(x, t) == trainer.evaluate(x, t)
        trainer.fit(x, t, max_epoch=1, batch_size=16, verbose=0)
        net.predict(x[:7])
        trainer.fit(x, t, max_epoch=1, batch_size=16, verbose=0)
        twins.append(host(net.flat_params))
    np.testing.assert_array_equal(*twins)


def test_the_line_after_an_epoch_has_the_mean_loss_of_all_its_batches(rng, capfd):
    x, t = rng.standard_normal((300, 3)), rng.standard_normal((300, 1))
    trainer, heard = Trainer(Sequential([Dense(3, 1)], head=MeanSquaredError(), seed=0), SGD(0.1)), []

    class Hears(Callback):
        def end_epoch(self, report):
            heard.append(report.loss)

    trainer.fit(x, t, max_epoch=2, batch_size=10, verbose=2, callbacks=[Hears()])
    assert capfd.readouterr().out == "".join(f"epoch {i}  loss {loss:.4g}\n" for i, loss in enumerate(heard, 1))


def test_a_rate_is_asked_at_each_step(rng):
    x, t = rng.standard_normal((12, 3)), rng.standard_normal((12, 1))
    nets = [Sequential([Dense(3, 1)], head=MeanSquaredError(), seed=0) for _ in range(2)]
    asked = []
    Trainer(nets[0], SGD(9.0)).fit(x, t, 2, 4, verbose=0, rate=lambda step: asked.append(step) or 0.1)
    Trainer(nets[1], SGD(0.1)).fit(x, t, 2, 4, verbose=0)
    assert asked == list(range(6))
    np.testing.assert_array_equal(*(host(net.flat_params) for net in nets))


def test_numbers_of_minus_one_are_targets_like_others_where_activations_are_regularised(rng):
    x, t = rng.standard_normal((64, 5, 3)), rng.choice([-1.0, 1.0], (64, 1))
    ar = TimeActivationRegularization(1.0, 1.0)
    net = Sequential(
        [TimeLSTM.of_size(3, 4), ar, MeanOverTime(), Dense(4, 1)], head=MeanSquaredError(), seed=0
    )  # fmt: skip
    Trainer(net, SGD(0.1)).fit(x, t, max_epoch=1, batch_size=16, verbose=0)
    assert np.isfinite(host(net.flat_params)).all()


def test_checks_draw_no_masks_of_the_training(rng):
    x, t = rng.standard_normal((12, 3)), rng.standard_normal((12, 1))
    net = Sequential([Dense(3, 4), TimeDropout(0.5), Dense(4, 1)], MeanSquaredError(), seed=1)
    Trainer(net, SGD(0.1)).fit(x[:, None], t[:, None], 2, 4, verbose=0, validation_data=(x[:, None], t[:, None]))
    assert net.train_steps == 6


def test_one_sample_is_evaluated(rng):
    x, t = rng.standard_normal((1, 3)), rng.standard_normal((1, 1))
    net = Sequential([Dense(3, 1)], MeanSquaredError(), seed=1)
    want = float(((net.predict(x) - t) ** 2).mean())
    assert Trainer(net, SGD(0.1)).evaluate(x, t)[0] == pytest.approx(want, rel=1e-6)
