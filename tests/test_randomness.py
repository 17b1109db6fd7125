"""One source of random numbers: purposes that never meet, and the streams that earlier versions drew from."""

import ast
from itertools import product
from pathlib import Path

import numpy as np
import pytest

import rnnlm
from rnnlm.errors import InputError
from rnnlm.randomness import PARTS, PURPOSES, StepStreams, fresh_seed, key_of, old_generator, philox, stream

PACKAGE = Path(rnnlm.__file__).parent


def test_purposes_have_rooms_of_their_own():
    begins = sorted(PURPOSES.values())
    assert all(b - a >= PARTS for a, b in zip(begins, begins[1:]))
    assert begins[-1] + PARTS <= 2**64


def test_no_two_places_have_the_same_numbers():
    places = product((0, 1), PURPOSES, (0, 1, 2**63), (0, 1), (0, 1))
    drawn = [stream(seed, purpose, step, part, lap).bytes(16) for seed, purpose, step, part, lap in places]
    assert len(set(drawn)) == len(drawn) == 2 * len(PURPOSES) * 3 * 2 * 2


@pytest.mark.parametrize("step", [0, 1, 7, 2**64 - 1])
def test_the_streams_are_those_of_earlier_versions(step):
    """Keys and counters as 0.1.0 had them: a seed keeps its weights, masks, windows and words."""

    def old(key, counter):
        return np.random.Philox(key=np.array(key, np.uint64), counter=np.array(counter, np.uint64)).random_raw(9)

    np.testing.assert_array_equal(
        stream(5, "initial weights", part=3).bit_generator.random_raw(9), old([5, 3], [0] * 4)
    )
    np.testing.assert_array_equal(
        philox(key_of(5, "dropout", 2), step).random_raw(9), old([5, 2**62 + 2], [0, 0, step, 0])
    )
    windows = stream(5, "window lengths", step, lap=4).bit_generator.random_raw(9)
    np.testing.assert_array_equal(windows, old([5, 2**62 + 2**61], [0, 0, step, 4]))
    np.testing.assert_array_equal(
        stream(5, "sampled words", step).bit_generator.random_raw(9), old([5, 2**63], [0, 0, step, 0])
    )


def test_steps_are_those_of_new_generators():
    steps = StepStreams(2**64 - 1, "sampled words", 3)
    for step in (0, 7, 2**64 - 1, 7):
        drawn = steps.at(step)
        assert drawn.random() == stream(2**64 - 1, "sampled words", step, 3).random()
        drawn.integers(9, dtype=np.uint32)  # of which half a word is left over


def test_fresh_seeds_differ():
    assert len({fresh_seed() for _ in range(100)}) == 100


def test_nobody_else_makes_a_generator():
    """The grammar excepted, whose text is the same for everybody."""
    makers = {"Philox", "default_rng", "SeedSequence", "Generator", "RandomState", "seed"}
    for path in PACKAGE.rglob("*.py"):
        if path.name in ("randomness.py", "grammar.py"):
            continue
        used = {ast.unparse(node) for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Attribute)}
        assert not {name for name in used if name.startswith("np.random.") and name.split(".")[-1] in makers}, path


def seeded():
    """Whatever takes a seed, by name."""
    from rnnlm.data.batches import make_batches
    from rnnlm.data.corpora import made_pairs, story
    from rnnlm.wordvec.options import expect_options

    ids, matrix = np.arange(40) % 5, np.eye(4, dtype=np.float32)
    xs, sentences = ids[:-1], rnnlm.Sentences(np.array([1, 0, 2, 0]), 0)
    pairs = made_pairs.additions(20)
    return {
        "stream": lambda seed: stream(seed, "dropout"),
        "old_generator": old_generator,
        "ModelConfig": lambda seed: rnnlm.ModelConfig(vocab_size=5, seed=seed),
        "SimpleRnnlm": lambda seed: rnnlm.SimpleRnnlm(5, 2, 2, seed=seed),
        "Sequential": lambda seed: rnnlm.Sequential([rnnlm.Dense(2, 2)], seed=seed),
        "generate": lambda seed: rnnlm.generate(rnnlm.SimpleRnnlm(5, 2, 2), 1, seed=seed),
        "make_batches": lambda seed: make_batches(xs, xs, 2, 3, seed=seed),
        "random windows": lambda seed: make_batches(xs, xs, 2, 12, random_bptt=True, seed=seed),
        "batches of sentences": lambda seed: make_batches(sentences, None, 2, 3, seed=seed),
        "train_word2vec": lambda seed: expect_options("cbow", rnnlm.Word2vecOptions(seed=seed)),
        "svd_vectors": lambda seed: rnnlm.svd_vectors(matrix, 2, seed),
        "additions": lambda seed: made_pairs.additions(5, seed),
        "dates": lambda seed: made_pairs.dates(5, seed),
        "Pairs.split": pairs.split,
        "stories": lambda seed: next(story.GRAMMAR.words(seed)),
    }


@pytest.mark.parametrize("name", seeded())
def test_a_seed_is_checked_wherever_one_is_taken(name):
    take = seeded()[name]
    for seed in (0, 2**32, 2**64 - 1, np.uint64(7)):
        take(seed)
    for seed in (-1, 2**64, 1.5, True, "1"):
        with pytest.raises(InputError, match=r"seed must be a whole number in \[0, 2\*\*64\), got"):
            take(seed)


def test_no_seed_is_another_one():
    """Of 64 bits none is lost."""
    drawn = {old_generator(seed).bytes(8) for seed in (0, 1, 2**32, 2**32 + 1, 2**33, 2**64 - 1)}
    assert len(drawn) == 6
    old = np.random.RandomState(5)
    assert old_generator(5).bytes(8) == old.bytes(8)
