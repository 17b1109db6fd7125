"""The gradient checks can fail: each of these mistakes is made on purpose, and the check must name what it breaks."""

import numpy as np
import pytest

from rnnlm.backend import ops, xp
from rnnlm.cells.rnn import rnn_backward, rnn_forward
from rnnlm.layers import TimeAffine, TimeEmbedding, TimeRNN
from rnnlm.layers import rnn as module
from tests import test_layers_affine, test_layers_embedding, test_layers_rnn
from tests.gradcheck import host

window_backward = module.rnn_window_backward


def skip_first_step(hs, das, Wh):
    dh = window_backward(hs[1:], das[1:], Wh)
    das[0] = 0
    return dh


def state_of_the_step_itself(layer, dhs):
    """dWh from h[t] where h[t-1] belongs."""
    H = dhs.shape[2]
    hs = layer._saved[1].copy()
    dxs = TimeRNN.backward(layer, dhs)
    xp.matmul(hs[1:].reshape(-1, H).T, layer._buffers["das"].reshape(-1, H), out=layer.grads[1])
    return dxs


def no_recurrence(hs, das, Wh):
    for h, da in zip(hs[1:], das):
        rnn_backward(h, da)
    return xp.matmul(das[0], Wh.T)


def missing_slope(hs, das, Wh):
    dh = xp.zeros_like(hs[0])
    for da in das[::-1]:
        da += dh
        dh = xp.matmul(da, Wh.T)
    return dh


def leak_from_the_window_before(hs, das, Wh):
    """The gradient of the state, kept from the last backward, flows into this one's last step."""
    das[-1] += leak_from_the_window_before.dh
    leak_from_the_window_before.dh = window_backward(hs, das, Wh).copy()
    return leak_from_the_window_before.dh


def forward_without_bias(hs, Wh):
    for h_prev, h in zip(hs[:-1], hs[1:]):
        h += xp.matmul(h_prev, Wh) - forward_without_bias.b
        rnn_forward(h)


@pytest.mark.parametrize(
    ("fault", "named"),
    [(skip_first_step, "xs"), (no_recurrence, "xs"), (missing_slope, "xs")],
)
def test_a_wrong_way_back_through_time_is_caught(rng, monkeypatch, fault, named):
    monkeypatch.setattr(module, "rnn_window_backward", fault)
    with pytest.raises(AssertionError, match=f"gradient of {named}: backward says"):
        test_layers_rnn.check_gradients(*test_layers_rnn.build(rng), rng)


def test_h_t_taken_for_h_t_minus_1_is_caught(rng, monkeypatch):
    layer, xs, h0 = test_layers_rnn.build(rng)
    monkeypatch.setattr(layer, "backward", lambda dhs: state_of_the_step_itself(layer, dhs), raising=False)
    with pytest.raises(AssertionError, match="gradient of Wh: backward says"):
        test_layers_rnn.check_gradients(layer, xs, h0, rng)


def test_a_bias_missing_forward_is_caught(rng, monkeypatch):
    layer, xs, h0 = test_layers_rnn.build(rng)
    forward_without_bias.b = layer.params[2]
    monkeypatch.setattr(module, "rnn_window_forward", forward_without_bias)
    with pytest.raises(AssertionError, match="gradient of b: backward says"):
        test_layers_rnn.check_gradients(layer, xs, h0, rng)


def test_a_bias_missing_backward_is_caught(rng, monkeypatch):
    layer, xs = test_layers_affine.build(rng)
    dys = test_layers_affine.dev(rng.standard_normal((2, 5, 7)))

    def backward(dys):
        dxs = TimeAffine.backward(layer, dys)
        layer.grads[1][...] = 0
        return dxs

    loss = lambda: (layer.forward(xs) * dys).sum()  # noqa: E731
    loss()
    grads = {"xs": backward(dys).copy()} | {n: g.copy() for n, g in zip(layer.names, layer.grads)}
    with pytest.raises(AssertionError, match="gradient of b: backward says"):
        test_layers_affine.assert_gradients(loss, {"xs": xs} | dict(zip(layer.names, layer.params)), grads, rng)


def test_a_state_leaking_into_the_gradient_is_caught(rng, monkeypatch):
    layer, xs, h0 = test_layers_rnn.build(rng)
    leak_from_the_window_before.dh = 0
    monkeypatch.setattr(module, "rnn_window_backward", leak_from_the_window_before)
    layer.forward(xs)
    layer.backward(xp.ones((3, 5, 6)))
    with pytest.raises(AssertionError, match="gradient of xs: backward says"):
        test_layers_rnn.check_gradients(layer, xs, h0, rng)


def test_a_dropped_repeated_id_is_caught(rng, monkeypatch):
    def assign(out, ids, rows):
        for i, row in zip(ops.asnumpy(ids).tolist(), rows):
            out[i] = row

    monkeypatch.setattr(ops, "add_rows_", assign)
    with pytest.raises(AssertionError, match="gradient of W: backward says"):
        test_layers_embedding.test_backward_is_the_derivative_with_repeated_ids(rng)
    layer = TimeEmbedding(xp.ones((3, 2)))
    layer.forward(ops.asarray(np.array([[0, 1]])))
    layer.backward(xp.ones((1, 2, 2)))
    assert host(layer.grads[0]).sum() == 4  # without a repeated id the fault does not show


def test_a_gradient_added_instead_of_overwritten_is_caught(rng, monkeypatch):
    layer, xs, h0 = test_layers_rnn.build(rng)

    def backward(dhs):
        before = [g.copy() for g in layer.grads]
        dxs = TimeRNN.backward(layer, dhs)
        for g, b in zip(layer.grads, before):
            g += b
        return dxs

    layer.forward(xs)
    layer.backward(xp.ones((3, 5, 6)))
    monkeypatch.setattr(layer, "backward", backward, raising=False)
    with pytest.raises(AssertionError, match="gradient of Wx: backward says"):
        test_layers_rnn.check_gradients(layer, xs, h0, rng)
