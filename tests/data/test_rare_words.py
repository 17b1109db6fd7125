"""Words that occur once are `<unk>` now and then, the same ones as input and as target."""

import numpy as np
import pytest

from rnnlm import Batches, Vocabulary
from rnnlm.data.rare_words import RareUnknown, rare_words, words_of_training
from rnnlm.errors import InputError
from tests.gradcheck import host

WORDS = Vocabulary(["<unk>", "<eos>", *"abcd", *(f"once{i}" for i in range(40))])
IDS = np.array([k for i in range(40) for k in (2 + i % 4, 6 + i)] + [2, 1], np.int32)  # every other word occurs once


def windows(rate=0.5, seed=0):
    return RareUnknown(Batches(IDS[:-1], IDS[1:], 1, 81), rare_words(IDS, WORDS), WORDS, rate, seed)


def epoch(number, **options):
    xs, ts = windows(**options).window(number)
    return host(xs)[0], host(ts)[0]


def test_what_occurs_once_is_unknown_in_a_share_of_the_epochs():
    assert rare_words(IDS, WORDS).tolist() == list(range(6, 46))
    seen = np.array([epoch(number)[0] for number in range(50)])
    changed = seen != IDS[:-1]
    assert (seen[changed] == WORDS.unk_id).all()
    assert not changed[:, IDS[:-1] < 6].any()
    assert 0.4 < changed[:, IDS[:-1] >= 6].mean() < 0.6
    assert (changed.any(axis=0) == (IDS[:-1] >= 6)).all()  # each word's turn comes


def test_a_word_is_the_same_as_input_and_as_target_of_the_one_before():
    xs, ts = epoch(3)
    np.testing.assert_array_equal(xs[1:], ts[:-1])
    assert (xs == WORDS.unk_id).any()


def test_which_ones_are_unknown_is_a_function_of_seed_and_epoch():
    made = windows()
    forth = [host(made.window(number)[0]).copy() for number in (0, 1, 2)]
    back = [host(made.window(number)[0]).copy() for number in (2, 1, 0)][::-1]
    np.testing.assert_array_equal(forth, back)
    assert (forth[0] != forth[1]).any()
    assert (epoch(0)[0] != epoch(0, seed=1)[0]).any()
    assert windows().identity() != windows(seed=1).identity() != windows(rate=0.4, seed=1).identity()


def test_words_of_held_out_parts_alone_are_unknown():
    words = Vocabulary(["<unk>", "<eos>", "a", "new", "b"])
    (train, valid), left = words_of_training(np.array([2, 4, 2, 1]), [np.array([3, 4, 0, 1])], words)
    assert left.words == ["<unk>", "<eos>", "a", "b"]
    assert (train.tolist(), valid.tolist()) == ([2, 3, 2, 1], [0, 3, 0, 1])


def test_words_without_unk_are_refused():
    with pytest.raises(InputError, match="words must have <unk>"):
        RareUnknown(windows().windows, np.array([0]), Vocabulary(["a", "b"]), 0.5, 0)


def test_targets_to_be_ignored_stay_so():
    ts = IDS[1:].copy()
    ts[::7] = -1
    batches = RareUnknown(Batches(IDS[:-1], ts, 1, 81), rare_words(IDS, WORDS), WORDS, 0.5, 0)
    np.testing.assert_array_equal(host(batches.window(0)[1])[0] == -1, ts == -1)
