import numpy as np
import pytest

from rnnlm.errors import InputError
from rnnlm.layers import Attention, AttentionWeight, TimeAttention, TimeBiLSTM, WeightSum
from rnnlm.layers.lengths import add_to_ends, ends, turned, without_pads
from tests import reference
from tests.gradcheck import assert_gradients, dev, host

N, T, T2, H = 3, 5, 4, 6
LENGTHS = np.array([5, 1, 3])


def made(rng, *shapes):
    return [dev(rng.standard_normal(shape)) for shape in shapes]


def check(layer, inputs, rng, *more):
    """All inputs, by a random direction of the outputs."""
    names = [f"input{k}" for k in range(len(inputs))]
    dys = dev(rng.standard_normal(layer.forward(*inputs, *more).shape))

    def loss():
        return (layer.forward(*inputs, *more) * dys).sum()

    loss()
    grads = dict(zip(names, [g.copy() for g in layer.backward(dys)]))
    assert_gradients(loss, dict(zip(names, inputs)), grads, rng)


def test_a_weighed_sum_is_the_derivative(rng):
    check(WeightSum(), made(rng, (N, T, H), (N, T)), rng)


def test_weights_are_the_derivative(rng):
    layer, inputs = AttentionWeight(), made(rng, (N, T, H), (N, H))
    a = host(layer.forward(*inputs))
    np.testing.assert_allclose(a.sum(axis=1), 1, rtol=1e-12)
    check(layer, inputs, rng)


def test_attention_is_the_derivative(rng):
    layer, inputs = Attention(), made(rng, (N, T, H), (N, H))
    check(layer, inputs, rng)
    assert layer.attention_weight.shape == (N, T)


@pytest.mark.parametrize("lengths", [None, LENGTHS], ids=["full", "lengths"])
def test_attention_over_time(rng, lengths):
    layer, (enc, dec) = TimeAttention(), made(rng, (N, T, H), (N, T2, H))
    more = [] if lengths is None else [dev(lengths)]
    want, weights = reference.attention(host(enc), host(dec), lengths)
    np.testing.assert_allclose(host(layer.forward(enc, dec, *more)), want, rtol=1e-12)
    np.testing.assert_allclose(layer.attention_weights, weights.swapaxes(0, 1), rtol=1e-12)
    check(layer, [enc, dec], rng, *more)


def test_attention_over_time_is_that_of_single_steps(rng):
    """Forward and back, as the book has it: a layer for each step of the decoder."""
    enc, dec, dys = made(rng, (N, T, H), (N, T2, H), (N, T2, H))
    layer, steps = TimeAttention(), [Attention() for _ in range(T2)]
    cs = [step.forward(enc, dec[:, t]) for t, step in enumerate(steps)]
    np.testing.assert_allclose(host(layer.forward(enc, dec)), np.stack([host(c) for c in cs], axis=1), rtol=1e-12)
    denc, ddec = layer.backward(dys)
    grads = [step.backward(dys[:, t]) for t, step in enumerate(steps)]
    np.testing.assert_allclose(host(denc), sum(host(g) for g, _ in grads), rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(host(ddec), np.stack([host(g) for _, g in grads], axis=1), rtol=1e-10, atol=1e-12)


def test_large_scores_do_not_overflow(rng):
    layer, (enc, dec) = TimeAttention(), made(rng, (N, T, H), (N, T2, H))
    assert np.isfinite(host(layer.forward(enc * 1e4, dec, dev(LENGTHS)))).all()


def test_what_does_not_fit_is_refused(rng):
    layer, (enc, dec, other) = TimeAttention(), made(rng, (N, T, H), (N, T2, H), (N, T2, H + 1))
    with pytest.raises(InputError, match=r"hs_dec must have shape \(3, T, 6\), got \(3, 4, 7\)"):
        layer.forward(enc, other)
    with pytest.raises(InputError, match=r"lengths must have shape \(3,\), got \(2,\)"):
        layer.forward(enc, dec, dev(LENGTHS[:2]))
    for one in (WeightSum(), AttentionWeight(), TimeAttention()):
        with pytest.raises(InputError, match=r"must have shape \(N, T, H\), got \(3, 6\)"):
            one.forward(enc[:, 0], dec[:, 0])
    h, a = enc[:, 0].copy(), enc[:, :, 0].copy()
    for one, inputs, shape in (
        (WeightSum(), (enc, a), "3, 6"),
        (AttentionWeight(), (enc, h), "3, 5"),
        (TimeAttention(), (enc, dec), "3, 4, 6"),
    ):
        one.forward(*inputs)
        with pytest.raises(InputError, match=rf"must have shape \({shape}\), got \(3, 5, 6\)"):
            one.backward(enc)
    for one, inputs, message in (
        (WeightSum(), (enc, a[:, 1:]), r"a must have shape \(3, 5\), got \(3, 4\)"),
        (AttentionWeight(), (enc, h[:, 1:]), r"h must have shape \(3, 6\), got \(3, 5\)"),
    ):
        with pytest.raises(InputError, match=message):
            one.forward(*inputs)
    with pytest.raises(InputError, match="run forward first"):
        TimeAttention().attention_weights  # noqa: B018
    with pytest.raises(InputError, match="needs a forward of its own first"):
        layer.backward(dec)


# ---------------------------------------------------------------------- rows of different lengths


def test_rows_are_turned_round_within_their_lengths():
    xs = dev(np.arange(2 * 4).reshape(2, 4, 1) * 1.0)
    np.testing.assert_array_equal(host(turned(xs, dev([3, 1])))[:, :, 0], [[2, 1, 0, 3], [4, 5, 6, 7]])
    np.testing.assert_array_equal(host(turned(xs, None))[:, :, 0], [[3, 2, 1, 0], [7, 6, 5, 4]])
    np.testing.assert_array_equal(host(ends(xs, dev([3, 1])))[:, 0], [2, 4])
    add_to_ends(xs, dev([[10.0], [20.0]]), dev([3, 1]))
    np.testing.assert_array_equal(host(xs)[:, :, 0], [[0, 1, 12, 3], [24, 5, 6, 7]])


def test_pads_in_front_and_behind_are_shifted_away_and_those_between_words_stay():
    ids = [[0, 0, 3, 4], [1, 0, 2, 0], [5, 6, 7, 8], [0, 0, 0, 0], [0, 0, 0, 9], [9, 0, 0, 0]]
    shifted, lengths = without_pads(dev(ids))
    want = [[3, 4, 0, 0], [1, 0, 2, 0], [5, 6, 7, 8], [0, 0, 0, 0], [9, 0, 0, 0], [9, 0, 0, 0]]
    assert host(shifted).tolist() == want
    assert host(lengths).tolist() == [2, 3, 4, 0, 1, 1]
    with pytest.raises(InputError, match=r"ids must have shape \(N, T\), got \(4,\)"):
        without_pads(dev(ids[0]))


def test_a_row_read_both_ways_is_what_it_is_alone(rng):
    """Whatever stands after the end of a row."""
    D, lengths = 3, [4, 1, 2]
    weights = made(rng, *((D, 4 * H), (H, 4 * H), (4 * H,)) * 2)
    layer, (xs, dys) = TimeBiLSTM(*weights), made(rng, (3, 4, D), (3, 4, 2 * H))
    for n, length in enumerate(lengths):
        dys[n, length:] = 0
    ys = host(layer.forward(xs, dev(lengths)))
    dxs = host(layer.backward(dys))
    together, alone = [host(g) for g in layer.grads], [0] * len(layer.grads)
    for n, length in enumerate(lengths):
        row = xs[n : n + 1, :length]
        np.testing.assert_allclose(host(layer.forward(row))[0], ys[n, :length], rtol=1e-12)
        np.testing.assert_allclose(
            host(layer.backward(dys[n : n + 1, :length]))[0], dxs[n, :length], rtol=1e-10, atol=1e-12
        )
        alone = [a + host(g) for a, g in zip(alone, layer.grads)]
    for a, b in zip(together, alone):
        np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-12)


def test_the_states_in_which_both_end_are_those_of_each_row(rng):
    weights = made(rng, *((3, 4 * H), (H, 4 * H), (4 * H,)) * 2)
    xs, last = made(rng, (3, 4, 3))[0], TimeBiLSTM(*weights, return_sequences=False)
    ys = host(last.forward(xs, dev([1, 2, 4])))
    for n, length in enumerate((1, 2, 4)):
        np.testing.assert_allclose(ys[n], host(last.forward(xs[n : n + 1, :length]))[0], rtol=1e-12)
