"""An n-gram model as a predictor: states, windows, rows side by side, `<eos>`."""

import numpy as np
import pytest

from rnnlm import NGram, Predictor, evaluate, generate, kneser_ney, score, token_nats
from rnnlm.errors import DataError, InputError
from rnnlm.inference.predictor import own_state

V, EOS = 9, 0


@pytest.fixture
def ids(rng):
    found = np.minimum(rng.geometric(0.3, 500), V - 1)
    found[rng.random(500) < 0.2] = EOS
    return found


@pytest.fixture(params=[1, 2, 4])
def model(request, ids):
    return kneser_ney(ids, V, EOS, request.param)


def test_losses_do_not_depend_on_windows(model, ids):
    whole = model.losses(ids[None, :-1], ids[None, 1:])
    for window in (1, 2, 7, 100):
        model.reset_state()
        parts = [
            model.losses(ids[None, i : i + window][:, : 499 - i], ids[None, i + 1 : i + 1 + window])
            for i in range(0, 499, window)
        ]
        np.testing.assert_array_equal(np.concatenate(parts, axis=1), whole)


def test_rows_do_not_know_of_each_other(model, ids):
    rows = ids[:480].reshape(6, 80)
    together = model.losses(rows[:, :-1], rows[:, 1:])
    for row, nats in zip(rows, together):
        model.reset_state()
        np.testing.assert_array_equal(model.losses(row[None, :-1], row[None, 1:])[0], nats)


def test_scores_are_the_losses(model, ids):
    nats = model.losses(ids[None, :-1], ids[None, 1:])[0]
    model.reset_state()
    for begin, nat in zip(range(100), nats):
        assert model.next_scores(ids[None, begin : begin + 1])[0, ids[begin + 1]] == -nat


def test_a_line_knows_nothing_of_the_one_before(model, ids):
    lines = np.split(ids, np.flatnonzero(ids == EOS) + 1)
    whole = token_nats(model, ids)
    assert len(whole) == len(ids)  # the first word is predicted, too
    begin = 0
    for line in lines:
        if len(line):
            alone = token_nats(model, line)
            np.testing.assert_array_equal(whole[begin : begin + len(line)], alone)
            if line[-1] == EOS:
                np.testing.assert_array_equal(score(model, [line])[0].tokens, -alone)
        begin += len(line)


def test_its_evaluation_says_so(model, ids):
    result = evaluate(model, ids)
    assert (result.tokens, result.from_start, result.resets) == (500, True, "begins anew after each <eos>")
    assert evaluate(model, ids[:1]).tokens == 1
    with pytest.raises(DataError, match="at least 1 tokens to be evaluated, got 0"):
        evaluate(model, ids[:0])
    with pytest.raises(InputError, match=r"lanes must be a whole number in \[1, 501\), got 501"):
        evaluate(model, ids, lanes=501)
    lanes = evaluate(model, ids, lanes=4)
    assert (lanes.tokens, lanes.exact) == (500, False)
    assert lanes.nats == pytest.approx(result.nats, abs=0.05)
    assert evaluate(model, ids, window=3).nats == pytest.approx(result.nats, rel=1e-12)


def test_targets_that_do_not_count(model, ids):
    ts = ids[None, 1:].copy()
    ts[0, ::3] = -1
    nats = model.losses(ids[None, :-1], ts)
    model.reset_state()
    want = model.losses(ids[None, :-1], ids[None, 1:])
    np.testing.assert_array_equal(nats, np.where(ts < 0, 0, want))


def test_a_state_can_be_taken_and_given_back(model, ids):
    assert model.get_state() is None
    model.next_scores(ids[None, :5])
    state = model.get_state()
    once = model.next_scores(ids[None, 5:9])
    model.set_state(state)
    np.testing.assert_array_equal(model.next_scores(ids[None, 5:9]), once)
    with own_state(model):
        model.next_scores(ids[:6].reshape(2, 3))
    assert len(model.get_state()) == 1
    if model.context:
        with pytest.raises(InputError, match="xs must have the 1 rows of the state, got 2; reset_state first"):
            model.next_scores(ids[:6].reshape(2, 3))


def test_it_writes(ids):
    model = kneser_ney(ids, V, EOS, 3)
    text = generate(model, EOS, None, 40, seed=1)
    assert text == generate(model, EOS, None, 40, seed=1)
    assert len(text) == 40
    counts = np.bincount([generate(model, [EOS, 1], None, 3, seed=seed)[2] for seed in range(2000)], minlength=V)
    probs = np.exp(model.next_scores([[EOS, 1]])[0])
    np.testing.assert_allclose(counts / 2000, probs, atol=0.04)


def test_it_is_a_predictor_and_shows_its_size(ids):
    model: Predictor = kneser_ney(ids, V, EOS, 2)
    assert isinstance(model, NGram)
    assert repr(model) == f"<NGram of order 2: 10, {len(model.tables[1])} n-grams>"


@pytest.mark.parametrize(
    ("xs", "ts", "said"),
    [
        ([[1, V]], [[1, 1]], r"xs must hold ids in \[0, 9\), got 9"),
        ([[1, 2]], [[1, -2]], r"ts must hold ids in \[-1, 9\), got -2"),
        ([[1, 2]], [[1]], r"xs and ts must have one shape \(N, T\), got \(1, 2\) and \(1, 1\)"),
        ([1, 2], [[1, 2]], r"xs must be integer ids of shape \(N, T\), got int64 of shape \(2,\)"),
        ([[1.5]], [[1]], "xs must be integer ids of shape .N, T., got float64"),
        ([[1], [1, 2]], [[1]], "xs must be integer ids of shape .N, T., got rows of different lengths"),
    ],
)
def test_bad_input_is_refused(model, xs, ts, said):
    with pytest.raises(InputError, match=said):
        model.losses(xs, ts)
    assert model.get_state() is None
