"""RNN, LSTM and both GRUs, as windows and as single steps: one list of demands for all."""

import numpy as np
import pytest

from rnnlm.backend import xp
from rnnlm.errors import InputError
from rnnlm.layers import GRU, LSTM, RNN, TimeGRU, TimeRNN
from rnnlm.layers.named import CELLS
from tests import reference
from tests.gradcheck import assert_gradients, dev, host

KINDS = {name: (cell.layer, cell.gates, getattr(reference, name), {}) for name, cell in CELLS.items()}
KINDS["gru-after"] = (TimeGRU, 3, reference.gru_after, {"reset_after": True})
STEPS = {"rnn": RNN, "lstm": LSTM, "gru": GRU, "gru-after": GRU}
SIZES = [(3, 5, 4, 6), (1, 1, 1, 1), (1, 9, 2, 3), (7, 1, 3, 2)]
kinds = pytest.mark.parametrize("kind", KINDS)
steps = pytest.mark.parametrize("kind", STEPS)


def build(rng, kind, N=3, T=5, D=4, H=6, dtype=np.float64, **options):
    """A stateful layer, inputs, and a state: h, or h and c."""
    cls, gates, _, own = KINDS[kind]

    def draw(*shape):
        return dev(0.5 * rng.standard_normal(shape), dtype)

    b = draw(2, gates * H) if own else draw(gates * H)
    layer = cls(draw(D, gates * H), draw(H, gates * H), b, **{"stateful": True, **own, **options})
    return layer, draw(N, T, D), [draw(N, H) for _ in layer.states]


def run(layer, xs, state):
    for mask in layer.masks:
        mask.step = 0
    layer.set_state(*state)
    return layer.forward(xs)


def check_gradients(layer, xs, state, rng, of_last=()):
    """`of_last`: names of the states whose last value is used beside the hidden states, as a decoder does."""
    dys = dev(rng.standard_normal(run(layer, xs, state).shape))
    dlast = [dev(rng.standard_normal(a.shape)) if name in of_last else None for name, a in zip(layer.states, state)]

    def loss():
        total = (run(layer, xs, state) * dys).sum()
        return total + sum((getattr(layer, n) * d).sum() for n, d in zip(layer.states, dlast) if d is not None)

    loss()
    dxs = layer.backward(dys, *dlast).copy()
    names = [f"{name}0" for name in layer.states]
    grads = {"xs": dxs} | {n: getattr(layer, f"d{s}").copy() for n, s in zip(names, layer.states)}
    grads |= {n: g.copy() for n, g in zip(layer.names, layer.grads)}
    assert_gradients(loss, {"xs": xs} | dict(zip(names, state)) | dict(zip(layer.names, layer.params)), grads, rng)


@kinds
@pytest.mark.parametrize("sizes", SIZES)
def test_forward_is_the_equations(rng, kind, sizes):
    layer, xs, state = build(rng, kind, *sizes)
    want, *last = KINDS[kind][2](host(xs), *map(host, state), *map(host, layer.params))
    np.testing.assert_allclose(host(run(layer, xs, state)), want, rtol=1e-12, atol=1e-15)
    for name, value in zip(layer.states, last):
        np.testing.assert_allclose(host(getattr(layer, name)), value, rtol=1e-12, atol=1e-15)


@kinds
@pytest.mark.parametrize("sizes", SIZES)
def test_backward_is_the_derivative(rng, kind, sizes):
    check_gradients(*build(rng, kind, *sizes), rng)


@kinds
@pytest.mark.parametrize("of_last", ["h", "c", "hc"])
def test_the_last_state_may_have_a_gradient_of_its_own(rng, kind, of_last):
    check_gradients(*build(rng, kind), rng, of_last)


def test_a_gradient_of_the_last_state_of_another_shape_is_refused(rng):
    layer, xs, state = build(rng, "lstm")
    ys = run(layer, xs, state)
    with pytest.raises(InputError, match=r"dc of the last step must have shape \(3, 6\), got \(3, 5\)"):
        layer.backward(ys.copy(), None, xp.zeros((3, 5)))
    layer.backward(ys.copy(), None, xp.zeros((3, 6)))  # the forward is still there


@kinds
@pytest.mark.parametrize(
    "options",
    [
        {"weight_drop": 0.5},
        {"return_sequences": False},
        {"recurrent_dropout": 0.4},
        {"weight_drop": 0.3, "recurrent_dropout": 0.4},
    ],
    ids=str,
)
def test_backward_is_the_derivative_with_options(rng, kind, options):
    check_gradients(*build(rng, kind, **options), rng)


@kinds
def test_the_last_state_alone(rng, kind):
    layer, xs, state = build(rng, kind)
    whole = host(run(layer, xs, state))
    layer.return_sequences = False
    np.testing.assert_array_equal(host(run(layer, xs, state)), whole[:, -1])


@kinds
def test_dropped_weights_are_those_of_the_mask(rng, kind):
    """One mask a window on Wh, none when evaluating, and Wh itself as it was."""
    layer, xs, state = build(rng, kind, weight_drop=0.5)
    layer.mask.seed(1, 0)
    Wh = host(layer.params[1])
    dropped = host(run(layer, xs, state))
    layer.mask.step = 0
    mask = host(layer.mask.draw(Wh.shape, np.float64))
    assert 0 < (mask == 0).mean() < 1
    assert set(np.unique(mask)) <= {0, 2}
    np.testing.assert_array_equal(host(layer.params[1]), Wh)
    weights = [host(p) for p in layer.params]
    weights[1] = Wh * mask
    np.testing.assert_allclose(
        dropped, KINDS[kind][2](host(xs), *map(host, state), *weights)[0], rtol=1e-12, atol=1e-15
    )
    assert not np.array_equal(host(layer.forward(xs)), dropped)
    layer.train_flg = False
    want = KINDS[kind][2](host(xs), *map(host, state), *map(host, layer.params))[0]
    np.testing.assert_allclose(host(run(layer, xs, state)), want, rtol=1e-12)


@kinds
def test_a_dropped_state_has_one_mask_for_all_time_steps(rng, kind):
    """What goes into the products with Wh is h_{t-1} m: the equations with Wh's rows taken out, if all N share a mask."""
    layer, xs, state = build(rng, kind, recurrent_dropout=0.5, N=1)
    layer.state_mask.seed(1, 0)
    dropped = host(run(layer, xs, state))
    layer.state_mask.step = 0
    mask = host(layer.state_mask.draw((1, 6), np.float64))
    assert set(np.unique(mask)) == {0, 2}
    weights = [host(p) for p in layer.params]
    weights[1] = weights[1] * mask.T
    want = KINDS[kind][2](host(xs), *map(host, state), *weights)[0]
    np.testing.assert_allclose(dropped, want, rtol=1e-12, atol=1e-15)
    layer.train_flg = False
    want = KINDS[kind][2](host(xs), *map(host, state), *map(host, layer.params))[0]
    np.testing.assert_allclose(host(run(layer, xs, state)), want, rtol=1e-12)


def test_an_rnn_of_rectified_linear_units(rng):
    layer, xs, (h,) = build(rng, "rnn", activation="relu")
    H, want = host(h), []
    Wx, Wh, b = map(host, layer.params)
    for t in range(xs.shape[1]):
        H = np.maximum(0, H @ Wh + host(xs)[:, t] @ Wx + b)
        want.append(H)
    np.testing.assert_allclose(host(run(layer, xs, [h])), np.stack(want, axis=1), rtol=1e-12)
    check_gradients(layer, xs, [h], rng)
    with pytest.raises(InputError, match="activation must be one of tanh, relu, got 'sigmoid'"):
        build(rng, "rnn", activation="sigmoid")


@kinds
def test_time_major_memory_and_any_order_of_gradients(rng, kind):
    layer, xs, state = build(rng, kind)
    check_gradients(layer, xs.swapaxes(0, 1).copy().swapaxes(0, 1), state, rng)
    dys = dev(rng.standard_normal((3, 5, 6)))
    run(layer, xs, state)
    want = host(layer.backward(dys))
    run(layer, xs, state)
    np.testing.assert_array_equal(host(layer.backward(dys[:, :, ::-1].copy()[:, :, ::-1])), want)


@steps
def test_one_step_is_a_window_of_one(rng, kind):
    layer, xs, state = build(rng, kind, T=1)
    step = STEPS[kind](*layer.params, **KINDS[kind][3])
    out = step.forward(xs[:, 0], *state)
    out = out if isinstance(out, tuple) else (out,)
    np.testing.assert_allclose(host(out[0]), host(run(layer, xs, state))[:, 0], rtol=1e-14)
    for value, name in zip(out, layer.states):
        np.testing.assert_allclose(host(value), host(getattr(layer, name)), rtol=1e-14)
    dys = [dev(rng.standard_normal(out[0].shape)), *(xp.zeros_like(c) for c in out[1:])]
    dx, *dstate = step.backward(*dys)
    np.testing.assert_allclose(host(dx), host(layer.backward(dys[0][:, None]))[:, 0], rtol=1e-12)
    for value, name in zip(dstate, layer.states):
        np.testing.assert_allclose(host(value), host(getattr(layer, f"d{name}")), rtol=1e-12)
    for mine, its in zip(step.grads, layer.grads):
        np.testing.assert_allclose(host(mine), host(its), rtol=1e-12)


@steps
def test_single_steps_may_be_chained_on_one_layer(rng, kind):
    """What a step gives out is the caller's: the next step on the same layer leaves it as it was."""
    layer, xs, state = build(rng, kind)
    step = STEPS[kind](*layer.params, **KINDS[kind][3])
    given, seen = tuple(state), []
    for t in range(3):
        out = step.forward(xs[:, t], *given)
        given = out if isinstance(out, tuple) else (out,)
        back = step.backward(*(dev(rng.standard_normal((3, 6))) for _ in state))
        seen += [(array, host(array)) for array in (*given, *back)]
    np.testing.assert_allclose(host(given[0]), host(run(layer, xs[:, :3], state))[:, -1], rtol=1e-12)
    for array, before in seen:
        np.testing.assert_array_equal(host(array), before)


@steps
def test_one_step_takes_arrays_with_gaps_in_memory(rng, kind):
    layer, xs, state = build(rng, kind, T=1)
    step, dys = STEPS[kind](*layer.params, **KINDS[kind][3]), [dev(rng.standard_normal((3, 6))) for _ in state]
    results = []
    for view in (lambda a: a, lambda a: a.T.copy().T, lambda a: xp.concatenate([a, a], axis=1)[:, : a.shape[1]]):
        out = step.forward(view(xs[:, 0]), *(view(s) for s in state))
        back = step.backward(*(view(dy) for dy in dys))
        results.append([host(a) for a in (*(out if isinstance(out, tuple) else (out,)), *back, *step.grads)])
    for other in results[1:]:
        for one, want in zip(other, results[0]):
            np.testing.assert_allclose(one, want, rtol=1e-12, atol=1e-14)


@steps
def test_one_step_is_the_derivative(rng, kind):
    layer, xs, state = build(rng, kind, T=1)
    step, x = STEPS[kind](*layer.params, **KINDS[kind][3]), xs[:, 0].copy()
    dys = [dev(rng.standard_normal((3, 6))) for _ in state]

    def loss():
        out = step.forward(x, *state)
        return sum((y * dy).sum() for y, dy in zip(out if isinstance(out, tuple) else (out,), dys))

    loss()
    dx, *dstate = step.backward(*dys)
    names = [f"{name}_prev" for name in layer.states]
    grads = {"x": dx} | {n: d.copy() for n, d in zip(names, dstate)}
    grads |= {n: g.copy() for n, g in zip(step.names, step.grads)}
    assert_gradients(loss, {"x": x} | dict(zip(names, state)) | dict(zip(step.names, step.params)), grads, rng)


@kinds
@pytest.mark.parametrize("cut", [3, 4])
def test_two_windows_are_one(rng, kind, cut):
    """Of different lengths and of one length, which share a buffer."""
    layer, xs, state = build(rng, kind, T=8)
    whole = host(run(layer, xs, state))
    halves = [host(run(layer, xs[:, :cut], state)), host(layer.forward(xs[:, cut:]))]
    np.testing.assert_allclose(np.concatenate(halves, axis=1), whole, rtol=1e-12)


@kinds
def test_windows_of_changing_lengths(rng, kind):
    layer, xs, state = build(rng, kind, T=20)
    whole = host(run(layer, xs, state))
    layer.set_state(*state)
    parts = [host(layer.forward(xs[:, a:b])) for a, b in ((0, 7), (7, 9), (9, 10), (10, 18), (18, 20))]
    np.testing.assert_allclose(np.concatenate(parts, axis=1), whole, rtol=1e-12)


@kinds
def test_the_gradient_stops_at_the_windows_edge(rng, kind):
    """The second window's gradients are those of a first window that begins with the carried state."""
    layer, xs, state = build(rng, kind, T=8)
    dys = dev(rng.standard_normal((3, 4, 6)))
    run(layer, xs[:, :4], state)
    layer.backward(dys)
    carried = layer.get_state()
    layer.forward(xs[:, 4:])
    layer.backward(dys)
    second = [host(g) for g in [*layer.grads, layer.dh]]
    run(layer, xs[:, 4:], carried)
    layer.backward(dys)
    for a, b in zip(second, [*layer.grads, layer.dh]):
        np.testing.assert_array_equal(a, host(b))


@kinds
def test_zeros_where_no_state_is(rng, kind):
    layer, xs, state = build(rng, kind)
    zeros = [np.zeros((3, 6)) for _ in state]
    want = KINDS[kind][2](host(xs), *zeros, *map(host, layer.params))[0]
    run(layer, xs, state)
    layer.reset_state()
    assert layer.get_state() is None
    np.testing.assert_allclose(host(layer.forward(xs)), want, rtol=1e-12)
    layer.stateful = False
    np.testing.assert_allclose(host(layer.forward(xs)), want, rtol=1e-12)
    np.testing.assert_allclose(host(layer.forward(xs)), want, rtol=1e-12)


def test_an_lstm_may_be_given_h_alone(rng):
    layer, xs, (h, _) = build(rng, "lstm")
    want = reference.lstm(host(xs), host(h), np.zeros((3, 6)), *map(host, layer.params))[0]
    np.testing.assert_allclose(host(run(layer, xs, [h])), want, rtol=1e-12)
    layer.set_state(h)
    assert [host(a).tolist() for a in layer.get_state()] == [host(h).tolist(), np.zeros((3, 6)).tolist()]
    layer.set_state(None, h)
    assert [host(a).tolist() for a in layer.get_state()] == [np.zeros((3, 6)).tolist(), host(h).tolist()]


@kinds
def test_inputs_and_weights_are_left_untouched(rng, kind):
    layer, xs, state = build(rng, kind)
    dys = dev(rng.standard_normal((3, 5, 6)))
    arrays = [xs, dys, *state, *layer.params]
    before = [host(a) for a in arrays]
    run(layer, xs, state)
    layer.backward(dys)
    for a, b in zip(arrays, before):
        np.testing.assert_array_equal(host(a), b)


@kinds
def test_gradients_are_overwritten_in_place(rng, kind):
    layer, xs, state = build(rng, kind)
    dys = dev(rng.standard_normal((3, 5, 6)))
    arrays = list(layer.grads)
    for again in range(2):
        run(layer, xs, state)
        layer.backward(dys)
        if not again:
            first = [host(g) for g in layer.grads]
    for array, grad, want in zip(arrays, layer.grads, first):
        assert grad is array
        np.testing.assert_array_equal(host(grad), want)


@kinds
def test_one_backward_for_one_forward(rng, kind):
    layer, xs, state = build(rng, kind)
    dys = dev(np.ones((3, 5, 6)))
    with pytest.raises(InputError, match="backward needs a forward"):
        layer.backward(dys)
    run(layer, xs, state)
    with pytest.raises(InputError, match="dhs must have shape"):
        layer.backward(xs)
    layer.backward(dys)
    with pytest.raises(InputError, match="backward needs a forward"):
        layer.backward(dys)


@kinds
def test_float32_stays_float32(rng, kind):
    layer, xs, state = build(rng, kind, dtype=np.float32, weight_drop=0.5)
    ys = run(layer, xs, state)
    dxs = layer.backward(ys.copy())
    assert {a.dtype for a in (ys, dxs, *layer.get_state(), layer.dh, *layer.grads)} == {np.dtype(np.float32)}


@kinds
def test_state_is_copied_in_and_out(rng, kind):
    layer, xs, state = build(rng, kind)
    layer.set_state(*state)
    state[0] += 1
    kept = layer.get_state()
    assert not np.allclose(host(kept[0]), host(state[0]))
    layer.forward(xs)
    layer.forward(xs)
    first = [host(s) for s in layer.get_state()]
    layer.forward(xs)
    layer.set_state(*kept)
    layer.forward(xs)
    layer.forward(xs)
    for a, b in zip(first, layer.get_state()):
        np.testing.assert_array_equal(a, host(b))


@kinds
def test_large_numbers_do_not_overflow(rng, kind):
    layer, xs, state = build(rng, kind, dtype=np.float32)
    xs *= 1e4
    assert np.isfinite(host(run(layer, xs, state))).all()
    assert np.isfinite(host(layer.backward(xp.ones((3, 5, 6), np.float32)))).all()


BAD_CALLS = {
    r"xs must have shape \(N, T, 4\), got \(3, 5, 5\)": lambda layer: layer.forward(dev(np.ones((3, 5, 5)))),
    r"xs must have shape \(N, T, 4\), got \(3, 0, 4\)": lambda layer: layer.forward(dev(np.ones((3, 0, 4)))),
    "xs must have the layer's dtype float64": lambda layer: layer.forward(dev(np.ones((3, 5, 4), np.float32))),
    "xs must be an array of": lambda layer: layer.forward([[[1.0] * 4]]),
    r"h must have shape \(N, 6\), got \(3, 5\)": lambda layer: layer.set_state(dev(np.ones((3, 5)))),
    r"h, the carried state, must be \(3, 6\), got \(2, 6\): reset_state\(\) first": lambda layer: (
        layer.set_state(dev(np.ones((2, 6)))),
        layer.forward(dev(np.ones((3, 5, 4)))),
    ),
}


@kinds
@pytest.mark.parametrize("message", BAD_CALLS)
def test_bad_input_is_refused(rng, kind, message):
    layer, _, _ = build(rng, kind)
    with pytest.raises(InputError, match=message):
        BAD_CALLS[message](layer)


@kinds
def test_a_layer_is_not_stateful_unless_that_is_asked_for(rng, kind):
    cls, _, _, own = KINDS[kind]
    given, xs, _ = build(rng, kind)
    layer = cls(*given.params, **own)
    assert [getattr(layer, f"d{name}") for name in layer.states] == [None] * len(layer.states)
    assert layer.takes == 4
    assert layer.output_shape(("N", "T", 4)) == ("N", "T", 6)
    layer.return_sequences = False
    assert layer.output_shape(("N", "T", 4)) == ("N", 6)
    first = host(layer.forward(xs))
    np.testing.assert_array_equal(host(layer.forward(xs)), first)
    assert layer.get_state() is None


def test_lengths_are_for_layers_that_begin_with_zeros(rng):
    layer, xs, _ = build(rng, "gru")
    with pytest.raises(InputError, match="a stateful one would go on from a pad"):
        layer.forward(xs, dev([1, 2, 3]))


@kinds
def test_weights_that_a_layer_draws_are_as_keras_draws_them(kind):
    cls, gates, _, own = KINDS[kind]
    layer = cls.of_size(4, 6, "float64", **own)
    layer.draw(3, 1)
    Wx, Wh, b = map(host, layer.params)
    bound = np.sqrt(6 / (4 + gates * 6))
    assert 0.8 * bound < np.abs(Wx).max() < bound
    for k in range(gates):
        block = Wh[:, 6 * k : 6 * k + 6]
        np.testing.assert_allclose(block.T @ block, np.eye(6), atol=1e-12)
    assert b.shape == ((2, gates * 6) if own else (gates * 6,))
    assert b[..., :6].min() == b[..., :6].max() == (kind == "lstm")  # its forget gate
    assert (b[..., 6:] == 0).all()
    for seed, number, same in ((3, 1, True), (4, 1, False), (3, 2, False)):
        layer.draw(seed, number)
        assert np.array_equal(host(layer.params[0]), Wx) == same
    assert not layer.stateful
    given = build(np.random.default_rng(0), kind)[0]
    before = host(given.params[0])
    given.draw(3, 1)
    np.testing.assert_array_equal(host(given.params[0]), before)


@kinds
def test_states_that_do_not_fit_are_refused(rng, kind):
    layer, _, (h, *_) = build(rng, kind)
    with pytest.raises(InputError, match=f"a state of {type(layer).__name__} is h.*, got 3 arrays"):
        layer.check_state(h, h, h)
    if kind == "lstm":
        with pytest.raises(InputError, match=r"c must have shape \(3, 6\), got \(2, 6\)"):
            layer.set_state(h, h[:2])
    layer.stateful = False
    with pytest.raises(InputError, match=rf"a stateful layer: {type(layer).__name__}\(..., stateful=True\)"):
        layer.set_state(h)


@steps
def test_one_step_refuses_bad_input(rng, kind):
    layer, xs, state = build(rng, kind)
    step = STEPS[kind](*layer.params, **KINDS[kind][3])
    with pytest.raises(InputError, match=r"x must have shape \(N, 4\), got \(3, 5, 4\)"):
        step.forward(xs, *state)
    with pytest.raises(InputError, match=r"h_prev must have shape \(3, 6\), got \(2, 6\)"):
        step.forward(xs[:, 0], state[0][:2], *state[1:])
    step.forward(xs[:, 0], *state)
    with pytest.raises(InputError, match="dh_next must have shape"):
        step.backward(xs[:, 0], *state[1:])


@steps
@pytest.mark.parametrize("wrong", range(3))
def test_weights_that_do_not_fit_are_refused(kind, wrong):
    cls, gates, _, own = KINDS[kind]
    shapes = [[(4, gates * 6 + 1), (3, 4, 6)], [(6, gates * 6 + 1), (6,)], [(gates * 6 + 1,), (3, gates * 6)]][wrong]
    for shape in shapes:
        weights = [xp.zeros((4, gates * 6)), xp.zeros((6, gates * 6)), xp.zeros((2, gates * 6) if own else gates * 6)]
        weights[wrong] = xp.zeros(shape)
        for make in (cls, STEPS[kind]):
            with pytest.raises(InputError, match="must have shape"):
                make(*weights, **own)


@kinds
def test_a_layer_has_hidden_units(kind):
    """Shapes that fit each other are not enough; what is asked for is told by the letters of the equations."""
    cls, gates, _, own = KINDS[kind]
    weights = xp.zeros((4, 0)), xp.zeros((0, 0)), xp.zeros((2, 0) if own else 0)
    wanted = f"{gates}H" if gates > 1 else "H"
    for make in (cls, STEPS[kind]):
        with pytest.raises(InputError, match=rf"Wh must have shape \(H, {wanted}\), got \(0, 0\)"):
            make(*weights, **own)


def test_integer_weights_are_refused():
    with pytest.raises(InputError, match="Wh must be of a floating-point dtype, got int64"):
        TimeRNN(xp.zeros((2, 2)), xp.zeros((2, 2), xp.int64), xp.zeros(2))


@pytest.mark.parametrize("ratio", [-0.1, 1, 1.5, float("nan"), "half", True])
def test_weight_drop_is_a_share(rng, ratio):
    with pytest.raises(InputError, match=r"weight_drop must be in \[0, 1\), got"):
        build(rng, "lstm", weight_drop=ratio)


def test_the_gates_of_an_lstm(rng):
    layer, xs, state = build(rng, "lstm")
    hs = host(run(layer, xs, state))
    f, g, i, o = (host(layer.gate_values[name]) for name in "fgio")
    c = host(state[1])
    for t in range(5):
        c = f[:, t] * c + g[:, t] * i[:, t]
        np.testing.assert_allclose(o[:, t] * np.tanh(c), hs[:, t], rtol=1e-12)
    layer.backward(dev(hs))
    with pytest.raises(InputError, match="gate_values are those of a forward"):
        _ = layer.gate_values


def test_the_plain_loop(rng):
    """Ten steps of four numbers through eight hidden units, as one would write it by hand: hidden states (10, 8)."""
    T, D, H = 10, 4, 8
    xs, Wx, Wh, b = (rng.random(shape) for shape in ((T, D), (D, H), (H, H), (H,)))
    h, hidden_states = np.zeros(H), []
    for x in xs:
        h = np.tanh(x @ Wx + h @ Wh + b)
        hidden_states.append(h)
    hidden_states = np.stack(hidden_states)
    assert hidden_states.shape == (10, 8)
    layer = TimeRNN(dev(Wx), dev(Wh), dev(b))
    np.testing.assert_allclose(host(layer.forward(dev(xs[None])))[0], hidden_states, rtol=1e-12)
