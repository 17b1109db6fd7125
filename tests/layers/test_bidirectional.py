import numpy as np
import pytest

from rnnlm.errors import InputError
from rnnlm.layers import TimeBiGRU, TimeBiLSTM, TimeBiRNN
from tests.gradcheck import assert_gradients, dev, host

KINDS = {
    "rnn": (TimeBiRNN, 1, {}),
    "lstm": (TimeBiLSTM, 4, {}),
    "gru": (TimeBiGRU, 3, {}),
    "gru-after": (TimeBiGRU, 3, {"reset_after": True}),
}
N, T, D, H = 3, 5, 4, 6
kinds = pytest.mark.parametrize("kind", KINDS)


def build(rng, kind, **options):
    cls, g, own = KINDS[kind]
    bias = (2, g * H) if own else (g * H,)
    weights = [dev(0.5 * rng.standard_normal(shape)) for shape in ((D, g * H), (H, g * H), bias) * 2]
    return cls(*weights, **own, **options), dev(rng.standard_normal((N, T, D)))


@kinds
def test_forward_is_the_two_directions(rng, kind):
    layer, xs = build(rng, kind)
    ys = host(layer.forward(xs))
    assert ys.shape == (N, T, 2 * H)
    np.testing.assert_array_equal(ys[:, :, :H], host(layer.ahead.forward(xs)))
    np.testing.assert_array_equal(ys[:, :, H:], host(layer.back.forward(xs[:, ::-1]))[:, ::-1])


@kinds
@pytest.mark.parametrize("options", [{}, {"return_sequences": False}, {"weight_drop": 0.4}], ids=str)
def test_backward_is_the_derivative(rng, kind, options):
    layer, xs = build(rng, kind, **options)
    dys = dev(rng.standard_normal(layer.forward(xs).shape))

    def loss():
        layer.ahead.mask.step = layer.back.mask.step = 0
        return (layer.forward(xs) * dys).sum()

    loss()
    grads = {"xs": layer.backward(dys).copy()} | {n: g.copy() for n, g in zip(layer.names, layer.grads)}
    assert_gradients(loss, {"xs": xs} | dict(zip(layer.names, layer.params)), grads, rng)


@kinds
def test_the_states_in_which_the_two_end(rng, kind):
    layer, xs = build(rng, kind)
    whole = host(layer.forward(xs))
    short, _ = build(np.random.default_rng(0), kind, return_sequences=False)
    for mine, its in zip(short.params, layer.params):
        mine[...] = its
    ys = host(short.forward(xs))
    np.testing.assert_array_equal(ys[:, :H], whole[:, -1, :H])
    np.testing.assert_array_equal(ys[:, H:], whole[:, 0, H:])


def test_a_state_is_carried_if_asked_for(rng):
    layer, xs = build(rng, "lstm", stateful=True)
    assert (layer.stateful, build(rng, "lstm")[0].stateful) == (True, False)
    first = host(layer.forward(xs))
    assert not np.array_equal(host(layer.forward(xs)), first)
    kept = layer.get_state()
    second = host(layer.forward(xs))
    layer.set_state(*kept)
    np.testing.assert_array_equal(host(layer.forward(xs)), second)
    layer.reset_state()
    assert layer.get_state() is None
    np.testing.assert_array_equal(host(layer.forward(xs)), first)
    before = [host(a) for a in layer.get_state()]
    with pytest.raises(InputError, match="a state of TimeLSTM is h, c, got 3 arrays"):
        layer.set_state(*kept, kept[0])
    with pytest.raises(InputError, match=r"c must have shape \(3, 6\), got \(2, 6\)"):
        layer.set_state(*kept[:3], kept[3][:2])
    for wrong in range(4):  # either of either direction
        with pytest.raises(InputError, match=r"must have shape \(., 6\), got \(., 6\)"):
            layer.check_state(*(a[:2] if i == wrong else a for i, a in enumerate(kept)))
    for array, its in zip(layer.get_state(), before):  # of neither direction
        np.testing.assert_array_equal(host(array), its)


def test_bad_input_is_refused(rng):
    layer, xs = build(rng, "lstm")
    with pytest.raises(InputError, match=r"xs must have shape \(N, T, 4\)"):
        layer.forward(xs[:, :, 1:])
    layer.forward(xs)
    with pytest.raises(InputError, match=r"dhs must have shape \(3, 5, 12\)"):
        layer.backward(xs)
    weights = [*layer.params[:3], *build(rng, "gru")[0].params[3:]]
    with pytest.raises(InputError, match="must have shape"):
        TimeBiLSTM(*weights)


@kinds
def test_two_layers_that_draw_their_weights_and_say_what_they_take(rng, kind):
    cls, g, own = KINDS[kind]
    layer = cls.of_size(D, H, "float64", return_sequences=False, **own)
    assert (layer.takes, layer.output_shape(("N", "T", D)), layer.return_sequences) == (D, ("N", 2 * H), False)
    assert cls.of_size(D, H, **own).output_shape(("N", "T", D)) == ("N", "T", 2 * H)
    assert list(layer.parts()) == ["ahead", "back"]
    assert all(p.dtype == np.float64 for p in layer.params)
    for number, part in enumerate(layer.parts().values()):
        assert part.params[0].shape == (D, g * H)
        before = host(part.params[0])
        assert np.abs(before).max() > 0
        part.draw(3, number)
        assert not np.array_equal(host(part.params[0]), before)
    assert not np.array_equal(host(layer.ahead.params[0]), host(layer.back.params[0]))


def test_a_carried_state_is_of_one_batch_size(rng):
    layer, xs = build(rng, "gru", stateful=True)
    layer.check_batch(2)
    layer.forward(xs)
    layer.check_batch(N)
    with pytest.raises(InputError, match=r"h, the carried state, must be \(2, 6\), got \(3, 6\): reset_state"):
        layer.check_batch(2)
    layer.ahead.reset_state()
    with pytest.raises(InputError, match="the carried state"):
        layer.check_batch(2)
