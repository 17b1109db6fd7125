"""Mistakes made on purpose in attention, encoders, decoders and contexts: the gradient checks must see each of them."""

import pytest

from rnnlm.layers import AttentionWeight, TimeAttention, TimeContextEmbedding, WeightSum, attention as attention_module
from rnnlm.models import AttentionDecoder, Decoder, Encoder, PeekyDecoder, encoder
from tests.layers import test_attention, test_context
from tests.models import test_nnlm
from tests.models.test_seq2seq import LENGTHS, build, check_gradients

wrong = pytest.raises(AssertionError, match="gradient of .*: backward says")


def spoiled(monkeypatch, cls, method, spoil):
    """The method of a class with its answer spoiled."""
    right = getattr(cls, method)
    monkeypatch.setattr(cls, method, lambda self, *given: spoil(right(self, *given)))


@pytest.mark.parametrize("place", [0, 1])
def test_half_of_a_gradient_of_an_attention_is_caught(rng, monkeypatch, place):
    def half(grads):
        return tuple(g * (0.5 if k == place else 1) for k, g in enumerate(grads))

    for cls, check in (
        (WeightSum, test_attention.test_a_weighed_sum_is_the_derivative),
        (AttentionWeight, test_attention.test_weights_are_the_derivative),
    ):
        with monkeypatch.context() as patch:
            spoiled(patch, cls, "backward", half)
            with pytest.raises(AssertionError, match=f"gradient of input{place}: backward"):
                check(rng)
    spoiled(monkeypatch, TimeAttention, "backward", half)
    with pytest.raises(AssertionError, match=f"gradient of input{place}: backward"):
        test_attention.test_attention_over_time(rng, test_attention.LENGTHS)


def test_a_softmax_without_its_sum_is_caught(rng, monkeypatch):
    monkeypatch.setattr(attention_module, "softmax_backward", lambda y, dy: dy * y)
    with wrong:
        test_attention.test_attention_over_time(rng, None)


def test_a_context_that_forgets_its_oldest_word_is_caught(rng, monkeypatch):
    right = TimeContextEmbedding._leave

    def leave(self, ids, rows):
        rows[: len(rows) // 7] = 0
        right(self, ids, rows)

    monkeypatch.setattr(TimeContextEmbedding, "_leave", leave)
    for mean in (False, True):
        with pytest.raises(AssertionError, match="gradient of W: backward"):
            test_context.test_backward_is_the_derivative(rng, mean)
    with pytest.raises(AssertionError, match="gradient of embed.W: backward"):
        test_nnlm.test_backward_is_the_derivative(rng, "nnlm")


@pytest.mark.parametrize("both", [False, True])
def test_ends_taken_for_the_windows_end_are_caught(rng, monkeypatch, both):
    right = encoder.add_to_ends
    monkeypatch.setattr(encoder, "add_to_ends", lambda dhs, dh, lengths: right(dhs, dh, None))
    with wrong:
        check_gradients(build("plain", rng, both), rng, LENGTHS)


def test_a_layer_that_reads_back_and_is_turned_only_once_is_caught(rng, monkeypatch):
    from rnnlm.layers import bidirectional

    right, calls = bidirectional.turned, []

    def turned(xs, lengths):
        calls.append(1)
        return xs if len(calls) % 4 == 3 else right(xs, lengths)  # the gradient's way in

    monkeypatch.setattr(bidirectional, "turned", turned)
    with wrong:
        check_gradients(build("attention", rng, True), rng)


def test_a_state_whose_gradient_is_not_handed_back_is_caught(rng, monkeypatch):
    spoiled(monkeypatch, Decoder, "back", lambda grads: (grads[0], grads[1] * 0))
    with pytest.raises(AssertionError, match=r"gradient of seq2seq.encoder.* backward"):
        check_gradients(build("attention", rng), rng)
    for kind in ("plain", "peeky"):
        with pytest.raises(AssertionError, match="assert False"):  # nothing else reaches their encoders
            check_gradients(build(kind, rng), rng)


@pytest.mark.parametrize("method", ["_lstm_inputs_back", "_features_back"])
def test_a_peek_without_a_gradient_is_caught(rng, monkeypatch, method):
    spoiled(monkeypatch, PeekyDecoder, method, lambda grads: (*grads[:-1], None))
    with pytest.raises(AssertionError, match=r"gradient of seq2seq.encoder.* backward"):
        check_gradients(build("peeky", rng), rng)


def test_attention_without_a_gradient_of_the_decoders_states_is_caught(rng, monkeypatch):
    def backward(self, dys):
        H = dys.shape[2] // 2
        return dys[:, :, H:], self.attention.backward(dys[:, :, :H])[0], None

    monkeypatch.setattr(AttentionDecoder, "_features_back", backward)
    with wrong:
        check_gradients(build("attention", rng), rng)


def test_states_of_the_encoder_without_a_gradient_are_caught(rng, monkeypatch):
    right = Encoder.back
    monkeypatch.setattr(Encoder, "back", lambda self, dhs, dh: right(self, None, dh))
    with pytest.raises(AssertionError, match=r"gradient of seq2seq.encoder.* backward"):
        check_gradients(build("attention", rng), rng)
