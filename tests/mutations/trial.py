"""Plants mutants in a copy of a repository and runs tests on each."""

import ast
import compileall
import json
import py_compile
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.mutations.mutants import Mutant, mutants_of
from tests.mutations.reach import Reach, environment, reach

SECONDS = 15  # of the processor, for the tests of a mutant
BUDGET = 2 / 3  # of it: no more tests are chosen than take that long without the mutant
HANGS = 1 / 3  # of it: tests that take less than that, and with a mutant more than all, would never end
LEFT_OUT = ("rnnlm/backend/cuda/",)  # needs a device
NOT_COPIED = (".git", ".venv", "venv", "__pycache__", "*.egg-info", ".*_cache", ".hypothesis", "runs", "build", "dist")


@dataclass(frozen=True)
class Project:
    """A repository.

    Attributes:
        root: its folder.
        package: the folder in it whose files are changed.
        rooms: folder in the package -> the folder of the tests that should notice, or folders with blanks between.
    """

    root: Path
    package: str
    rooms: dict[str, str]

    def files(self, room: str) -> list[str]:
        """Of a room, those that are changed."""
        found = (self.root / self.package / room).rglob("*.py")
        names = sorted(str(path.relative_to(self.root)) for path in found)
        return [name for name in names if not name.startswith(LEFT_OUT)]

    def mutants(self) -> list[Mutant]:
        """All there are, room by room."""
        return [mutant for room in self.rooms for file in self.files(room) for mutant in mutants_of(self.root, file)]

    def tests(self, mutant: Mutant) -> str:
        """The tests that should notice it, as `rooms` has them."""
        return self.rooms[Path(mutant.file).parts[1]]


@dataclass(frozen=True)
class Result:
    """What came of a mutant.

    Attributes:
        mutant: the change.
        killed: whether a test failed, or never ended.
        how: in words, with the number of tests that ran.
    """

    mutant: Mutant
    killed: bool
    how: str


def hunt(project: Project, mutants: list[Mutant], seconds: int = SECONDS) -> Iterator[Result]:
    """Try each mutant, folder of tests by folder of tests, each for so many seconds at most."""
    with TemporaryDirectory() as folder:
        root = Path(folder).resolve() / "copy"
        shutil.copytree(project.root, root, ignore=shutil.ignore_patterns(*NOT_COPIED), symlinks=True)
        # a compiled file then counts for the text that it was made of, whatever the time and the size say
        by_text = py_compile.PycInvalidationMode.CHECKED_HASH
        for part in (project.package, "tests"):
            compileall.compile_dir(root / part, quiet=2, workers=1, invalidation_mode=by_text)
        for tests in dict.fromkeys(project.tests(mutant) for mutant in mutants):
            reached = reach(root, project.package, tests)
            with _server(root, seconds) as ask:
                for mutant in mutants:
                    if project.tests(mutant) == tests:
                        yield _try(root, mutant, reached, ask, seconds)


def _try(root: Path, mutant: Mutant, reached: Reach, ask: "Ask", limit: int) -> Result:
    """Plant a mutant, run its tests, take it out again."""
    path = root / mutant.file
    before = path.read_text()
    users = _importing(root, mutant.file, reached)
    tests, seconds = _chosen(reached.tests(mutant, _inside_functions(before), users), reached, BUDGET * limit)
    if not tests:
        return Result(mutant, False, "no test executes it")
    path.write_text(mutant.source)
    try:
        outcome = ask(tests)
        if outcome == "over" and seconds > HANGS * limit:  # not because there are so many
            tests, seconds = _chosen(tests, reached, HANGS * limit)
            outcome = ask(tests)
    finally:
        path.write_text(before)
    if outcome == "over":
        hangs = seconds <= HANGS * limit
        return Result(mutant, hangs, "never ends" if hangs else "the time is up")
    return Result(mutant, outcome != 0, f"{len(tests)} tests pass" if outcome == 0 else "a test fails")


def _chosen(tests: list[str], reached: Reach, budget: float) -> tuple[list[str], float]:
    """The shortest tests that there is time for, at least one, and the seconds that they take."""
    chosen: list[str] = []
    seconds = 0.0
    for test in tests:
        seconds += reached.seconds[test]
        if chosen and seconds > budget:
            return chosen, seconds - reached.seconds[test]
        chosen.append(test)
    return chosen, seconds


def _importing(root: Path, file: str, reached: Reach) -> set[str]:
    """The files that name a module, given as a file, in full, as they do who import it."""
    module = re.compile(rf"\b{file.removesuffix('.py').removesuffix('/__init__').replace('/', '[.]')}\b")
    return {other for other in reached.lines if other != file and module.search((root / other).read_text())}


def _inside_functions(source: str) -> set[int]:
    """Numbers of the lines that run when a function is called, not when the module is imported."""
    functions = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef))
    return {line for node in functions for part in node.body for line in range(part.lineno, (part.end_lineno or 0) + 1)}


class Ask:
    """Asks the server for the outcome of tests."""

    def __init__(self, server: "subprocess.Popen[str]") -> None:
        self._server = server

    def __call__(self, tests: list[str]) -> int | str:
        """The exit status of pytest, or "over"."""
        assert self._server.stdin
        assert self._server.stdout
        self._server.stdin.write(json.dumps(tests) + "\n")
        self._server.stdin.flush()
        outcome: int | str = json.loads(self._server.stdout.readline())
        return outcome


@contextmanager
def _server(root: Path, seconds: int) -> Iterator[Ask]:
    """The process that runs tests, in the copy."""
    command = [sys.executable, str(Path(__file__).with_name("server.py")), str(seconds)]
    with subprocess.Popen(
        command, cwd=root, env=environment(root), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        yield Ask(server)
        assert server.stdin
        server.stdin.close()
