"""One source of random numbers: purposes that never meet, and the streams that earlier versions drew from."""

import ast
from itertools import product
from pathlib import Path

import numpy as np
import pytest

import rnnlm
from rnnlm.randomness import PARTS, PURPOSES, fresh_seed, key_of, philox, stream

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
