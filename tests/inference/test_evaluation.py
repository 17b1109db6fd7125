import math

import numpy as np
import pytest

from rnnlm.book.util import eval_perplexity
from rnnlm.data import Sentences
from rnnlm.errors import DataError, InputError
from rnnlm.inference.evaluation import Evaluation, _Sums, evaluate, perplexity, token_nats
from rnnlm.models import SimpleRnnlm
from tests import reference
from tests.gradcheck import dev, host

V = 11


@pytest.fixture
def model():
    return SimpleRnnlm(V, 4, 6, bias_range=0.5, dtype="float64", seed=2)


@pytest.fixture
def corpus(rng):
    return rng.integers(0, V, 200)


def stream_nats(model, corpus):
    """Nats of each token but the first, by the plain equations over the whole stream."""
    E, Wx, Wh, b, W, c = map(host, model.params)
    hs, _ = reference.rnn(reference.embedding(corpus[None, :-1], E), np.zeros((1, 6)), Wx, Wh, b)
    scores = reference.affine(hs, W, c)[0]
    return np.array([reference.cross_entropy(s[None], t[None]) for s, t in zip(scores, corpus[1:])])


def test_it_is_the_mean_over_one_stream(model, corpus):
    want, got = stream_nats(model, corpus), evaluate(model, corpus)
    assert got.tokens == 199
    assert got.exact
    np.testing.assert_allclose(got.nats, want.mean(), rtol=1e-12)
    np.testing.assert_allclose(got.perplexity, np.exp(want.mean()), rtol=1e-12)
    np.testing.assert_allclose(got.stderr, want.std(ddof=1) / np.sqrt(199), rtol=1e-9)


@pytest.mark.parametrize("window", [1, 2, 7, 198, 199, 200, 10_000])
def test_it_does_not_depend_on_the_window(model, corpus, window):
    np.testing.assert_allclose(evaluate(model, corpus, window=window).nats, evaluate(model, corpus).nats, rtol=1e-12)


@pytest.mark.parametrize("lanes", [2, 3, 10, 199])
def test_lanes_are_parts_from_a_cold_start(model, corpus, lanes):
    parts = np.array_split(np.arange(199), lanes)
    want = np.concatenate([stream_nats(model, corpus[part[0] : part[-1] + 2]) for part in parts])
    for window in (None, 3):
        got = evaluate(model, corpus, lanes, window)
        assert (got.tokens, got.exact) == (199, False)
        np.testing.assert_allclose(got.nats, want.mean(), rtol=1e-12)
    assert "approximate" in str(got)
    assert "approximate" not in str(evaluate(model, corpus))


@pytest.mark.parametrize("lanes", [1, 7])
def test_running_sums_are_the_mean_and_deviation_of_all_tokens(model, rng, monkeypatch, lanes):
    """Fetched every 50 tokens, so that there are many pieces to add up."""
    monkeypatch.setattr("rnnlm.inference.evaluation.FETCHED", 50)
    corpus = rng.integers(0, V, 2000)
    nats, got = token_nats(model, corpus, lanes, 11), evaluate(model, corpus, lanes, 11)
    want = Evaluation.of(nats, lanes)
    assert (got.tokens, got.lanes) == (1999, lanes)
    np.testing.assert_allclose([got.nats, got.stderr], [want.nats, want.stderr], rtol=1e-13)
    monkeypatch.undo()
    np.testing.assert_array_equal(token_nats(model, corpus, lanes, 11), nats)


@pytest.mark.parametrize("offset", [0, 1e9])
def test_running_sums_do_not_cancel(rng, offset):
    """A sum of squares would have lost all of the deviation beside 1e9."""
    values, sums = offset + rng.standard_normal(1000), _Sums()
    for piece in np.split(values, [0, 1, 7, 300, 301]):
        sums.add(piece)
    want, got = Evaluation.of(values), Evaluation(sums.mean, sums.count, sums.stderr)
    assert got.tokens == 1000
    np.testing.assert_allclose([got.nats, got.stderr], [want.nats, want.stderr], rtol=1e-7)


def test_no_backward_can_follow(model, corpus):
    model.forward(corpus[:12].reshape(3, 4), corpus[1:13].reshape(3, 4))
    eval_perplexity(model, corpus, 3, 4)
    with pytest.raises(InputError, match="backward needs a forward of its own"):
        model.backward()


def test_the_models_own_state_is_put_back(model, corpus):
    model.predict(corpus[:12].reshape(3, 4))
    before = host(model.get_state()[0][0])
    evaluate(model, corpus)
    eval_perplexity(model, corpus, 10, 6)
    np.testing.assert_array_equal(host(model.get_state()[0][0]), before)
    with pytest.raises(InputError):
        evaluate(model, corpus + 5)
    np.testing.assert_array_equal(host(model.get_state()[0][0]), before)


def test_a_uniform_model_has_the_perplexity_of_its_vocabulary(model, corpus):
    model.flat_params[...] = 0
    result = evaluate(model, corpus)
    np.testing.assert_allclose(result.perplexity, V, rtol=1e-12)
    assert result.stderr < 1e-8


def test_the_books_figure(model, corpus):
    """Ten cold starts, 19 apart, and as many whole windows as fit: written here index by index."""
    losses = []
    for window in range(199 // (10 * 6)):
        xs = np.array([[corpus[row * 19 + window * 6 + t] for t in range(6)] for row in range(10)])
        ts = np.array([[corpus[row * 19 + window * 6 + t + 1] for t in range(6)] for row in range(10)])
        if window == 0:
            model.reset_state()
        losses.append(float(model.forward(xs, ts)))
    np.testing.assert_allclose(eval_perplexity(model, corpus, 10, 6), np.exp(np.mean(losses)), rtol=1e-12)


def test_one_pair_of_tokens(model):
    result = evaluate(model, [3, 4])
    assert result.tokens == 1
    assert math.isnan(result.stderr)


def test_a_hopeless_model_is_infinitely_perplexed():
    assert Evaluation(nats=1e5, tokens=9, stderr=1.0).perplexity == math.inf


@pytest.mark.parametrize(
    ("error", "arguments", "message"),
    [
        (DataError, ([3],), "at least 2 tokens to be evaluated, got 1"),
        (DataError, (np.zeros(0, int),), "at least 2 tokens to be evaluated, got 0"),
        (InputError, ([[3, 4]],), "corpus must be a list of integer ids, got int64 of shape"),
        (InputError, ([3.0, 4.0],), "corpus must be a list of integer ids, got float64"),
        (InputError, ([3, 11],), r"corpus must hold ids in \[0, 11\), got 11"),
        (InputError, ([3, -1, 4],), r"corpus must hold ids in \[0, 11\), got -1"),
        (InputError, ([3, 4], 2), r"lanes must be a whole number in \[1, 2\), got 2"),
        (InputError, ([3, 4], 0), r"lanes must be a whole number in \[1, 2\), got 0"),
        (InputError, ([3, 4], 1, 0), "window must be a whole number of at least 1, got 0"),
    ],
)
def test_bad_input_is_refused(model, error, arguments, message):
    with pytest.raises(error, match=message):
        evaluate(model, *arguments)


def test_nan_stays_nan(model, corpus):
    model.flat_params[...] = np.nan
    result = evaluate(model, corpus)
    assert math.isnan(result.perplexity)
    assert math.isnan(result.stderr)


def test_a_corpus_may_be_on_the_device(model, corpus):
    assert evaluate(model, dev(corpus)) == evaluate(model, corpus)


def test_an_infinite_loss_stays_infinite_in_whatever_piece_it_is():
    for pieces in ([[np.inf, 1.0], [2.0]], [[1.0], [np.inf]], [[np.inf], [np.inf]]):
        sums = _Sums()
        for piece in pieces:
            sums.add(np.array(piece))
        assert sums.mean == np.inf
        assert perplexity(sums.mean) == np.inf


def test_deviations_too_large_for_a_float_leave_the_mean_and_give_no_warning():
    sums = _Sums()
    for piece in ([1e200, 3e200], [5e200]):
        sums.add(np.array(piece))
    assert sums.mean == pytest.approx(3e200)
    assert not math.isfinite(sums.stderr)


@pytest.mark.parametrize(("lanes", "window", "given"), [(2, None, "lanes 2"), (1, 5, "window 5"), (3, 5, "lanes 3")])
def test_sentences_have_no_lanes_and_no_window(model, lanes, window, given):
    with pytest.raises(InputError, match=f"leave them out for sentences, got {given}$"):
        evaluate(model, Sentences([3, 4, 0], 0), lanes, window)


@pytest.mark.parametrize(("probability", "want"), [(0.8, 1.25), (0.2, 5.0)])
def test_the_perplexity_of_one_word(probability, want):
    assert perplexity(-np.log(probability)) == pytest.approx(want, rel=1e-12)


def test_what_an_evaluation_says_of_itself(model, corpus):
    ids = np.where(corpus == 0, 1, corpus)
    ids[9::10] = 0
    stream, lanes, lines = evaluate(model, ids, unk_id=5), evaluate(model, ids, 3), evaluate(model, Sentences(ids, 0))
    assert stream.resets == "goes on from line to line"
    assert lanes.resets == "reset at the beginning of each of 3 lanes"
    assert lines.resets == "reset before each of 20 lines"
    assert Evaluation(1.0, 2, 0.1).resets == "goes on from line to line"
    assert Evaluation(1.0, 2, 0.1, from_start=True).resets == "begins anew after each <eos>"
    assert (lines.lines, lines.tokens, lines.lanes, stream.lines) == (20, 200, 1, None)
    assert "exact, 20 lines, each from a reset state" in str(lines)
    nats = token_nats(model, ids)
    assert stream.unks == (ids[1:] == 5).sum() > 0
    np.testing.assert_allclose(stream.known_nats, nats[ids[1:] != 5].mean(), rtol=1e-12)
    np.testing.assert_allclose(stream.known_perplexity, np.exp(stream.known_nats), rtol=1e-12)
    assert (lanes.unks, lanes.known_nats, lanes.known_perplexity) == (0, None, lanes.perplexity)
    assert math.isnan(evaluate(model, [5, 5, 5], unk_id=5).known_nats)
    assert not stream.from_start


def test_figures_of_some_nats():
    found = Evaluation.of(np.array([1.0, 2.0, 4.0]), lanes=2)
    assert (found.nats, found.tokens, found.lanes, found.exact) == (pytest.approx(7 / 3), 3, 2, False)
    assert found.stderr == pytest.approx(np.std([1, 2, 4], ddof=1) / np.sqrt(3))
    assert math.isnan(Evaluation.of(np.array([1.0])).stderr)
