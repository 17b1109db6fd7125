from collections import Counter

import numpy as np
import pytest

from rnnlm.inference.sampling import Sampler, Sampling

V = 9


def chooser(skip_ids=None, **how):
    return Sampler(V, skip_ids, Sampling(**{"seed": 0, **how}))


def test_words_are_drawn_by_their_probabilities():
    """20,000 draws: a word's count differs from its expectation by under 5 standard deviations."""
    scores, n, pick = np.log(np.array([1, 2, 3, 4, 5, 6, 7, 8, 9.0])), 20_000, chooser()
    counts = Counter(word for step in range(10) for word in pick(np.tile(scores, (n // 10, 1)), step).tolist())
    for word in range(V):
        p = (word + 1) / 45
        assert abs(counts[word] - n * p) < 5 * (n * p * (1 - p)) ** 0.5


@pytest.mark.parametrize("vocab_size", [2, 127, 128, 129, 1000])
def test_the_word_is_the_one_at_which_the_sum_of_all_before_passes_the_random_number(rng, vocab_size):
    weights = rng.random((50, vocab_size)) ** 8 * (rng.random((50, vocab_size)) < 0.5)
    weights[:, rng.integers(vocab_size)] += 1e-9  # none is all zeros
    sampler = Sampler(vocab_size)
    uniform = np.append(rng.random(48), [0.0, 1 - 2.0**-53])
    found = sampler._find(weights.copy(), uniform)
    for row, word, u in zip(weights, found, uniform):
        assert row[word] > 0
        total = row.cumsum()
        assert total[word] >= u * total[-1] * (1 - 1e-12)
        assert total[word] - row[word] <= u * total[-1] * (1 + 1e-12)


def test_rounding_never_leads_to_a_word_without_weight():
    """The sum up to the first run's end, by way of the second's, is larger than itself by a last bit."""
    weights = np.zeros((1, 256))
    weights[0, 5], weights[0, 129] = 0.4858353588317891, 0.8894878343490003
    assert Sampler(256)._find(weights, np.array([0.3532517747397029])).tolist() == [129]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("temperature", [1e-300, 1e-50, 1e-3])
def test_a_temperature_near_zero_is_greedy(dtype, temperature):
    scores = np.array([[0, 1, 2, 9, 4, 5, 6, 7, 8]], dtype)
    assert chooser(temperature=temperature, skip_ids=[0])(scores, 0) == [3]


@pytest.mark.parametrize(
    ("options", "kept"),
    [
        ({"top_k": 1}, {8}),
        ({"top_k": 3}, {6, 7, 8}),
        ({"top_k": 99}, set(range(V))),
        ({"top_k": np.uint64(1)}, {8}),
        ({"top_p": 0.2}, {8}),
        ({"top_p": 0.21}, {7, 8}),
        ({"top_p": 1.0}, set(range(V))),
        ({"top_k": 3, "top_p": 0.5}, {7, 8}),
        ({"top_k": 2, "skip_ids": [8]}, {6, 7}),
    ],
)
def test_top_k_and_top_p_keep_the_likely_words(options, kept):
    """Probabilities 1/45 ... 9/45: the largest is 0.2, the two largest together 0.378."""
    scores = np.log(np.array([1, 2, 3, 4, 5, 6, 7, 8, 9.0]))
    assert set(np.flatnonzero(chooser(**options).weights(scores[None])[0]).tolist()) == kept


def test_temperature():
    scores = np.array([0, 1.0] + [-np.inf] * 7)
    for temperature in (0.5, 1.0, 2.0):
        a, b = chooser(temperature=temperature).weights(scores[None].copy())[0, :2]
        np.testing.assert_allclose(b / a, np.exp(1 / temperature), rtol=1e-12)
    assert chooser(temperature=1e-300)(scores[None], 0) == [1]


@pytest.mark.parametrize("top_p", [None, 0.05, 0.6, 0.999])
@pytest.mark.parametrize("top_k", [None, 1, 70, 900, 5000])
@pytest.mark.parametrize("digits", [1, 7])
def test_what_is_kept_is_what_sorting_all_words_says(rng, digits, top_k, top_p):
    """Equals, of which there are many where weights are rounded, are kept from the first on."""
    weights = np.exp(2 * rng.standard_normal(2000)).round(digits).astype(np.float32)
    order = (-weights).argsort(kind="stable")[:top_k]
    if top_p is not None:
        share = weights[order].cumsum(dtype=np.float64)
        order = order[: (share < top_p * share[-1]).sum() + 1]
    kept = Sampler(2000, how=Sampling(top_k=top_k, top_p=top_p))._kept(weights)
    np.testing.assert_array_equal(kept.nonzero()[0], np.sort(order))


@pytest.mark.parametrize("vocab_size", [1, 128, 300])
def test_one_row_is_searched_as_many_are(rng, vocab_size):
    sampler = Sampler(vocab_size)
    for _ in range(50):
        weights = rng.random((1, vocab_size), np.float32) * (rng.random((1, vocab_size)) < 0.5)
        weights[0, rng.integers(vocab_size)] = 1
        for uniform in (0.0, rng.random(), np.nextafter(1, 0)):
            (many,) = sampler._find(weights, np.array([uniform]))
            assert sampler._find_one(weights[0], uniform) == many
            assert weights[0, many] > 0
