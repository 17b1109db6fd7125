"""Mistakes made on purpose in rows of different lengths: the checks must see each of them."""

import numpy as np
import pytest

from rnnlm.backend import xp
from rnnlm.layers import bidirectional, mean as mean_module, recurrent, regularization
from rnnlm.models import sequential
from tests.models import test_next_word, test_sentences

ROWS = [np.append(np.random.default_rng(0).integers(1, 11, n), 0) for n in (1, 7, 3, 3, 12)]
wrong = pytest.raises(AssertionError, match="gradient of .*: backward says")
not_equal = pytest.raises(AssertionError, match="Not equal to tolerance")


@pytest.mark.parametrize("kind", ["rnn", "both-lstm"])
def test_the_gradient_of_a_last_state_at_the_windows_end_is_caught(rng, monkeypatch, kind):
    right = recurrent.add_to_ends
    monkeypatch.setattr(recurrent, "add_to_ends", lambda dhs, dh, lengths: right(dhs, dh, None))
    with wrong:
        test_next_word.test_backward_is_the_derivative(rng, kind)


def test_a_last_state_at_the_windows_end_is_caught(rng, monkeypatch):
    monkeypatch.setattr(recurrent, "ends", lambda hs, lengths: hs[:, -1])
    with not_equal:
        test_next_word.test_pads_leave_the_state_alone(rng, "gru")


def test_reading_back_from_a_pad_is_caught(rng, monkeypatch):
    monkeypatch.setattr(bidirectional, "turned", lambda xs, lengths: xs[:, ::-1])
    with not_equal:
        test_next_word.test_pads_leave_the_state_alone(rng, "both-gru")


def test_rows_that_are_not_shifted_are_caught(rng, monkeypatch):
    right = sequential.without_pads
    monkeypatch.setattr(sequential, "without_pads", lambda ids: (ids, right(ids)[1]))
    with not_equal:
        test_next_word.test_pads_leave_the_state_alone(rng, "lstm")


def test_half_of_the_gradient_of_a_mean_is_caught(rng, monkeypatch):
    right = mean_module.MeanOverTime.backward
    monkeypatch.setattr(mean_module.MeanOverTime, "backward", lambda self, dys: right(self, dys) * 0.5)
    with wrong:
        test_next_word.test_backward_is_the_derivative(rng, "mean")


@pytest.mark.parametrize("option", [{"ar": 2.0}, {"tar": 3.0}])
def test_a_gradient_of_the_penalty_on_what_fills_up_is_caught(rng, monkeypatch, option):
    right = regularization.TimeActivationRegularization.backward

    def backward(self, dys):
        h, train_flg, each, pairs = self._saved
        self._saved = h, train_flg, xp.full_like(each, 1 / h.size), xp.full_like(pairs, 1 / h.size)
        return right(self, dys)

    monkeypatch.setattr(regularization.TimeActivationRegularization, "backward", backward)
    with wrong:
        test_sentences.test_the_gradient_of_what_counts_is_its_derivative(rng, ROWS, option)
