"""Which tests execute a line, and how long each takes: one run of a folder of tests under coverage."""

import json
import os
import subprocess
import sys
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

    def tests(self, mutant: Mutant, inner: set[int]) -> list[str]:
        """The tests that may notice a mutant, shortest first.

        Args:
            mutant: the change.
            inner: lines of the file inside of functions. What a module does when it is imported is executed by no test
                in particular: there all tests count that execute one of these, and all there are if there is none.
        """
        by_line = self.lines.get(mutant.file, {})
        first, last = mutant.statement
        wanted = inner if mutant.imported else range(first, last + 1)
        found = set().union(*(by_line.get(line, ()) for line in wanted))
        if "" in found and not mutant.imported:  # a function that is called while modules are imported
            found |= set().union(*(by_line.get(line, ()) for line in inner))
        if not found - {""} and (found or mutant.imported):
            found = set(self.seconds)
        return sorted(found & set(self.seconds), key=lambda test: (self.seconds[test], test))


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
