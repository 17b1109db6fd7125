"""Sentences side by side, the shorter ones filled up, are sentences one by one."""

import numpy as np
import pytest

from rnnlm import Adam, RnnlmTrainer, Sentences, evaluate, score, token_nats
from rnnlm.data.sentence_batches import SentenceBatches
from rnnlm.data.sentences import side_by_side
from rnnlm.errors import InputError
from rnnlm.models import NNLM, LanguageModel, ModelConfig
from rnnlm.optim import SGD
from rnnlm.training.run import Run
from tests.gradcheck import host

V, EOS = 11, 0
COMMON = {"vocab_size": V, "wordvec_size": 4, "hidden_size": 6, "init": "orthogonal", "bias_range": 0.3}
KINDS = {
    "rnn": {"cell": "rnn"},
    "relu": {"cell": "rnn", "activation": "relu"},
    "lstm": {"cell": "lstm", "layers": 2},
    "gru": {"cell": "gru"},
    "gru-after": {"cell": "gru", "reset_after": True},
    "tied": {"cell": "lstm", "tied": True, "last_hidden_size": 4},
}


def build(kind, **options):
    return LanguageModel(ModelConfig(**{**COMMON, **KINDS[kind], "dtype": "float64", "seed": 1, **options}))


@pytest.fixture
def rows(rng):
    return [np.append(rng.integers(1, V, n), EOS) for n in (1, 7, 3, 3, 12)]


def one_by_one(model, rows):
    """Loss and gradient: the mean over all tokens of sentences that are run by themselves."""
    tokens, loss, grads = sum(map(len, rows)), 0.0, 0.0
    for row in rows:
        model.reset_state()
        xs, ts = side_by_side([row])
        loss += float(model.forward(xs, ts)) * len(row) / tokens
        model.backward()
        grads = grads + host(model.flat_grads) * (len(row) / tokens)
    return loss, grads


@pytest.mark.parametrize("kind", [*KINDS, "nnlm"])
def test_masked_batches_have_the_gradients_of_single_lines(rng, kind, rows):
    model = NNLM(V, 4, 6, context=3, bias_range=0.3, dtype="float64") if kind == "nnlm" else build(kind)
    want, grads = one_by_one(model, rows)
    for fill in range(3):
        model.reset_state()
        xs, ts = side_by_side(rows)
        xs[ts < 0] = rng.integers(0, V, (ts < 0).sum()) if fill else 0  # whatever the padding
        np.testing.assert_allclose(float(model.forward(xs, ts)), want, rtol=1e-12)
        model.backward()
        np.testing.assert_allclose(host(model.flat_grads), grads, rtol=1e-10, atol=1e-10)


def test_a_gradient_with_a_pad_that_counts_is_seen(rows):
    """The check above fails where one filled place is a target."""
    model = build("rnn")
    _, grads = one_by_one(model, rows)
    model.reset_state()
    xs, ts = side_by_side(rows)
    ts[0, -1] = EOS
    model.forward(xs, ts)
    model.backward()
    assert np.abs(host(model.flat_grads) - grads).max() > 1e-4


def test_regularisation_is_over_what_counts(rows):
    """Of lines of one length the penalty is the mean of theirs; what fills up the shorter ones changes nothing."""
    model = build("lstm", ar=2.0, tar=3.0)
    xs, ts = side_by_side(rows)
    model.reset_state()
    model.forward(xs, ts)
    penalty = float(model.penalty)
    model.backward()
    grads = host(model.flat_grads)
    more = (
        np.concatenate([xs, np.ones((len(rows), 5), np.int64)], axis=1),
        np.pad(ts, ((0, 0), (0, 5)), constant_values=-1),
    )
    model.reset_state()
    model.forward(*more)
    np.testing.assert_allclose(float(model.penalty), penalty, rtol=1e-12)
    model.backward()
    np.testing.assert_allclose(host(model.flat_grads), grads, rtol=1e-10, atol=1e-12)
    full = [row for row in rows if len(row) == 4]
    model.reset_state()
    model.forward(*side_by_side(full))
    alone = float(model.penalty)
    model.reset_state()
    model.forward(*(np.pad(a, ((0, 0), (0, 3)), constant_values=v) for a, v in zip(side_by_side(full), (5, -1))))
    np.testing.assert_allclose(float(model.penalty), alone, rtol=1e-12)


@pytest.mark.parametrize("option", [{"ar": 2.0}, {"tar": 3.0}])
def test_the_gradient_of_what_counts_is_its_derivative(rng, rows, option):
    from tests.gradcheck import assert_gradients

    model = build("gru", **option)
    xs, ts = side_by_side(rows)

    def loss():
        model.reset_state()
        return model.forward(xs, ts) + model.penalty

    loss()
    model.backward()
    grads = {name: g.copy() for name, g in zip(model.names, model.grads)}
    assert_gradients(loss, dict(zip(model.names, model.params)), grads, rng)


@pytest.mark.parametrize("time_size", [3, 50])
def test_evaluation_is_line_by_line_whatever_the_state(rng, rows, time_size):
    model, sentences = build("lstm"), Sentences.of(rows, EOS)
    model.forward(*side_by_side(rows[:2]))
    before = host(model.get_state()[0][0])
    want = np.concatenate([-one.tokens for one in score(model, rows)])
    np.testing.assert_allclose(token_nats(model, sentences), want, rtol=1e-12)
    got = evaluate(model, sentences, unk_id=3)
    np.testing.assert_allclose(got.nats, want.mean(), rtol=1e-12)
    known = np.concatenate(rows) != 3
    np.testing.assert_allclose(got.known_nats, want[known].mean(), rtol=1e-12)
    assert (got.tokens, got.lines, got.unks, got.exact) == (len(want), 5, (~known).sum(), True)
    assert "5 lines, each from a reset state" in str(got)
    assert got.resets == "reset before each of 5 lines"
    np.testing.assert_array_equal(host(model.get_state()[0][0]), before)
    with pytest.raises(InputError, match="lanes and window are for a stream.* got lanes 2"):
        evaluate(model, sentences, lanes=2)
    with pytest.raises(InputError, match=r"must hold ids in \[0, 11\)"):
        evaluate(model, Sentences.of([[V]], EOS))


def test_training_is_taken_apart_and_put_together(rows):
    def training():
        batches = SentenceBatches(Sentences.of(rows * 4, EOS), 2, 4, seed=5)
        return Run(build("gru", dropout_ratio=0.3), SGD(0.5), batches, 0.25)

    whole, first, second = training(), training(), training()
    for _ in range(20):
        whole.step()
    for _ in range(7):
        first.step()
    second.load_state_dict(first.state_dict())
    for _ in range(13):
        second.step()
    np.testing.assert_array_equal(host(whole.model.flat_params), host(second.model.flat_params))
    np.testing.assert_array_equal(whole.report(), second.report())


@pytest.mark.long
def test_fit_learns_lines_by_heart(rows):
    model = build("lstm", hidden_size=30)
    trainer = RnnlmTrainer(model, Adam(0.02))
    trainer.fit(Sentences.of(rows, EOS), max_epoch=150, batch_size=2, time_size=20, eval_interval=None)
    assert trainer.ppl_list[0] > 5
    assert evaluate(model, Sentences.of(rows, EOS)).perplexity < 2.0
    np.testing.assert_allclose(trainer.ppl_list[-1], evaluate(model, Sentences.of(rows, EOS)).perplexity, rtol=0.1)
