"""The gradient checks can fail: each of these mistakes is made on purpose, and the check must name what it breaks."""

import numpy as np
import pytest

from rnnlm.backend import ops, xp
from rnnlm.cells.lstm import blocks, lstm_backward
from rnnlm.cells.rnn import rnn_backward, rnn_forward
from rnnlm.layers import (
    Affine,
    Concatenate,
    EachTarget,
    EmbeddingDot,
    Losses,
    MatMul,
    MeanOverTime,
    Split,
    TimeActivationRegularization,
    TimeAffine,
    TimeBiLSTM,
    TimeDropout,
    TimeEmbedding,
    TimeRNN,
    dropout as dropout_module,
    embedding as embedding_module,
    gru as gru_module,
    gru_after,
    lstm as lstm_module,
    rnn as module,
)
from rnnlm.layers.heads import negative_sampling
from rnnlm.layers.recurrent import Recurrent
from tests.gradcheck import host
from tests.layers import (
    test_affine,
    test_bidirectional,
    test_dropout,
    test_embedding,
    test_feed_forward as feed_forward,
    test_recurrent as recurrent,
    test_regularization,
)
from tests.layers.heads import test_adaptive_softmax as adaptive, test_losses as losses
from tests.models import test_general

window_backward = module.rnn_window_backward


def skip_first_step(dhs, hs, das, Wh, dh, *_):
    window_backward(dhs[1:], hs[1:], das[1:], Wh, dh)
    das[0] = 0


def state_of_the_step_itself(layer, dhs):
    """dWh from h[t] where h[t-1] belongs."""
    H = dhs.shape[2]
    hs = layer._saved[5][0].copy()
    dxs = TimeRNN.backward(layer, dhs)
    xp.matmul(hs[1:].reshape(-1, H).T, layer._buffers["das"][0].reshape(-1, H), out=layer.grads[1])
    return dxs


def no_recurrence(dhs, hs, das, Wh, dh, *_):
    for dy, h, da in zip(dhs, hs[1:], das):
        rnn_backward(dy, dh, h, da)
    xp.matmul(das[0], Wh.T, out=dh)


def missing_slope(dhs, hs, das, Wh, dh, *_):
    for dy, da in zip(dhs[::-1], das[::-1]):
        xp.add(dy, dh, out=da)
        xp.matmul(da, Wh.T, out=dh)


def leak_from_the_window_before(dhs, hs, das, Wh, dh, *_):
    """The gradient of the state, kept from the last backward, flows into this one's last step."""
    dh += leak_from_the_window_before.dh
    window_backward(dhs, hs, das, Wh, dh)
    leak_from_the_window_before.dh = dh.copy()


def forward_without_bias(hs, Wh, product, *_):
    for h_prev, h in zip(hs[:-1], hs[1:]):
        rnn_forward(h, xp.matmul(h_prev, Wh) - forward_without_bias.b)


@pytest.mark.parametrize(
    ("fault", "named"),
    [(skip_first_step, "xs"), (no_recurrence, "xs"), (missing_slope, "xs")],
)
def test_a_wrong_way_back_through_time_is_caught(rng, monkeypatch, fault, named):
    monkeypatch.setattr(module, "rnn_window_backward", fault)
    with pytest.raises(AssertionError, match=f"gradient of {named}: backward says"):
        recurrent.check_gradients(*recurrent.build(rng, "rnn"), rng)


def test_h_t_taken_for_h_t_minus_1_is_caught(rng, monkeypatch):
    layer, xs, state = recurrent.build(rng, "rnn")
    monkeypatch.setattr(layer, "backward", lambda dhs, *_: state_of_the_step_itself(layer, dhs), raising=False)
    with pytest.raises(AssertionError, match="gradient of Wh: backward says"):
        recurrent.check_gradients(layer, xs, state, rng)


def test_a_bias_missing_forward_is_caught(rng, monkeypatch):
    layer, xs, state = recurrent.build(rng, "rnn")
    forward_without_bias.b = layer.params[2]
    monkeypatch.setattr(module, "rnn_window_forward", forward_without_bias)
    with pytest.raises(AssertionError, match="gradient of b: backward says"):
        recurrent.check_gradients(layer, xs, state, rng)


def test_a_bias_missing_backward_is_caught(rng, monkeypatch):
    layer, xs = test_affine.build(rng)
    dys = test_affine.dev(rng.standard_normal((2, 5, 7)))

    def backward(dys):
        dxs = TimeAffine.backward(layer, dys)
        layer.grads[1][...] = 0
        return dxs

    loss = lambda: (layer.forward(xs) * dys).sum()  # noqa: E731
    loss()
    grads = {"xs": backward(dys).copy()} | {n: g.copy() for n, g in zip(layer.names, layer.grads)}
    with pytest.raises(AssertionError, match="gradient of b: backward says"):
        test_affine.assert_gradients(loss, {"xs": xs} | dict(zip(layer.names, layer.params)), grads, rng)


def test_a_state_leaking_into_the_gradient_is_caught(rng, monkeypatch):
    layer, xs, state = recurrent.build(rng, "rnn")
    leak_from_the_window_before.dh = 0
    monkeypatch.setattr(module, "rnn_window_backward", leak_from_the_window_before)
    layer.forward(xs)
    layer.backward(xp.ones((3, 5, 6)))
    with pytest.raises(AssertionError, match="gradient of xs: backward says"):
        recurrent.check_gradients(layer, xs, state, rng)


def test_a_dropped_repeated_id_is_caught(rng, monkeypatch):
    def assign(out, ids, rows):
        for i, row in zip(ops.asnumpy(ids).tolist(), rows):
            out[i] = row

    monkeypatch.setattr(embedding_module, "add_rows", assign)
    with pytest.raises(AssertionError, match="gradient of W: backward says"):
        test_embedding.test_backward_is_the_derivative_with_repeated_ids(rng)
    layer = TimeEmbedding(xp.ones((3, 2)))
    layer.forward(ops.asarray(np.array([[0, 1]])))
    layer.backward(xp.ones((1, 2, 2)))
    assert host(layer.grads[0]).sum() == 4  # without a repeated id the fault does not show


def test_a_gradient_added_instead_of_overwritten_is_caught(rng, monkeypatch):
    layer, xs, state = recurrent.build(rng, "rnn")

    def backward(dhs, *_):
        before = [g.copy() for g in layer.grads]
        dxs = TimeRNN.backward(layer, dhs)
        for g, b in zip(layer.grads, before):
            g += b
        return dxs

    layer.forward(xs)
    layer.backward(xp.ones((3, 5, 6)))
    monkeypatch.setattr(layer, "backward", backward, raising=False)
    with pytest.raises(AssertionError, match="gradient of Wx: backward says"):
        recurrent.check_gradients(layer, xs, state, rng)


# ---------------------------------------------------------------------- gates


def no_forget_gate(dy, dh, dc, gates, c_prev, c):
    """dc goes to the step before as it is."""
    f = blocks(gates, 4)[0].copy()
    lstm_backward(dy, dh, dc, gates, c_prev, c)
    dc /= f


def g_taken_for_i(dy, dh, dc, gates, c_prev, c):
    H = c.shape[1]
    lstm_backward(dy, dh, dc, gates, c_prev, c)
    gates[:, H : 3 * H] = xp.concatenate([gates[:, 2 * H : 3 * H], gates[:, H : 2 * H]], axis=1)


def no_way_through_h(dy, dh, dc, gates, c_prev, c):
    """The output gate's part alone: what h owes to c is left out."""
    lstm_backward(dy, -dy, dc, gates, c_prev, c)


def c_of_the_step_itself(dy, dh, dc, gates, c_prev, c):
    lstm_backward(dy, dh, dc, gates, c, c)


@pytest.mark.parametrize("fault", [no_forget_gate, g_taken_for_i, no_way_through_h, c_of_the_step_itself])
def test_a_wrong_lstm_cell_is_caught(rng, monkeypatch, fault):
    monkeypatch.setattr(lstm_module, "lstm_backward", fault)
    with pytest.raises(AssertionError, match="gradient of .*: backward says"):
        recurrent.check_gradients(*recurrent.build(rng, "lstm"), rng)


def test_a_cell_state_that_gets_no_gradient_is_caught(rng, monkeypatch):
    """Every c_t as if it were the last: only a window of more than one step shows it."""

    def forget_dc(dy, dh, dc, gates, c_prev, c):
        dc[...] = 0
        lstm_backward(dy, dh, dc, gates, c_prev, c)

    monkeypatch.setattr(lstm_module, "lstm_backward", forget_dc)
    recurrent.check_gradients(*recurrent.build(rng, "lstm", T=1), rng)
    with pytest.raises(AssertionError, match="gradient of xs: backward says"):
        recurrent.check_gradients(*recurrent.build(rng, "lstm"), rng)


@pytest.mark.parametrize(
    ("kind", "name"),
    [("gru", "gru_reset_backward"), ("gru", "gru_update_backward"), ("gru-after", "gru_after_backward")],
)
def test_a_gru_without_a_gate_is_caught(rng, monkeypatch, kind, name):
    monkeypatch.setattr(gru_after if kind == "gru-after" else gru_module, name, lambda *_: None)
    with pytest.raises(AssertionError, match="gradient of xs: backward says"):
        recurrent.check_gradients(*recurrent.build(rng, kind), rng)


def test_the_other_reset_gates_weight_gradient_is_caught(rng, monkeypatch):
    """dWh of the candidate from h_{t-1}, where r h_{t-1} went into the product."""
    monkeypatch.setattr(gru_module.TimeGRU, "_hidden_gradients", Recurrent._hidden_gradients)
    with pytest.raises(AssertionError, match="gradient of Wh: backward says"):
        recurrent.check_gradients(*recurrent.build(rng, "gru"), rng)


# ---------------------------------------------------------------------- dropout, tying, regularisation


def test_a_gradient_that_passes_dropped_places_is_caught(rng, monkeypatch):
    monkeypatch.setattr(TimeDropout, "backward", lambda self, dys: dys)
    with pytest.raises(AssertionError, match="gradient of xs: backward says"):
        test_dropout.test_backward_is_the_derivative(rng, False)


def test_another_mask_on_the_way_back_is_caught(rng, monkeypatch):
    def backward(self, dys):
        shape, dtype, (N, T), _ = self.saved_values()
        return dys * self.mask.draw(shape, dtype).reshape(T, N, -1).swapaxes(0, 1)

    monkeypatch.setattr(TimeDropout, "backward", backward)
    with pytest.raises(AssertionError, match="gradient of xs: backward says"):
        test_dropout.test_backward_is_the_derivative(rng, False)


def test_dropped_words_that_get_a_gradient_are_caught(rng, monkeypatch):
    backward = TimeEmbedding.backward

    def without_mask(self, dxs):
        self._saved = (self._saved[0], None, self._saved[2])
        backward(self, dxs)

    monkeypatch.setattr(TimeEmbedding, "backward", without_mask)
    with pytest.raises(AssertionError, match="gradient of W: backward says"):
        test_dropout.test_embedding_dropout_backward_is_the_derivative(rng)


@pytest.mark.parametrize(("place", "named"), [(3, "Wh"), (2, "xs")])
def test_dropped_weights_forgotten_on_the_way_back_are_caught(rng, monkeypatch, place, named):
    """The mask of dWh, or the dropped Wh that the gradient passes."""
    layer, xs, state = recurrent.build(rng, "lstm", weight_drop=0.5)

    def backward(dhs, *_):
        saved = list(layer._saved)
        saved[place] = {2: layer.params[1], 3: None}[place]
        layer._saved = tuple(saved)
        return Recurrent.backward(layer, dhs)

    monkeypatch.setattr(layer, "backward", backward, raising=False)
    with pytest.raises(AssertionError, match=f"gradient of {named}: backward says"):
        recurrent.check_gradients(layer, xs, state, rng)


@pytest.mark.parametrize("kind", ["rnn", "lstm", "gru", "gru-after"])
@pytest.mark.parametrize(("fault", "named"), [("way back", "xs"), ("weights", "Wh")])
def test_a_dropped_state_forgotten_on_the_way_back_is_caught(rng, monkeypatch, kind, fault, named):
    """The mask of dh, or that of the states in dWh."""
    layer, xs, state = recurrent.build(rng, kind, recurrent_dropout=0.5)
    if fault == "way back":
        without = lambda W, mask, rows, times: ops.multiplier(W.T, rows, times)  # noqa: E731
        for place in (module, lstm_module, gru_module, gru_after):
            monkeypatch.setattr(place, "to_state", without)
    else:
        right = layer._hidden_gradients

        def unmasked(das, of_state, _, kept):
            h_prevs = layer._seen[0][:-1]
            right(das, of_state, h_prevs.reshape(len(das), -1), kept)

        def backward(dhs, *rest):
            layer._seen = layer._saved[5]
            return Recurrent.backward(layer, dhs, *rest)

        monkeypatch.setattr(layer, "_hidden_gradients", unmasked, raising=False)
        monkeypatch.setattr(layer, "backward", backward, raising=False)
    with pytest.raises(AssertionError, match=f"gradient of {named}: backward says"):
        recurrent.check_gradients(layer, xs, state, rng)


def test_a_mask_that_is_not_scaled_is_caught(monkeypatch):
    monkeypatch.setattr(dropout_module, "LANES", 1 << 15)  # half the lanes: other shares and another scale
    with pytest.raises(AssertionError):
        test_dropout.test_a_mask_keeps_the_expected_value(0.5)


def test_a_tied_gradient_of_one_end_alone_is_caught(rng):
    model = test_general.build("tied")
    model.layers["embed"].add_to_gradient = False  # and so clears what the other end has left
    xs, ts = test_general.window(rng)
    model.forward(xs, ts)
    model.backward()
    with pytest.raises(AssertionError, match="gradient of embed.W: backward says"):
        test_general.check_gradients(model, rng)


@pytest.mark.parametrize("name", ["ar", "tar"])
def test_a_penalty_without_a_gradient_is_caught(rng, monkeypatch, name):
    monkeypatch.setattr(TimeActivationRegularization, "backward", lambda self, dys: dys)
    with pytest.raises(AssertionError, match="gradient of .*: backward says"):
        test_general.check_gradients(test_general.build(name), rng)
    with pytest.raises(AssertionError, match="gradient of xs: backward says"):
        test_regularization.test_the_penalty_and_its_gradient(rng, 2.0, 1.5, 5)


def test_a_second_direction_that_is_not_turned_back_is_caught(rng, monkeypatch):
    def backward(self, dhs):
        H = len(self.params[1])
        return self.ahead.backward(dhs[..., :H]) + self.back.backward(dhs[..., H:])

    monkeypatch.setattr(TimeBiLSTM, "backward", backward)
    with pytest.raises(AssertionError, match="gradient of xs: backward says"):
        test_bidirectional.test_backward_is_the_derivative(rng, "lstm", {})


# ---------------------------------------------------------------------- layers without time, losses


def halved(cls, method, place=0):
    """The method, whose answer, or whose gradient number `place`, is half of what it should be."""
    right = getattr(cls, method)

    def wrong(self, *arguments):
        return right(self, *arguments) * 0.5

    return wrong


@pytest.mark.parametrize("name", ["sigmoid", "tanh", "relu", "softmax"])
def test_a_wrong_slope_of_an_activation_is_caught(rng, monkeypatch, name):
    cls = type(feed_forward.make(name, rng))
    monkeypatch.setattr(cls, "_gradient", halved(cls, "_gradient"))
    with pytest.raises(AssertionError, match="gradient of xs: backward says"):
        feed_forward.test_backward_is_the_derivative(rng, name, (5, 4))


@pytest.mark.parametrize("name", ["affine", "dense"])
def test_a_bias_without_a_gradient_is_caught(rng, monkeypatch, name):
    monkeypatch.setattr(Affine, "_bias_gradient", lambda self, rows: None)
    with pytest.raises(AssertionError, match="gradient of b: backward says"):
        feed_forward.test_backward_is_the_derivative(rng, name, (5, 4))


def test_weights_of_a_product_taken_the_wrong_way_are_caught(rng, monkeypatch):
    def backward(self, dys):
        dxs = MatMul.backward(self, dys)
        self.grads[0] *= 2
        return dxs

    layer = feed_forward.make("matmul", rng)
    monkeypatch.setattr(layer, "backward", lambda dys: backward(layer, dys), raising=False)
    with pytest.raises(AssertionError, match="gradient of W: backward says"):
        feed_forward.check(layer, feed_forward.dev(rng.standard_normal((5, 4))), rng)


def test_a_mean_that_sums_on_the_way_back_is_caught(rng, monkeypatch):
    right = MeanOverTime.backward
    monkeypatch.setattr(MeanOverTime, "backward", lambda self, dys: right(self, dys) * 3)
    with pytest.raises(AssertionError, match="gradient of xs: backward says"):
        feed_forward.test_the_mean_over_time(rng)


def test_branches_whose_gradients_change_places_are_caught(rng, monkeypatch):
    right = Split.backward
    monkeypatch.setattr(Split, "backward", lambda self, dys: right(self, (dys[0], dys[2], dys[1])))
    with pytest.raises(AssertionError, match="gradient of xs: backward says"):
        feed_forward.test_one_input_that_goes_several_ways(rng)
    cut = Concatenate.backward
    monkeypatch.setattr(Concatenate, "backward", lambda self, dys: cut(self, dys[..., ::-1]))
    with pytest.raises(AssertionError, match="gradient of x0: backward says"):
        feed_forward.test_branches_that_come_together(rng)


@pytest.mark.parametrize("kind", ["squares", "binary", "sigmoid", "categorical", "sparse"])
def test_a_loss_with_a_wrong_slope_is_caught(rng, monkeypatch, kind):
    cls = type(losses.of_kind(kind, rng)[0])
    monkeypatch.setattr(cls, "_slopes", halved(cls, "_slopes"))
    with pytest.raises(AssertionError, match="gradient of y: backward says"):
        losses.test_the_loss_and_its_gradient(rng, kind, (6, 4))


def test_negatives_taken_for_targets_are_caught(rng, monkeypatch):
    right = EmbeddingDot.backward
    monkeypatch.setattr(EmbeddingDot, "backward", lambda self, dout: right(self, dout[:, ::-1].copy()))
    with pytest.raises(AssertionError, match="gradient of h: backward says"):
        losses.test_negative_sampling_is_the_derivative(rng, False)


def test_several_targets_counted_as_one_are_caught(rng, monkeypatch):
    right = EachTarget.backward
    monkeypatch.setattr(EachTarget, "backward", lambda self, dout=1: right(self, dout / 2))
    with pytest.raises(AssertionError, match="gradient of h: backward says"):
        losses.test_negative_sampling_is_the_derivative(rng, True)


def test_a_weight_of_several_losses_forgotten_is_caught(rng, monkeypatch):
    right = Losses.backward

    def unweighed(self, dout=1):
        weights, self.weights = self.weights, [1.0] * len(self.heads)
        dys = right(self, dout)
        self.weights = weights
        return dys

    monkeypatch.setattr(Losses, "backward", unweighed)
    with pytest.raises(AssertionError, match="gradient of y0: backward says"):
        losses.test_several_losses_at_once(rng)


@pytest.mark.parametrize("fault", ["rows", "shares"])
def test_a_cluster_whose_gradient_goes_astray_is_caught(rng, monkeypatch, fault):
    """It is added to the rows before, or each cluster counts like all targets together."""
    head, xs = adaptive.build(rng)
    right = head.backward

    def backward(dout):
        rows, shares = head._saved
        head._saved = (
            ([own - 1 for own in rows], shares) if fault == "rows" else (rows, [float(share > 0) for share in shares])
        )
        return right(dout)

    monkeypatch.setattr(head, "backward", backward)
    with pytest.raises(AssertionError, match="gradient of xs: backward says"):
        adaptive.check_gradients(head, xs, range(adaptive.V), rng)


def test_a_cluster_without_targets_whose_gradient_is_not_cleared_is_caught(rng):
    head, xs = adaptive.build(rng)
    for part in head.parts().values():
        part.grads = part.grads if part is head.parts()["first"] else []
    with pytest.raises(AssertionError, match="gradient of projection1.W: backward says"):
        adaptive.check_gradients(head, xs, adaptive.BY_RANK[: adaptive.SHORTLIST], rng)


def test_word_vectors_whose_gradient_is_not_cleared_are_caught(rng, monkeypatch):
    add, before = negative_sampling.add_rows, xp.zeros((losses.V, 5))

    def not_cleared(out, ids, rows):
        add(before, ids, rows)
        out[...] = before

    monkeypatch.setattr(negative_sampling, "add_rows", not_cleared)
    with pytest.raises(AssertionError, match="gradient of W: backward says"):
        losses.test_products_with_word_vectors(rng, (6,))
