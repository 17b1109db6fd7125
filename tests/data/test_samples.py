"""Samples: what they may be, and how they are picked."""

from itertools import chain

import numpy as np
import pytest

from rnnlm.data.samples import Samples, arrays, count_of, taken
from rnnlm.errors import InputError
from tests.gradcheck import host


def seen(batches, epoch=0):
    """The numbers of the samples in an epoch's batches."""
    windows = [batches.window(epoch * len(batches) + k) for k in range(len(batches))]
    for x, t in windows:
        np.testing.assert_array_equal(host(x)[:, 0], host(t))
    return [host(t).tolist() for _, t in windows]


def numbered(count, *arguments, **options):
    return Samples(np.arange(count)[:, None] * 1.0, np.arange(count), *arguments, **options)


def test_an_epoch_has_every_sample_once_in_an_order_of_its_own():
    batches = numbered(23, 5, seed=3)
    assert (len(batches), batches.size, batches.samples) == (5, 5, 23)
    first, second = seen(batches), seen(batches, 1)
    assert [len(numbers) for numbers in first] == [5, 5, 5, 5, 3]
    assert sorted(chain(*first)) == sorted(chain(*second)) == list(range(23))
    orders = [first, second, seen(numbered(23, 5, seed=4)), seen(numbered(23, 5, seed=3, lap=1))]
    assert len({str(order) for order in orders}) == 4
    assert seen(batches) == first  # asked for again
    assert batches.identity() == {"samples": 23, "batch_size": 5, "seed": 3, "lap": 0}
    assert seen(numbered(23, 5)) == seen(numbered(23, 5, seed=0, lap=0))
    most = 2**64 - 1
    assert sorted(chain(*seen(numbered(23, 5, most, lap=most)))) == list(range(23))
    for name in ("seed", "lap"):
        with pytest.raises(InputError, match=rf"{name} must be a whole number in \[0, 2\*\*64\), got 1844"):
            numbered(23, 5, **{name: 2**64})
    assert (numbered(70).size, numbered(3).size) == (32, 3)  # and no more than there are
    assert batches.told(0.123456) == "loss 0.1235"
    assert [batches.weight(number) for number in (3, 4)] == [5, 3]


def test_inputs_and_targets_may_be_several():
    x, t = (np.arange(6)[:, None] * 1.0, np.arange(6)), (np.arange(6), np.arange(6) * 2.0)
    batches = Samples(x, t, 4, dtype="float32")
    xs, ts = batches.window(0)
    assert [one.dtype for one in (*xs, *ts)] == [np.float32, np.float32, np.int64, np.float64]
    np.testing.assert_array_equal(host(xs[0])[:, 0], host(ts[0]))
    np.testing.assert_array_equal(host(ts[1]), 2 * host(xs[1]))
    assert count_of(x) == 6
    assert [len(one) for one in taken(x, slice(2, 4))] == [2, 2]
    with pytest.raises(InputError, match="all inputs must have one number of samples, got 5, 6"):
        Samples((x[0], x[1][:5]), t)
    with pytest.raises(InputError, match="x and t must have one entry for each sample, got 6 and 5"):
        Samples(x, t[0][:5])


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ([[1, 2], [3]], "x must be an array of numbers, its rows of one length"),
        (["a"], "x must be an array of numbers, got dtype <U1"),
        (3.0, r"x must be an array of numbers, one row a sample, got float64 \(\)"),
        (np.zeros((0, 3)), r"x must be an array of numbers, one row a sample, got float64 \(0, 3\)"),
        (([1.0], "a"), r"x\[1\] must be an array of numbers"),
    ],
)
def test_what_is_no_array_of_numbers_is_refused(wrong, message):
    with pytest.raises(InputError, match=message):
        arrays("x", wrong)
