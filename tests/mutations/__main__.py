"""Draw mutants, try them, and print which of them no test has noticed."""

import argparse
import random
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from tqdm import tqdm

from tests.mutations.kept import key, read_kept, stale
from tests.mutations.trial import Project, Result, hunt

ROOT = Path(__file__).resolve().parents[2]
ROOMS = {room: f"tests/{room}" for room in ("layers", "backend", "optim", "inference", "data", "training", "saving")}
ROOMS["backend"] = "tests/backend/cpu tests/backend/test_backend.py"  # without the kernels
ROOMS["cells"] = "tests/layers tests/backend/cpu"  # which have them run, as they are and beside their twins


def options(arguments: list[str] | None) -> argparse.Namespace:
    """What is asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutations", description=__doc__)
    parser.add_argument("--sample", type=int, default=300, help="how many mutants are drawn (%(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="another one draws others (%(default)s)")
    parser.add_argument("--rooms", nargs="+", choices=ROOMS, default=list(ROOMS), help="of these (all)")
    parser.add_argument("--out", type=Path, help="a file for the list, too")
    return parser.parse_args(arguments)


def _watched(results: Iterator[Result], total: int) -> Iterator[Result]:
    """The same, with a bar on standard error and each survivor as it is found."""
    with tqdm(total=total, unit=" mutants", mininterval=5) as bar:
        for result in results:
            bar.update()
            if not result.killed:
                tqdm.write(_line(result), file=sys.stderr)
            yield result


def _line(result: Result) -> str:
    return f"{result.mutant}   ({result.how})"


def report(results: Iterable[Result], equivalents: int) -> Iterable[str]:
    """A line for each survivor, and the figures."""
    results = list(results)
    survivors = sorted((result for result in results if not result.killed), key=lambda result: str(result.mutant))
    for result in survivors:
        yield _line(result)
    total, killed = len(results), len(results) - len(survivors)
    yield (
        f"{total + equivalents} mutants: {killed} killed, {equivalents} equivalent, {len(survivors)} survived; "
        f"killed {killed / max(1, total):.1%} of those that are not equivalent"
    )


def main(arguments: list[str] | None = None) -> int:
    """Exit status 0, or 1 if a mutant survived or the list of equivalents has an entry that is none any more."""
    asked = options(arguments)
    project = Project(ROOT, "rnnlm", {room: ROOMS[room] for room in asked.rooms})
    mutants, kept = project.mutants(), read_kept()
    old = stale(kept, mutants, {file for room in asked.rooms for file in project.files(room)}, ROOT)
    drawn = random.Random(asked.seed).sample(mutants, min(asked.sample, len(mutants)))
    tried = [mutant for mutant in drawn if key(mutant) not in kept]
    results = list(_watched(hunt(project, tried), len(tried)))
    lines = [f"no mutant any more, take it from the list of those kept: {entry}" for entry in old]
    lines += report(results, len(drawn) - len(tried))
    print("\n".join(lines))
    if asked.out:
        asked.out.write_text("\n".join(lines) + "\n")
    return int(bool(old) or not all(result.killed for result in results))


if __name__ == "__main__":
    sys.exit(main())
