"""A part of `python -m tests.odd_commands`, and whether it sees what it should."""

import random
import signal
import sys

import pytest

from tests import odd_commands
from tests.odd_commands import attempt, spoiled, tries
from tests.odd_commands.place import furnish

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(sys.platform == "win32", reason="copies the process, as Windows can't"),
    pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning"),
]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("place")
    furnish(folder)
    return folder


@pytest.mark.parametrize("part", range(2))
def test_an_odd_command_line_ends_with_a_documented_code_and_one_sentence(place, part):
    found = [str(one) for one in tries(30, part, place) if one is not None]
    assert not found


def test_lines_are_of_all_commands():
    drawn = [spoiled(random.Random(seed)) for seed in range(300)]
    for command in (
        "train",
        "eval",
        "compare",
        "score",
        "generate",
        "info",
        "plot",
        "quantize",
        "data",
        "ngram",
        "vectors",
    ):
        assert any(command in words for words in drawn)


def fails(words):
    raise KeyError(words[0])


def falls_silent(words):
    return 1


def repeats_itself(words):
    print("rnnlm: no\nrnnlm: no", file=sys.stderr)
    return 2


def writes(words):
    print("rnnlm: no", file=sys.stderr)
    with open("new", "w") as file:
        file.write("a result")
    return 3


def invents_a_code(words):
    return 77


def hangs(words):
    for number in (signal.SIGINT, signal.SIGPROF):
        signal.signal(number, signal.SIG_IGN)
    while True:
        pass


@pytest.mark.parametrize(
    ("main", "kind"),
    [
        (fails, "a traceback"),
        (falls_silent, "code 1 without a sentence"),
        (repeats_itself, "code 2 with 2 sentences"),
        (writes, "code 3, and new written"),
        (invents_a_code, "code 77"),
        (hangs, "a hang"),
        (lambda words: 0, None),
    ],
)
def test_each_fault_is_seen(place, monkeypatch, main, kind):
    monkeypatch.setattr("rnnlm.cli.main.main", main)
    monkeypatch.setattr(odd_commands, "PATIENCE", 2)
    found = attempt(["train"], place)
    assert (found and found.kind) == kind
