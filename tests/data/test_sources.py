"""Ids in an array, in a file, in a map and translated are read in the same way."""

import gc
import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from rnnlm.data import Batches, Tokens, Vocabulary, open_corpus
from rnnlm.data.encoding import write_ids
from rnnlm.data.ids import expect_read, expect_words, ids_of
from rnnlm.data.lanes import lane_windows
from rnnlm.data.sources import tokens_of
from rnnlm.data.translated import Translated
from rnnlm.errors import DataError, InputError
from rnnlm.inference.evaluation import evaluate
from rnnlm.models import SimpleRnnlm
from tests.gradcheck import dev, host

SIZE, WORDS = 300, 7


@pytest.fixture
def want(rng):
    return rng.integers(0, WORDS, SIZE)


@pytest.fixture
def path(tmp_path, want):
    write_ids(tmp_path / "ids", Vocabulary(map(str, range(WORDS))), [want])
    return tmp_path / "ids"


@pytest.fixture(params=["list", "array", "file", "map", "translated"])
def ids(request, want, path):
    """The same ids, wherever they lie."""
    if request.param == "list":
        return tokens_of("ids", want.tolist())
    if request.param == "array":
        return tokens_of("ids", want.astype(np.uint16))
    in_file = open_corpus(path)[0]
    if request.param == "map":
        return tokens_of("ids", np.memmap(path, in_file.dtype, "r", in_file.offset, in_file.shape))
    if request.param == "translated":
        write_ids(path, Vocabulary(map(str, range(WORDS))), [WORDS - 1 - want])
        return Translated.of(open_corpus(path)[0], np.arange(WORDS, dtype=np.int32)[::-1].copy())
    return in_file


def test_all_are_read_alike(ids, want):
    assert (len(ids), ids.shape, ids.ndim, ids.dtype.kind in "iu") == (SIZE, (SIZE,), 1, True)
    np.testing.assert_array_equal(ids, want)
    np.testing.assert_array_equal(ids.read(5, 9), want[5:9])
    for part in (slice(1, None), slice(None, -1), slice(10, 3), slice(-20, 400), slice(400, None)):
        assert isinstance(ids[part], Tokens)
        np.testing.assert_array_equal(ids[part], want[part])
    np.testing.assert_array_equal(ids[10:200][5:-3], want[10:200][5:-3])
    assert (ids[3], ids[np.int64(-1)]) == (want[3], want[-1])
    assert list(ids[:4]) == want[:4].tolist()
    with pytest.raises(IndexError):
        ids[SIZE]
    with pytest.raises(InputError, match="must have step 1, got -1: take np.asarray of them first"):
        ids[::-1]
    assert f"{SIZE} ids" in repr(ids)


def test_pieces_are_all_of_them(ids, want, monkeypatch):
    monkeypatch.setattr("rnnlm.data.tokens.BLOCK", 64)
    pieces = [np.array(piece) for piece in ids.pieces()]
    assert [len(piece) for piece in pieces] == [64, 64, 64, 64, 44]
    np.testing.assert_array_equal(np.concatenate(pieces), want)


@pytest.mark.parametrize("begin", [0, 31, 290])
def test_windows_are_cut_alike_and_wrap(ids, want, begin):
    rows = [np.roll(want, -(100 * i + begin))[:35] for i in range(3)]
    got = ids.window(100, begin, (35, 3))
    assert got.dtype == np.int32
    np.testing.assert_array_equal(host(got).T, rows)


def test_what_is_not_allowed_is_found(ids, want):
    error = (InputError, DataError)
    with pytest.raises(error, match=rf"must hold ids in \[0, 4\), got {max(want)}"):
        ids.within(0, 4)[10:].read(0, SIZE - 10)
    with pytest.raises(error, match=rf"must hold ids in \[0, 4\), got {max(want)}"):
        ids.within(0, 4)[10:].window(5, 0, (35, 3))
    np.testing.assert_array_equal(ids.within(0, WORDS), want)


@pytest.mark.parametrize("in_file", ["xs", "ts"])
def test_one_of_inputs_and_targets_may_be_in_a_file_and_its_ids_are_checked(path, want, in_file):
    parts = {"xs": np.zeros(SIZE, int), "ts": np.zeros(SIZE, int), in_file: open_corpus(path)[0]}
    batches = Batches(**parts, batch_size=3, time_size=20)
    got = dict(zip(("xs", "ts"), batches.window(0)))
    np.testing.assert_array_equal(host(got[in_file]), [want[100 * i : 100 * i + 20] for i in range(3)])
    batches.expect_words(max(want))  # one too few
    with pytest.raises(DataError, match=rf"must hold ids in \[-?\d, {max(want)}\), got {max(want)}"):
        [batches.window(number) for number in range(len(batches))]


def test_an_array_of_them_is_a_copy(ids, want):
    array = np.array(ids, np.int64)
    array[:] = -1
    np.testing.assert_array_equal(ids, want)
    with pytest.raises(ValueError, match="without a copy"):
        ids.__array__(copy=False)


def test_a_file_cut_short_while_it_is_in_use_is_an_error(path):
    """Mapped, it would be a bus error, which ends the process."""
    ids, _ = open_corpus(path)
    batches, model = Batches(ids[:-1], ids[1:], 1, 100), SimpleRnnlm(WORDS, 4, 5)
    batches.window(0)
    os.truncate(path, path.stat().st_size - 104)
    batches.window(0)
    for use in (lambda: batches.window(2), lambda: evaluate(model, ids), lambda: np.asarray(ids[-1:])):
        with pytest.raises(DataError, match=r"ids must have at least .* bytes, got .*: it was cut short after it was"):
            use()


def test_another_file_moved_into_its_place_does_no_harm(path, want):
    ids, _ = open_corpus(path)
    write_ids(path, Vocabulary(["a", "b"]), [np.zeros(9, int)])  # under another name, then renamed
    np.testing.assert_array_equal(ids, want)
    assert len(open_corpus(path)[0]) == 9


def test_a_system_may_give_less_than_it_is_asked_for(path, want, monkeypatch):
    ids, pread = open_corpus(path)[0], os.pread
    monkeypatch.setattr("os.pread", lambda file, length, place: pread(file, min(length, 33), place))
    np.testing.assert_array_equal(ids, want)


def test_the_file_is_closed_with_the_last_of_its_ids(path):
    ids, _ = open_corpus(path)
    number, part = ids.file.number, ids[5:]
    del ids
    gc.collect()
    assert len(np.asarray(part)) == SIZE - 5
    del part
    gc.collect()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(number)


def test_many_threads_read_one_file(path, want):
    """Nobody moves a position that another one reads from."""
    ids, _ = open_corpus(path)
    with ThreadPoolExecutor(8) as pool:
        parts = list(pool.map(lambda i: ids.read(i % 280, i % 280 + 20), range(2000)))
    for i, part in enumerate(parts):
        np.testing.assert_array_equal(part, want[i % 280 : i % 280 + 20])


@pytest.mark.parametrize("wrong", [[[1, 2]], [0.5], "abc", [True]])
def test_what_is_no_list_of_ids_is_refused(wrong):
    with pytest.raises(InputError, match="corpus must be a list of integer ids, got"):
        tokens_of("corpus", wrong)


def test_ids_may_be_the_backends(want):
    np.testing.assert_array_equal(tokens_of("ids", dev(want)), want)


def test_lanes_of_a_text_that_begins_with_an_end():
    """The end is read before the text, whose first token is then a target; shorter lanes are filled up."""
    ids = tokens_of("ids", np.arange(1, 8))
    windows = list(lane_windows(ids, 2, 3, 0))
    np.testing.assert_array_equal(np.concatenate([xs for xs, _ in windows], axis=1), [[0, 1, 2, 3], [4, 5, 6, 0]])
    np.testing.assert_array_equal(np.concatenate([ts for _, ts in windows], axis=1), [[1, 2, 3, 4], [5, 6, 7, -1]])
    windows = list(lane_windows(ids, 2, 2))
    assert [xs.shape for xs, _ in windows] == [(2, 2), (2, 1)]
    np.testing.assert_array_equal(np.concatenate([xs for xs, _ in windows], axis=1), [[1, 2, 3], [4, 5, 6]])
    np.testing.assert_array_equal(np.concatenate([ts for _, ts in windows], axis=1), [[2, 3, 4], [5, 6, 7]])


def test_the_figure_of_a_loss():
    batches = Batches([1, 2, 3], [2, 3, 1], 1, 1)
    assert batches.told(np.log(12.344)) == "perplexity 12.34"
    assert batches.told(1e6).startswith("perplexity 179")  # the largest number there is
    assert (batches.fresh(1), batches.weight(1), batches.unit, batches.figure) == (False, 1, "tokens", "perplexity")


@pytest.mark.parametrize(("wrong", "lowest"), [(3, 0), (-1, 0), (-2, -1)])
def test_ids_are_words_from_the_first_to_the_last(wrong, lowest):
    expect_words("xs", np.array([0, 2, lowest]), 3, lowest)
    expect_words("xs", np.array([], int), 3, lowest)
    with pytest.raises(InputError, match=rf"xs must hold ids in \[{lowest}, 3\), got {wrong}"):
        expect_words("xs", np.array([0, wrong]), 3, lowest)


def test_ids_of_anyone():
    """An array is taken as it is, a list of none as ids."""
    array = np.array([[1, 2]], np.uint16)
    assert ids_of("ids", array, ndims=(1, 2)) is array
    for given in ([], ()):
        assert (ids_of("ids", given).dtype, ids_of("ids", given).shape) == (np.int64, (0,))
    assert ids_of("ids", [3, -1]).tolist() == [3, -1]
    masked = np.ma.masked_array([1, 2], [True, False])
    for wrong, said in (
        (array, r"uint16 of shape \(1, 2\): "), (np.zeros(0), r"float64 of shape \(0,\): "), ([True], "bool of shape"),
        (masked, ""), ([[1], [2, 3]], "rows of different lengths: "), ([2**70], ""), (3, ""),
    ):  # fmt: skip
        with pytest.raises(InputError, match=f"the ids must be a list of integer ids, got {said}"):
            ids_of("the ids", wrong)
    with pytest.raises(InputError, match="ids must be a row, got"):
        ids_of("ids", 0.5, "a row")


def test_what_was_read_is_in_bounds_to_the_last():
    expect_read("x", np.array([2, 5]), 2, 6)
    expect_read("x", np.zeros(0, int), 2, 6)
    for ids, wrong in (([2, 6], 6), ([1, 5], 1), ([1, 6], 1)):
        with pytest.raises(DataError, match=rf"x must hold ids in \[2, 6\), got {wrong}: it is damaged, or of another"):
            expect_read("x", np.array(ids), 2, 6)
