"""Encoders, decoders, and the models that are made of them."""

import copy

import numpy as np
import pytest

from rnnlm import Adam, AttentionSeq2seq, PeekySeq2seq, Seq2seq, Trainer, additions
from rnnlm.errors import InputError
from rnnlm.layers.base import expect
from rnnlm.models import AttentionDecoder, AttentionEncoder, Decoder, Encoder, PeekyDecoder
from tests import reference
from tests.gradcheck import assert_gradients, dev, host

V, D, H, N, T, T2 = 11, 4, 6, 3, 7, 4
LENGTHS = np.array([7, 2, 5])
KINDS = {"plain": Seq2seq, "peeky": PeekySeq2seq, "attention": AttentionSeq2seq}
kinds = pytest.mark.parametrize("kind", KINDS)
ways = pytest.mark.parametrize("both", [False, True], ids=["ahead", "both ways"])


def build(kind, rng, bidirectional=False, dtype="float64"):
    """With larger weights than it would begin with, so that all of them matter."""
    model = KINDS[kind](V, D, H, bidirectional, seed=1, dtype=dtype)
    for p in model.params:
        p[...] = dev(0.5 * rng.standard_normal(p.shape), dtype)
    return model


def questions(rng):
    ts = rng.integers(0, V, (N, T2 + 1))
    ts[:, 0] = 3
    return rng.integers(0, V, (N, T)), ts


def check_gradients(model, rng, lengths=None):
    xs, ts = questions(rng)
    xs = xs if lengths is None else (xs, lengths)

    def loss():
        return model.forward(xs, ts)

    loss()
    model.backward()
    grads = {name: g.copy() for name, g in zip(model.names, model.grads)}
    assert all(float(abs(g).max()) > 0 for g in grads.values())
    assert_gradients(loss, dict(zip(model.names, model.params)), grads, rng)


@kinds
@ways
@pytest.mark.parametrize("lengths", [None, LENGTHS], ids=["full", "lengths"])
def test_backward_is_the_derivative(rng, kind, both, lengths):
    check_gradients(build(kind, rng, both), rng, lengths)


@pytest.mark.parametrize("classes", [(Encoder, Decoder), (Encoder, PeekyDecoder), (AttentionEncoder, AttentionDecoder)])
def test_the_halves_have_the_books_ways(rng, classes):
    """What the encoder hands on is the decoder's initial state, and its gradient goes back the same way."""
    encoder, decoder = (cls(V, D, H, seed=1, dtype="float64") for cls in classes)
    for p in encoder.params + decoder.params:
        p[...] = dev(0.5 * rng.standard_normal(p.shape))
    (xs, ts), dscores = map(dev, questions(rng)), dev(rng.standard_normal((N, T2, V)))
    handed = encoder.forward(xs).copy()
    expect("handed", handed, (N, T, H) if classes[0] is AttentionEncoder else (N, H), handed.dtype)

    def loss():
        return (decoder.forward(ts[:, 1:], handed) * dscores).sum()

    loss()
    dhanded = decoder.backward(dscores).copy()
    names = [f"decoder {k}" for k in range(len(decoder.params))]
    arrays = {"handed": handed} | dict(zip(names, decoder.params))
    assert_gradients(loss, arrays, {"handed": dhanded} | dict(zip(names, [g.copy() for g in decoder.grads])), rng)

    def of_encoder():
        return (encoder.forward(xs) * dhanded).sum()

    of_encoder()
    encoder.backward(dhanded)
    names = [f"encoder {k}" for k in range(len(encoder.params))]
    assert_gradients(
        of_encoder, dict(zip(names, encoder.params)), dict(zip(names, [g.copy() for g in encoder.grads])), rng
    )


def test_the_forward_of_the_equations(rng):
    """Of the plain one and of attention, from their weights."""
    xs, ts = questions(rng)
    for kind in ("plain", "attention"):
        model = build(kind, rng)
        E, Wx, Wh, b, E2, Wx2, Wh2, b2, W, bias = map(host, model.params)
        zero = np.zeros((N, H))
        enc, h, _ = reference.lstm(reference.embedding(xs, E), zero, zero, Wx, Wh, b)
        dec, _, _ = reference.lstm(reference.embedding(ts[:, :-1], E2), h, zero, Wx2, Wh2, b2)
        if kind == "attention":
            dec = np.concatenate([reference.attention(enc, dec)[0], dec], axis=2)
        want = reference.cross_entropy(reference.affine(dec, W, bias), ts[:, 1:])
        assert float(model.forward(xs, ts)) == pytest.approx(want, rel=1e-12)


@kinds
@ways
def test_a_question_is_what_it_is_alone(rng, kind, both):
    """Loss and gradient of padded questions are those of each by itself, whatever they are padded with."""
    model, (xs, ts) = build(kind, rng, both), questions(rng)
    loss = float(model.forward((xs, LENGTHS), ts))
    model.backward()
    grads = [host(g) for g in model.grads]
    alone, sums = 0.0, [0] * len(grads)
    for x, t, length in zip(xs, ts, LENGTHS):
        alone += float(model.forward(x[None, :length], t[None])) / N
        model.backward()
        sums = [a + host(g) / N for a, g in zip(sums, model.grads)]
    assert loss == pytest.approx(alone, rel=1e-10)
    for a, b in zip(grads, sums):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12)  # sums in another order
    filled = np.where(np.arange(T) < LENGTHS[:, None], xs, 9)
    assert float(model.forward((filled, LENGTHS), ts)) == loss
    np.testing.assert_array_equal(model.answers((xs, LENGTHS), 3, 5), model.answers((filled, LENGTHS), 3, 5))


def test_places_after_a_shorter_answer_do_not_count(rng):
    model, (xs, ts) = build("peeky", rng), questions(rng)
    ts[0, 3:] = -1
    loss = float(model.forward(xs, ts))
    want = [float(model.forward(xs[n : n + 1], ts[n : n + 1, : 3 if n == 0 else T2 + 1])) for n in range(N)]
    assert loss == pytest.approx((2 * want[0] + T2 * want[1] + T2 * want[2]) / (2 + 2 * T2), rel=1e-12)


# ---------------------------------------------------------------------- answering


def logprob(model, x, answer):
    """Of an answer (T',) to a question (T,), by the loss."""
    ts = np.array([[3, *answer]])
    return -float(model.forward(x[None], ts)) * len(answer)


@kinds
def test_greedy_answers_are_the_best_word_at_each_step(rng, kind):
    model, (xs, _) = build(kind, rng), questions(rng)
    said = model.answers(xs, 3, T2)
    for x, answer in zip(xs, said):
        for t in range(T2):
            best = max(range(V), key=lambda word: logprob(model, x, [*answer[:t], word]))
            assert answer[t] == best
    assert model.generate(xs[:1], 3, T2) == said[0].tolist()
    assert model.generate(xs[1], 3, T2) == said[1].tolist()


@kinds
def test_a_beam_as_wide_as_all_answers_finds_the_best(rng, kind):
    """Of two words: 11 beams keep all answers of one word, so the best of all pairs is found."""
    model, (xs, _) = build(kind, rng), questions(rng)
    said = model.answers(xs, 3, 2, beams=V)
    for x, answer in zip(xs, said):
        best = max(((a, b) for a in range(V) for b in range(V)), key=lambda pair: logprob(model, x, pair))
        assert tuple(answer) == best
    np.testing.assert_array_equal(model.answers((xs, LENGTHS), 3, T2, beams=1), model.answers((xs, LENGTHS), 3, T2))
    wide, narrow = (model.answers(xs, 3, T2, beams=k) for k in (5, 1))
    gained = [logprob(model, x, a) - logprob(model, x, b) for x, a, b in zip(xs, wide, narrow)]
    assert sum(gained) >= 0


@pytest.mark.parametrize("beams", [1, 3])
def test_an_answer_ends_with_its_last_word(rng, beams):
    model, (xs, _) = build("plain", rng), questions(rng)
    free = model.answers(xs, 3, 6, beams)
    stop = int(free[0, 1])
    said = model.answers(xs, 3, 6, beams, stop_id=stop)
    assert any(stop in row for row in said)
    for row in said:
        if stop in row:
            first = row.tolist().index(stop)
            assert (row[first:] == stop).all()


def test_many_questions_are_answered_block_by_block(rng, monkeypatch):
    from rnnlm.models import seq2seq

    model, xs = build("attention", rng), rng.integers(0, V, (9, T))
    lengths = rng.integers(1, T + 1, 9)
    whole = [model.answers((xs, lengths), 3, T2, beams) for beams in (1, 3)]
    monkeypatch.setattr(seq2seq, "TOGETHER", 4)
    for beams, want in zip((1, 3), whole):
        np.testing.assert_array_equal(model.answers((xs, lengths), 3, T2, beams), want)


# ---------------------------------------------------------------------- training


@pytest.mark.long
def test_it_learns_additions():
    """A few dozen of one figure, by heart: trained in epochs of another number of questions than the last batch has."""
    pairs = additions(60, seed=2)
    model = AttentionSeq2seq(len(pairs.characters), 8, 24, bidirectional=True, seed=1)
    trainer = Trainer(model, Adam(0.02))
    trainer.fit((pairs.questions, pairs.lengths), pairs.answers, 40, 16, 5.0, eval_interval=None, verbose=0)
    assert trainer.loss_list[-1] < 0.4 < 2 < trainer.loss_list[0]
    assert model.accuracy((pairs.questions, pairs.lengths), pairs.answers) > 0.8
    maps = model.attention_weights
    assert maps.shape[2] == pairs.questions.shape[1]
    np.testing.assert_allclose(maps.sum(axis=2), 1, rtol=1e-5)


def test_a_training_goes_on_where_it_was(rng):
    from rnnlm.data.samples import Samples
    from rnnlm.training.run import Run

    xs, ts = questions(rng)

    def run():
        return Run(KINDS["peeky"](V, D, H, seed=1), Adam(0.01), Samples(xs, ts, 2))

    one, other = run(), run()
    for _ in range(3):
        one.step()
    other.load_state_dict(one.state_dict())
    for _ in range(3):
        one.step()
        other.step()
    np.testing.assert_array_equal(host(one.model.flat_params), host(other.model.flat_params))


def test_weights_are_saved(rng, tmp_path):
    model, (xs, ts) = build("attention", rng, True, "float32"), questions(rng)
    model.save_params(tmp_path / "a.safetensors")
    again = AttentionSeq2seq(V, D, H, bidirectional=True)
    again.load_params(tmp_path / "a.safetensors")
    assert float(again.forward(xs, ts)) == float(model.forward(xs, ts))
    assert model.encoder.params[0] is model.params[0]  # the lists of the halves are of the arrays that are trained


# ---------------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    ("xs", "ts", "message"),
    [
        (np.full((2, 3), V), np.zeros((2, 3), int), f"xs must hold ids in [0, {V}), got {V}"),
        (np.zeros((2, 3), int), np.zeros((3, 3), int), "ts must have an answer for each of 2 questions"),
        (np.zeros((2, 3), int), np.zeros((2, 1), int), "ts must have an answer for each of 2 questions"),
        ((np.zeros((2, 3), int), [3, 4]), np.zeros((2, 3), int), "lengths must be 2 whole numbers in [1, 3]"),
        ((np.zeros((2, 3), int), [0, 3]), np.zeros((2, 3), int), "lengths must be 2 whole numbers in [1, 3]"),
        ((np.zeros((2, 3), int), [1, 2, 3]), np.zeros((2, 3), int), "lengths must be 2 whole numbers in [1, 3]"),
        ((np.zeros((2, 3), int), [1.0, 2.0]), np.zeros((2, 3), int), "lengths must be 2 whole numbers in [1, 3]"),
    ],
)
def test_what_does_not_fit_is_refused(xs, ts, message):
    with pytest.raises(InputError) as caught:
        Seq2seq(V, D, H).forward(xs, ts)
    assert message in str(caught.value)


def test_arguments_out_of_range_are_refused():
    model, xs = Seq2seq(V, D, H), np.zeros((2, 3), int)
    for arguments, message in [
        ((V, 4), "start_id"),
        ((0, 0), "sample_size"),
        ((0, 4, 0), "beams"),
        ((0, 4, 1, V), "stop_id"),
    ]:
        with pytest.raises(InputError, match=message):
            model.answers(xs, *arguments)
    with pytest.raises(InputError, match=r"generate answers one question, got \(2, 3\): answers takes many"):
        model.generate(xs, 0, 4)
    with pytest.raises(InputError, match="hidden_size of a bidirectional encoder must be even, got 5"):
        Seq2seq(V, D, 5, bidirectional=True)
    with pytest.raises(InputError, match="begin with one word"):
        model.accuracy(xs, [[1, 2], [2, 2]])
    with pytest.raises(InputError, match=r"needs a question to answer: begin\(question\) first"):
        Decoder(V, D, H).go_on(dev([[1]]))


@kinds
def test_a_copy_is_whole_and_its_own(rng, kind):
    model, (xs, ts) = build(kind, rng, True), questions(rng)
    float(model.forward(xs, ts))
    twin = copy.deepcopy(model)
    assert twin.encoder is twin.layers["seq2seq"].encoder is not model.encoder
    assert float(twin.forward(xs, ts)) == float(model.forward(xs, ts))
    twin.flat_params[...] *= 2
    assert float(twin.forward(xs, ts)) != float(model.forward(xs, ts))
    assert twin.encoder.params[0] is twin.params[0] is twin.stack.params[0]
