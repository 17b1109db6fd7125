"""Which tests execute a line, and how long each takes: one run of a folder of tests under coverage."""

import json
import os
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tests.mutations.mutants import Mutant


def environment(root: Path) -> dict[str, str]:
    """Of a run of tests: the package of that folder, one thread of BLAS, no compiled file of another mutant."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("RNNLM_", "COV", "PYTEST_"))}
    return kept | {"PYTHONPATH": str(root), "PYTHONDONTWRITEBYTECODE": "1", "OPENBLAS_NUM_THREADS": "1"}


@dataclass(frozen=True)
class Reach:
    """What a run of a folder of tests has shown.

    Attributes:
        seconds: of the processor, of each test that passes.
        lines: file -> line -> the tests that execute it; "" for what is executed while modules are imported.
    """

    seconds: dict[str, float]
    lines: dict[str, dict[int, set[str]]]

    def tests(self, mutant: Mutant, inner: set[int], users: set[str]) -> list[str]:
        """The tests that may notice a mutant, shortest first.

        What a module does when it is imported is executed by no test in particular. There all tests count, first those
        that execute a function of the module, then those that execute something of a module that imports it.

        Args:
            mutant: the change.
            inner: lines of the file inside of functions.
            users: files that import it.
        """
        by_line = self.lines.get(mutant.file, {})
        found = _union(by_line.get(line, set()) for line in range(mutant.statement[0], mutant.statement[1] + 1))
        if not mutant.imported and "" not in found:
            return self._shortest(found)
        own = found | _union(by_line.get(line, set()) for line in inner)
        near = _union(tests for file in users for tests in self.lines.get(file, {}).values()) - own
        return [*self._shortest(own), *self._shortest(near), *self._shortest(set(self.seconds) - own - near)]

    def _shortest(self, tests: set[str]) -> list[str]:
        return sorted(tests & set(self.seconds), key=lambda test: (self.seconds[test], test))


def _union(sets: Iterable[set[str]]) -> set[str]:
    return set().union(*sets)


def reach(root: Path, package: str, tests: str) -> Reach:
    """Run a folder of tests, or several, in the copy at `root`. Those that fail before anything is changed are left
    out.

    Raises:
        RuntimeError: none passes, or the run came to no end.
    """
    data, seconds = root / ".coverage_of_tests", root / ".seconds_of_tests"
    options = ["-q", "-p", "no:cacheprovider", f"--cov={package}", "--cov-context=test", "--cov-report="]
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("timed.py")), str(seconds), *tests.split(), *options],
        cwd=root,
        env=environment(root) | {"COVERAGE_FILE": str(data)},
        capture_output=True,
        text=True,
    )
    passed = json.loads(seconds.read_text()) if done.returncode in (0, 1) else {}
    if not passed:
        raise RuntimeError(f"{tests} must pass before anything is changed:\n{done.stdout[-3000:]}{done.stderr[-1000:]}")
    return Reach(passed, _lines(data, root))


def _lines(data: Path, root: Path) -> dict[str, dict[int, set[str]]]:
    """file -> line -> tests, from what coverage has noted; set-up and tear-down count as the test."""
    from coverage import CoverageData

    noted = CoverageData(str(data))
    noted.read()
    return {
        str(Path(file).relative_to(root)): {
            line: {context.rpartition("|")[0] for context in contexts}
            for line, contexts in noted.contexts_by_lineno(file).items()
        }
        for file in noted.measured_files()
    }
