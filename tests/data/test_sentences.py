"""Lines by themselves: how they are found, and which windows a training has of them."""

import hashlib

import numpy as np
import pytest

from rnnlm.data.batches import Batches, make_batches
from rnnlm.data.encoded import open_corpus
from rnnlm.data.encoding import encode_corpus
from rnnlm.data.sentence_batches import SentenceBatches
from rnnlm.data.sentences import Sentences, groups, like_lengths, side_by_side
from rnnlm.data.text import read_corpus
from rnnlm.errors import DataError, InputError
from rnnlm.randomness import stream

EOS = 0


@pytest.fixture
def lines(rng):
    """Lines of 1 to 30 words, and one of 100."""
    return [rng.integers(1, 50, n).tolist() for n in [*rng.integers(1, 31, 60), 100]]


def test_lines_are_found_and_blank_ones_left_out():
    found = Sentences(np.array([3, 4, EOS, EOS, 5, EOS, EOS, 6, 7]), EOS)
    assert [row.tolist() for row in found] == [[3, 4, EOS], [5, EOS]]
    assert (len(found), found.tokens, found.blank, found.lengths.tolist()) == (2, 5, 2, [3, 2])


def test_lists_of_ids_with_their_ends_or_without(lines):
    want = [[*row, EOS] for row in lines]
    assert [row.tolist() for row in Sentences.of(lines, EOS)] == want
    assert [row.tolist() for row in Sentences.of(want, EOS)] == want
    assert Sentences.of([[], [3], []], EOS).blank == 2


def test_ids_of_words_that_there_are_not(lines):
    highest, lines = max(map(max, lines)), Sentences.of(lines, EOS)
    assert lines.within(highest + 1) is lines
    with pytest.raises(InputError, match=rf"must hold ids in \[0, {highest}\), got {highest}"):
        lines.within(highest)


@pytest.mark.parametrize("ids", [[], [EOS, EOS], [3, 4]])
def test_no_line_with_a_word(ids):
    with pytest.raises(DataError, match="must have a line with at least one word, and <eos>"):
        Sentences(np.array(ids, np.int64), EOS)


def test_a_file_is_read_line_by_line(tmp_path):
    text = tmp_path / "text"
    text.write_text("a b c\n\nb\nc a\n" * 30)
    encode_corpus(text, tmp_path / "ids")
    ids, words = open_corpus(tmp_path / "ids")
    want = Sentences(read_corpus(text, words)[0], words.eos_id)
    got = Sentences(ids, words.eos_id)
    assert [row.tolist() for row in got] == [row.tolist() for row in want]
    for number in range(5):
        for a, b in zip(SentenceBatches(got, 4, 3).window(number), SentenceBatches(want, 4, 3).window(number)):
            np.testing.assert_array_equal(a, b)


def test_groups_are_as_large_as_fits(rng):
    lengths = np.sort(rng.integers(1, 40, 200))
    for tokens, rows in ((64, 1), (64, 8), (7, 3), (10_000, 1)):
        cut = groups(lengths, tokens, rows)
        assert [begin for begin, _ in cut] == [0, *(end for _, end in cut[:-1])]
        assert cut[-1][1] == 200
        for begin, end in cut:
            few, last = end - begin <= rows, end == 200
            odd = not last and lengths[end] > 2 * lengths[begin]
            assert few or (end - begin) * lengths[end - 1] <= tokens
            assert last or (end - begin + 1) * lengths[end] > tokens
            assert (
                end - begin == 1 or (end - begin) * lengths[end - 1] <= tokens or lengths[end - 1] <= 2 * lengths[begin]
            )
            assert last or odd or end - begin >= rows
    assert sorted(number for group in like_lengths(lengths.tolist(), 64) for number in group) == list(range(200))


def rows_of(batches, epoch):
    """The lines that an epoch's windows have, put together again from their inputs and targets."""
    found, open_lines = [], []
    for number in range(epoch * len(batches), (epoch + 1) * len(batches)):
        xs, ts = batches.window(number)
        assert xs.shape == ts.shape
        if batches.fresh(number):
            found += open_lines
            open_lines = [[] for _ in xs]
        for line, x, t in zip(open_lines, xs, ts):
            given = t[t >= 0].tolist()
            assert (t[: len(given)] >= 0).all()
            assert x[: len(given)].tolist() == [line[-1] if line else EOS, *given][: len(given)]
            line += given
        assert batches.weight(number) == (ts >= 0).sum() > 0
    return found + open_lines


@pytest.mark.parametrize(("batch_size", "time_size"), [(4, 10), (1, 5), (100, 7), (3, 200)])
def test_an_epoch_has_every_line_once(lines, batch_size, time_size):
    batches = SentenceBatches(Sentences.of(lines, EOS), batch_size, time_size, seed=3)
    want = sorted([*row, EOS] for row in lines)
    first, second = rows_of(batches, 0), rows_of(batches, 1)
    assert sorted(first) == sorted(second) == want
    if len(batches) > 2:
        assert first != second
    for number in range(len(batches)):
        N, T = batches.window(number)[0].shape
        assert time_size >= T
        assert max(batches.size, batch_size * time_size) >= N * T


def test_windows_are_a_function_of_seed_and_number(lines):
    def make(**options):
        return SentenceBatches(Sentences.of(lines, EOS), 4, 10, **options)

    one, other = make(seed=1), make(seed=1)
    numbers = [len(one) + 3, 0, 2 * len(one), 5]
    for number in numbers:
        np.testing.assert_array_equal(one.window(number)[0], other.window(number)[0])
    for other in (make(seed=2), make(seed=1, lap=1)):
        assert any(make(seed=1).window(k)[0].shape != other.window(k)[0].shape for k in range(len(one)))
    for k in range(len(one)):
        np.testing.assert_array_equal(make().window(k)[0], make(seed=0, lap=0).window(k)[0])
    ids = np.concatenate([[*line, EOS] for line in lines]).astype("<i4")
    assert make(seed=1).identity() == {
        "ids": hashlib.sha256(ids).hexdigest()[:32],
        "lines": 61, "tokens": sum(map(len, lines)) + 61, "batch_size": 4, "time_size": 10, "seed": 1, "lap": 0,
    }  # fmt: skip


def test_lines_of_one_length_come_in_the_order_drawn(rng):
    """The same on every machine: sorting by length leaves equal ones as they were."""
    lines = [[1] * n for n in rng.integers(1, 4, 300)]
    order = SentenceBatches(Sentences.of(lines, EOS), 50, 3, seed=1)._place(0)[0]
    drawn = stream(1, "order of samples", 0, part=1).permutation(300)
    assert order.tolist() == sorted(drawn.tolist(), key=lambda number: len(lines[number]))


def test_windows_are_time_major(lines):
    xs, ts = SentenceBatches(Sentences.of(lines, EOS), 4, 10).window(0)
    assert xs.dtype == ts.dtype == np.int32
    xs, ts = side_by_side([np.array([3, 4, EOS]), np.array([5, EOS])])
    assert xs.tolist() == [[EOS, 3, 4], [EOS, 5, 0]]
    assert ts.tolist() == [[3, 4, EOS], [5, EOS, -1]]
    assert xs.T.flags.c_contiguous


def test_which_windows_a_training_has(lines):
    sentences = Sentences.of(lines, EOS)
    assert isinstance(make_batches(sentences, None, 4, 5), SentenceBatches)
    assert isinstance(make_batches(np.arange(50), np.arange(50), 4, 5), Batches)
    with pytest.raises(InputError, match="leave out ts and random_bptt"):
        make_batches(sentences, None, 4, 20, random_bptt=True)
    for given, wanted in zip(make_batches(np.arange(50), None, 4, 5).window(1), (np.arange(49), np.arange(1, 50))):
        np.testing.assert_array_equal(given[0], wanted[5:10])
    with pytest.raises(DataError, match="xs must have two ids at least, an input and its target, got 1"):
        make_batches(np.arange(1), None, 1, 1)
    with pytest.raises(InputError, match=r"must hold ids in \[0, 40\), got 49"):
        make_batches(Sentences.of([*lines, [49]], EOS), None, 4, 5).expect_words(40)
    with pytest.raises(InputError, match="sentence 1 must be a list of integer ids"):
        Sentences.of([[1], [0.5]], EOS)


def test_lines_once_side_by_side_need_not_stay_in_memory(lines, monkeypatch):
    """What was read of a file is let go, once for each group of lines."""
    let_go, sentences = [], Sentences.of(lines, EOS)
    monkeypatch.setattr(type(sentences.ids), "release", lambda ids: let_go.append(ids))
    batches = SentenceBatches(sentences, 4, 10)
    for number in range(len(batches)):
        batches.window(number)
        batches.window(number)
    assert len(let_go) == sum(batches.fresh(number) for number in range(len(batches))) < len(batches)
