"""The mutation run itself: a fault that a test notices is killed, one that none does survives."""

import random

import pytest

from rnnlm.backend import NAME
from tests.mutations.__main__ import ROOT, report
from tests.mutations.kept import key, read_kept, stale
from tests.mutations.mutants import mutants_of
from tests.mutations.trial import Project, hunt

SOURCE = '''"""Text: 1 + 1."""

HALF = 0.5


def half(x: float = 1.0) -> float:
    if x < 0:
        raise ValueError(f"{x + 1} is too small" + "")
    return HALF * x


def wait(n: int) -> int:
    while n > 0:
        n -= 1
    return n


def never() -> int:
    return 2
'''
TESTS = """from tiny.room.code import half, wait
def test_half():
    assert half(4.0) == 2.0
def test_wait():
    wait(3)
"""


@pytest.fixture
def tiny(tmp_path):
    for name, text in (("tiny/room/code.py", SOURCE), ("tests/room/test_code.py", TESTS)):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text(text)
    return Project(tmp_path, "tiny", {"room": "tests/room"})


def changes(tmp_path, source):
    (tmp_path / "code.py").write_text(source)
    return [f"{mutant.before} -> {mutant.after}" for mutant in mutants_of(tmp_path, "code.py")]


def test_changes_are_those_that_a_test_should_notice(tiny):
    assert [mutant.after for mutant in tiny.mutants()] == [
        "HALF = 1.5",
        "def half(x: float = 2.0) -> float:",
        "if x <= 0:",
        "if x < 1:",
        "pass",
        "return None",
        "return HALF / x",
        "while n >= 0:",
        "while n > 1:",
        "n += 1",
        "pass",
        "n -= 2",
        "return None",
        "return None",
        "return 3",
    ]


@pytest.mark.parametrize(
    ("line", "becomes"),
    [
        ("x = a * b + (c)", ["x = a / b + (c)", "x = a * b - (c)"]),
        ("x = a ** b ** c", ["x = (a * b ** c)", "x = a ** (b * c)"]),
        ("x = not (a and b)", ["x = (a and b)", "x = not ((a or b))"]),
        ("x = a[:n]", ["x = a[:]"]),
        ("x = max(-a, 2)", ["x = min(-a, 2)", "x = max(a, 2)", "x = max(-a, 3)"]),
        ("x.y = f(a, out=b)", ["pass", "x.y = f(a)"]),
        ("x = b if a else c", ["x = b if (not (a)) else c"]),
        ("y: Literal[1] = a is b", ["y: Literal[1] = a is not b"]),
        ('print(f"{a + b}")', []),
        ("é = 'é' < b", ["é = 'é' <= b"]),
    ],
)
def test_a_change_is_one_of_the_text(tmp_path, line, becomes):
    assert sorted(changes(tmp_path, line)) == sorted(f"{line} -> {after}" for after in becomes)


@pytest.mark.skipif(NAME != "numpy", reason="runs tests of its own, which ask no backend: runs on NumPy")
def test_what_a_test_notices_is_killed_and_the_rest_survives(tiny):
    lines = {mutant.after: mutant for mutant in tiny.mutants()}
    chosen = ["HALF = 1.5", "return HALF / x", "while n > 1:", "n += 1", "return 3"]
    results = list(hunt(tiny, [lines[after] for after in chosen], seconds=2))
    assert [(r.killed, r.how) for r in results[:3]] == [(True, "a test fails")] * 2 + [(False, "1 tests pass")]
    assert (results[3].killed, results[4].how) == (True, "no test executes it")
    assert (tiny.root / "tiny/room/code.py").read_text() == SOURCE
    *survivors, figures = report(results, equivalents=1)
    assert survivors[1] == "tiny/room/code.py:19 in never: return 2 -> return 3   (no test executes it)"
    assert figures.startswith("6 mutants: 3 killed, 1 equivalent, 2 survived; killed 60.0%")


def test_a_mutant_that_is_kept_is_known_by_its_text(tiny, tmp_path):
    mutant = random.Random(0).choice(tiny.mutants())
    entry = "\n".join(f"{name} = {value!r}" for name, value in zip(("file", "where", "line", "becomes"), key(mutant)))
    (tmp_path / "kept.toml").write_text(f"[[kept]]\n{entry}\nreason = 'speed'\n")
    kept = read_kept(tmp_path / "kept.toml")
    (tiny.root / mutant.file).write_text("\n\n\n" + SOURCE)  # lines below
    assert key(mutant) in kept
    assert not stale(kept, tiny.mutants(), {mutant.file}, tmp_path)
    (tiny.root / mutant.file).write_text("")
    assert stale(kept, tiny.mutants(), {mutant.file}, tmp_path)


def test_every_mutant_that_is_kept_has_a_reason_and_a_file():
    for file, *_ in read_kept():
        assert (ROOT / file).is_file()
