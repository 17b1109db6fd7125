import numpy as np
import pytest

from rnnlm.backend import xp
from rnnlm.errors import InputError
from rnnlm.layers import RNN, TimeRNN
from tests import reference
from tests.gradcheck import assert_gradients, dev, host


def build(rng, N=3, T=5, D=4, H=6, dtype=np.float64, **options):
    def draw(*shape):
        return dev(0.5 * rng.standard_normal(shape), dtype)

    layer = TimeRNN(draw(D, H), draw(H, H), draw(H), stateful=True, **options)
    return layer, draw(N, T, D), draw(N, H)


def run(layer, xs, h0):
    layer.set_state(h0)
    return layer.forward(xs)


def check_gradients(layer, xs, h0, rng):
    N, T, _ = xs.shape
    dys = dev(rng.standard_normal((N, T, h0.shape[1])))

    def loss():
        return (run(layer, xs, h0) * dys).sum()

    loss()
    dxs = layer.backward(dys).copy()
    grads = {"xs": dxs, "h0": layer.dh.copy()} | {n: g.copy() for n, g in zip(layer.names, layer.grads)}
    assert_gradients(loss, {"xs": xs, "h0": h0} | dict(zip(layer.names, layer.params)), grads, rng)


@pytest.mark.parametrize("sizes", [(3, 5, 4, 6), (1, 1, 1, 1), (1, 9, 2, 3), (7, 1, 3, 2)])
def test_forward_is_the_equations(rng, sizes):
    layer, xs, h0 = build(rng, *sizes)
    want, last = reference.rnn(host(xs), host(h0), *map(host, layer.params))
    np.testing.assert_allclose(host(run(layer, xs, h0)), want, rtol=1e-12)
    np.testing.assert_allclose(host(layer.h), last, rtol=1e-12)


@pytest.mark.parametrize("sizes", [(3, 5, 4, 6), (1, 1, 1, 1), (1, 9, 2, 3), (7, 1, 3, 2)])
def test_backward_is_the_derivative(rng, sizes):
    check_gradients(*build(rng, *sizes), rng)


def test_backward_is_the_derivative_in_time_major_memory(rng):
    layer, xs, h0 = build(rng)
    check_gradients(layer, xs.swapaxes(0, 1).copy().swapaxes(0, 1), h0, rng)


def test_backward_takes_gradients_in_any_memory_order(rng):
    layer, xs, h0 = build(rng)
    dys = dev(rng.standard_normal((3, 5, 6)))
    run(layer, xs, h0)
    want = host(layer.backward(dys))
    run(layer, xs, h0)
    np.testing.assert_array_equal(host(layer.backward(dys[:, :, ::-1].copy()[:, :, ::-1])), want)


def test_one_step_is_a_window_of_one(rng):
    layer, xs, h0 = build(rng, T=1)
    step = RNN(*layer.params)
    h = step.forward(xs[:, 0], h0)
    np.testing.assert_allclose(host(h), host(run(layer, xs, h0))[:, 0], rtol=1e-14)
    dy = dev(rng.standard_normal(h.shape))
    dx, dh = step.backward(dy)
    np.testing.assert_allclose(host(dx), host(layer.backward(dy[:, None]))[:, 0], rtol=1e-12)
    np.testing.assert_allclose(host(dh), host(layer.dh), rtol=1e-12)
    for mine, its in zip(step.grads, layer.grads):
        np.testing.assert_allclose(host(mine), host(its), rtol=1e-12)


def test_one_step_is_the_derivative(rng):
    layer, xs, h0 = build(rng, T=1)
    step, x, dy = RNN(*layer.params), xs[:, 0].copy(), dev(rng.standard_normal((3, 6)))

    def loss():
        return (step.forward(x, h0) * dy).sum()

    loss()
    dx, dh = step.backward(dy)
    grads = {"x": dx, "h_prev": dh} | {n: g.copy() for n, g in zip(step.names, step.grads)}
    assert_gradients(loss, {"x": x, "h_prev": h0} | dict(zip(step.names, step.params)), grads, rng)


def test_two_windows_are_one(rng):
    layer, xs, h0 = build(rng, T=8)
    whole = host(run(layer, xs, h0))
    halves = [host(run(layer, xs[:, :3], h0)), host(layer.forward(xs[:, 3:]))]
    np.testing.assert_allclose(np.concatenate(halves, axis=1), whole, rtol=1e-12)


def test_equal_windows_carry_the_state_through_one_buffer(rng):
    layer, xs, h0 = build(rng, T=8)
    whole = host(run(layer, xs, h0))
    halves = [host(run(layer, xs[:, :4], h0)), host(layer.forward(xs[:, 4:]))]
    np.testing.assert_allclose(np.concatenate(halves, axis=1), whole, rtol=1e-12)


def test_the_gradient_stops_at_the_windows_edge(rng):
    """The second window's gradients are those of a first window that begins with the carried state."""
    layer, xs, h0 = build(rng, T=8)
    dys = dev(rng.standard_normal((3, 4, 6)))
    run(layer, xs[:, :4], h0)
    layer.backward(dys)
    carried = layer.h.copy()
    layer.forward(xs[:, 4:])
    layer.backward(dys)
    second = [host(g) for g in [*layer.grads, layer.dh]]
    run(layer, xs[:, 4:], carried)
    layer.backward(dys)
    for a, b in zip(second, [*layer.grads, layer.dh]):
        np.testing.assert_array_equal(a, host(b))


def test_stateless_begins_with_zeros(rng):
    layer, xs, _ = build(rng)
    layer.stateful = False
    first = host(layer.forward(xs))
    np.testing.assert_array_equal(host(layer.forward(xs)), first)
    want, _ = reference.rnn(host(xs), np.zeros((3, 6)), *map(host, layer.params))
    np.testing.assert_allclose(first, want, rtol=1e-12)


def test_reset_state_begins_with_zeros(rng):
    layer, xs, h0 = build(rng)
    run(layer, xs, h0)
    layer.reset_state()
    want, _ = reference.rnn(host(xs), np.zeros((3, 6)), *map(host, layer.params))
    np.testing.assert_allclose(host(layer.forward(xs)), want, rtol=1e-12)


def test_inputs_are_left_untouched(rng):
    layer, xs, h0 = build(rng)
    dys = dev(rng.standard_normal((3, 5, 6)))
    before = [host(a) for a in (xs, h0, dys)]
    run(layer, xs, h0)
    layer.backward(dys)
    for a, b in zip((xs, h0, dys), before):
        np.testing.assert_array_equal(host(a), b)


def test_gradients_are_overwritten_in_place(rng):
    layer, xs, h0 = build(rng)
    dys = dev(rng.standard_normal((3, 5, 6)))
    arrays = list(layer.grads)
    run(layer, xs, h0)
    layer.backward(dys)
    first = [host(g) for g in layer.grads]
    run(layer, xs, h0)
    layer.backward(dys)
    for array, grad, want in zip(arrays, layer.grads, first):
        assert grad is array
        np.testing.assert_array_equal(host(grad), want)


def test_one_backward_for_one_forward(rng):
    layer, xs, h0 = build(rng)
    with pytest.raises(InputError, match="backward needs a forward"):
        layer.backward(xs)
    run(layer, xs, h0)
    layer.backward(dev(np.ones((3, 5, 6))))
    with pytest.raises(InputError, match="backward needs a forward"):
        layer.backward(dev(np.ones((3, 5, 6))))


def test_float32_stays_float32(rng):
    layer, xs, h0 = build(rng, dtype=np.float32)
    ys = run(layer, xs, h0)
    dxs = layer.backward(ys.copy())
    assert {a.dtype for a in (ys, dxs, layer.h, layer.dh, *layer.grads)} == {np.dtype(np.float32)}


def test_state_is_copied_in_and_out(rng):
    layer, xs, h0 = build(rng)
    layer.set_state(h0)
    h0 += 1
    kept = layer.get_state()
    layer.forward(xs)
    layer.forward(xs)
    assert not np.allclose(host(kept[0]), host(h0))
    first = host(layer.get_state()[0])
    layer.forward(xs)
    layer.set_state(*kept)
    layer.forward(xs)
    layer.forward(xs)
    np.testing.assert_array_equal(host(layer.get_state()[0]), first)


BAD_CALLS = {
    r"xs must have shape \(N, T, 4\), got \(3, 5, 5\)": lambda layer: layer.forward(dev(np.ones((3, 5, 5)))),
    r"xs must have shape \(N, T, 4\), got \(3, 4\)": lambda layer: layer.forward(dev(np.ones((3, 4)))),
    r"xs must have shape \(N, T, 4\), got \(3, 0, 4\)": lambda layer: layer.forward(dev(np.ones((3, 0, 4)))),
    "xs must have the layer's dtype float64, got float32": lambda layer: layer.forward(
        dev(np.ones((3, 5, 4), np.float32))
    ),
    "xs must be an array of": lambda layer: layer.forward([[[1.0] * 4]]),
    r"h must have shape \(N, 6\), got \(3, 5\)": lambda layer: layer.set_state(dev(np.ones((3, 5)))),
    r"h, the carried state, must be \(3, 6\), got \(2, 6\): reset_state\(\) first": lambda layer: (
        layer.set_state(dev(np.ones((2, 6)))),
        layer.forward(dev(np.ones((3, 5, 4)))),
    ),
    r"dhs must have shape \(3, 5, 6\), got \(3, 5, 4\)": lambda layer: (
        layer.forward(dev(np.ones((3, 5, 4)))),
        layer.backward(dev(np.ones((3, 5, 4)))),
    ),
}


@pytest.mark.parametrize("message", BAD_CALLS)
def test_bad_input_is_refused(rng, message):
    layer, _, _ = build(rng)
    with pytest.raises(InputError, match=message):
        BAD_CALLS[message](layer)


@pytest.mark.parametrize("cls", [RNN, TimeRNN])
@pytest.mark.parametrize(
    "shapes", [((4, 6), (6, 5), (6,)), ((4, 5), (6, 6), (6,)), ((4, 6), (6, 6), (5,)), ((4,), (6, 6), (6,))]
)
def test_weights_that_do_not_fit_are_refused(cls, shapes):
    with pytest.raises(InputError, match="must have shape"):
        cls(*(xp.zeros(shape) for shape in shapes))


def test_integer_weights_are_refused():
    with pytest.raises(InputError, match="Wh must be of a floating-point dtype, got int64"):
        TimeRNN(xp.zeros((2, 2)), xp.zeros((2, 2), xp.int64), xp.zeros(2))


def test_a_refused_backward_may_be_called_again(rng):
    layer, xs, h0 = build(rng)
    run(layer, xs, h0)
    with pytest.raises(InputError, match="dhs must have shape"):
        layer.backward(xs)
    layer.backward(dev(np.ones((3, 5, 6))))


def test_a_state_for_a_stateless_layer_is_refused(rng):
    layer, _, h0 = build(rng)
    layer.stateful = False
    with pytest.raises(InputError, match="a state can be set only on a stateful layer"):
        layer.set_state(h0)


def test_one_step_refuses_bad_input(rng):
    layer, xs, h0 = build(rng)
    step = RNN(*layer.params)
    with pytest.raises(InputError, match=r"x must have shape \(N, 4\), got \(3, 5, 4\)"):
        step.forward(xs, h0)
    with pytest.raises(InputError, match=r"h_prev must have shape \(3, 6\), got \(2, 6\)"):
        step.forward(xs[:, 0], h0[:2])
    step.forward(xs[:, 0], h0)
    with pytest.raises(InputError, match=r"dh_next must have shape \(3, 6\), got \(3, 4\)"):
        step.backward(xs[:, 0])
