import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from rnnlm.data import Batches, Sentences
from rnnlm.data.batches import RandomBatches, make_batches
from rnnlm.errors import DataError, InputError
from tests.gradcheck import host


@settings(max_examples=200, deadline=None)
@given(st.integers(1, 60), st.integers(1, 7), st.integers(1, 9), st.integers(0, 40))
def test_windows_are_the_books_index_by_index(size, N, T, number):
    if size < N * T:
        return
    xs, ts = np.arange(size), 100 + np.arange(size)
    batches = Batches(xs, ts, N, T)
    assert len(batches) == size // (N * T)
    got = batches.window(number)
    jump = size // N
    want = [[(i * jump + number * T + t) % size for t in range(T)] for i in range(N)]
    np.testing.assert_array_equal(host(got[0]), want)
    np.testing.assert_array_equal(host(got[1]), 100 + np.array(want))
    assert got[0].T.flags.c_contiguous


@pytest.mark.parametrize(
    ("error", "arguments", "message"),
    [
        (DataError, ([1, 2, 3], [2, 3, 4], 2, 2), r"batch_size 2 x time_size 2 needs 4 pairs of words, it has 3"),
        (DataError, ([], np.zeros(0, int), 2, 2), "needs 4 pairs of words, it has 0"),
        (InputError, ([1, 2**32], [1, 2], 1, 1), r"xs must hold ids in \[-1, 2147483648\), got 4294967296"),
        (InputError, ([1, 2], [1], 1, 1), "xs and ts must be of one length, got 2 and 1"),
        (InputError, ([1, 2], [1, 2], 0, 1), "batch_size must be a whole number of at least 1, got 0"),
        (InputError, ([1, 2], [1, 2], 1, 1.5), "time_size must be a whole number of at least 1, got 1.5"),
        (InputError, ([1.0, 2], [1, 2], 1, 1), "xs must be a list of integer ids, got float64"),
        (InputError, ([[1], [2]], [1, 2], 1, 1), "xs must be a list of integer ids, got int64 of shape"),
    ],
)
def test_windows_that_can_not_be_are_refused(error, arguments, message):
    if arguments[0] == []:
        arguments = (np.zeros(0, int), *arguments[1:])
    with pytest.raises(error, match=message):
        Batches(*arguments)


def test_windows_of_random_lengths():
    xs = np.arange(2000)
    batches = RandomBatches(xs, xs, 2, 20, seed=3)
    spans = [batches.span(k) for k in range(400)]
    assert [begin for begin, _ in spans] == [0, *np.cumsum([length for _, length in spans])[:-1]]
    lengths = np.array([length for _, length in spans])
    assert batches.weight(7) == lengths[7] == batches.window(7)[0].shape[1]
    assert lengths.min() == 5
    assert abs(lengths[lengths > 14].mean() - 20) < 1  # the standard error of 370 is 0.26
    assert 0.01 < (lengths < 8).mean() < 0.06  # of a mean of 10, and very few of one of 20
    assert abs(len(batches) * lengths.mean() - 1000) < 40
    for number, length in enumerate(lengths[:20]):
        assert batches.scaled(0.3, number) == (0.3 if length == 20 else 0.3 * length / 20)
    number = int(np.flatnonzero(lengths == 20)[0])
    assert batches.scaled(0.3, number) == 0.3
    numbers = {"tokens": 2000, "batch_size": 2, "time_size": 20, "seed": 3, "stream": 0}
    assert batches.identity().items() >= numbers.items()
    others = [RandomBatches(xs, xs, 2, 20), RandomBatches(xs, xs, 2, 20, 3, 1), RandomBatches(xs, xs, 2, 20, 0, 0)]
    first, second, third = ([other.span(k) for k in range(20)] for other in others)
    assert first == third != second != spans[:20] != first
    assert [RandomBatches(xs[:24], xs[:24], 2, 10).span(k)[1] <= 12 for k in range(20)] == [True] * 20


def test_a_training_has_windows_of_one_length_unless_it_asks_for_random_ones():
    ids = np.arange(100)
    assert type(make_batches(ids, ids, 2, 20)) is Batches
    random = make_batches(ids, ids, 2, 20, True, 3, 1)
    assert [random.span(k) for k in range(9)] == [RandomBatches(ids, ids, 2, 20, 3, 1).span(k) for k in range(9)]
    assert make_batches(ids, ids, 2, 20, True).identity() == RandomBatches(ids, ids, 2, 20, 0, 0).identity()
    assert Batches(ids, ids, 2, 20).scaled(0.3, 1) == 0.3


def test_the_numbers_of_random_windows_are_64_bits():
    ids, most = np.arange(100), 2**64 - 1
    assert RandomBatches(ids, ids, 2, 20, most, most).identity()["stream"] == most
    plain = RandomBatches(ids, ids, 2, 20).identity()
    assert (plain["seed"], plain["stream"]) == (0, 0)
    for seed, stream, wrong in ((2**64, 0, "seed"), (0, 2**64, "lap"), (-1, 0, "seed"), (0, -1, "lap")):
        with pytest.raises(InputError, match=rf"{wrong} must be a whole number in \[0, 2\*\*64\), got"):
            RandomBatches(ids, ids, 2, 20, seed, stream)
    for wrong in (2**64, -1):  # of windows that draw nothing, too
        with pytest.raises(InputError, match=r"seed must be a whole number in \[0, 2\*\*64\), got"):
            make_batches(ids, ids, 2, 20, seed=wrong)


def test_windows_are_gone_over_again_and_again():
    corpus = np.arange(47)
    batches = Batches(corpus[:-1], corpus[1:], 2, 5)
    first, second = list(batches), list(batches)
    assert len(first) == len(second) == len(batches) == 4
    for number, ((xs, ts), (again, _)) in enumerate(zip(first, second)):
        np.testing.assert_array_equal(host(xs), host(batches.window(number)[0]))
        np.testing.assert_array_equal(host(xs), host(again))
        np.testing.assert_array_equal(host(ts), host(xs) + 1)
    np.testing.assert_array_equal(host(next(iter(batches.epoch(2)))[0]), host(batches.window(8)[0]))
    with pytest.raises(InputError, match="number must be a whole number of at least 0, got -1"):
        batches.epoch(-1)
    lines = make_batches(Sentences([1, 2, 0, 3, 0, 4, 4, 0], 0), None, 2, 3)
    assert sum(int((host(ts) >= 0).sum()) for _, ts in lines) == 8
