"""Mistakes made on purpose in n-grams and mixtures: the checks must see each of them."""

import numpy as np
import pytest

from rnnlm import kneser_ney
from rnnlm.data import lanes
from rnnlm.inference import mixture, mixture_weights, other_words
from rnnlm.ngrams import counts, smoothing
from rnnlm.ngrams.model import NGram, Table
from tests.inference import test_mixture
from tests.ngrams import test_counts, test_model, test_smoothing

not_equal = pytest.raises((AssertionError, RuntimeWarning), match="Not equal to tol|Arrays are not|assert|divide")


def by_dictionaries(rng):
    test_smoothing.test_a_random_text_by_dictionaries(rng, 3, (1,))


def test_counts_in_place_of_continuations_are_caught(rng, monkeypatch):
    monkeypatch.setattr(smoothing, "continuations", lambda level, longer: level.counts.copy())
    with not_equal:
        by_dictionaries(rng)


def test_continuations_of_the_beginning_of_a_line_are_caught(rng, monkeypatch):
    monkeypatch.setattr(
        smoothing,
        "continuations",
        lambda level, longer: np.bincount(longer.suffixes, minlength=len(level.keys)),
    )
    with not_equal:
        by_dictionaries(rng)


def test_counts_of_3_lowered_like_2_are_caught(monkeypatch):
    right = smoothing.discounts_of
    monkeypatch.setattr(test_smoothing, "discounts_of", lambda found: right(found)[[0, 1, 2, 2]])
    with not_equal:
        test_smoothing.test_discounts_by_hand()


def test_mass_of_what_is_left_out_that_is_lost_is_caught(rng, monkeypatch):
    right = smoothing._interpolated

    def lost(counts, kept, contexts, taken, size, lower):
        return right(np.where(kept, counts, 0), kept, contexts, taken, size, lower)

    monkeypatch.setattr(smoothing, "_interpolated", lost)
    with not_equal:
        by_dictionaries(rng)


def test_a_line_that_goes_on_from_the_one_before_is_caught(rng, monkeypatch):
    right = NGram._after_read

    def went_on(self, ids):
        words = right(self, ids)
        return np.where(words == self.vocab_size, self.start_id, words)

    monkeypatch.setattr(NGram, "_after_read", went_on)
    with not_equal:
        by_dictionaries(rng)


def test_ngrams_over_the_end_of_a_line_are_caught(rng, monkeypatch):
    monkeypatch.setattr(counts, "_after_starts", lambda ids, start, eos: np.insert(np.asarray(ids, np.int32), 0, start))
    with not_equal:
        test_counts.test_the_counts_are_a_dictionarys(rng)


def test_a_missing_weight_of_backing_off_is_caught(rng, monkeypatch):
    right = smoothing._table

    def missing(*arguments, **named):
        table = right(*arguments, **named)
        return Table(table.keys, table.logprobs, np.zeros_like(table.backoffs).view(Forgetful))

    class Forgetful(np.ndarray):
        def __setitem__(self, place, value):
            pass

    monkeypatch.setattr(smoothing, "_table", missing)
    with not_equal:
        by_dictionaries(rng)


def test_places_of_the_wrong_words_are_caught(rng, monkeypatch):
    right = NGram._places
    monkeypatch.setattr(NGram, "_places", lambda self, *given: np.roll(right(self, *given), 1, axis=1))
    ids = rng.integers(0, 9, 500)
    with not_equal:
        test_model.test_scores_are_the_losses(kneser_ney(ids, 9, 0, 4), ids)


def test_a_first_word_that_is_not_scored_is_caught(rng, monkeypatch):
    right = lanes._read
    monkeypatch.setattr(lanes, "_read", lambda ids, begin, end, start: right(ids, max(begin, 0), end, None))
    ids = rng.integers(0, 9, 500)
    with pytest.raises((AssertionError, ValueError)):
        test_model.test_a_line_knows_nothing_of_the_one_before(kneser_ney(ids, 9, 0, 2), ids)


def test_weights_that_are_not_squared_up_are_caught(rng, monkeypatch):
    ids = rng.integers(0, 7, 400)
    monkeypatch.setattr(mixture_weights, "MOST", 1)
    with not_equal:
        test_mixture.test_em_finds_the_best_of_a_fine_grid(test_mixture.small_network(), ids, rng)


def test_a_product_without_its_sum_is_caught(rng, monkeypatch):
    right = mixture.log_softmax
    monkeypatch.setattr(mixture, "log_softmax", lambda scores: scores if scores.dtype == np.float64 else right(scores))
    ids = rng.integers(0, 7, 400)
    with not_equal:
        test_mixture.test_it_is_the_equation(
            test_mixture.small_network(), kneser_ney(ids, 7, 0, 3), ids, True, [0.7, 0.3]
        )


def test_an_unknown_words_probability_given_to_each_is_caught(rng, monkeypatch):
    right = other_words.InOtherWords.__init__

    def whole(self, *arguments):
        right(self, *arguments)
        self.shared = np.zeros_like(self.shared)

    monkeypatch.setattr(other_words.InOtherWords, "__init__", whole)
    with not_equal:
        test_mixture.test_words_are_matched_by_name(rng, rng.integers(0, 7, 400), ["<unk>", "a", "<eos>", "b"])
