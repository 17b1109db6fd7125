import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from rnnlm.data import Batches
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
