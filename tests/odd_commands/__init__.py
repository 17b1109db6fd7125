"""Odd command lines, drawn from a seed: each must do what it says, or end with a documented code and one sentence.

A command line that works is spoiled: one or two of its words are replaced by odd ones, options of any command are put
into it, words are left out or said twice. It is run in a process of its own, in a folder with models, texts and
rubbish, and for a second or two of the processor: what would take longer is interrupted, as by Ctrl-C.
"""

import os
import random
import shutil
import signal
import sys
import tempfile
import traceback
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tests.odd_commands.lines import FLAGS, LINES, ODD

__all__ = ["CODES", "Finding", "attempt", "spoiled", "tries"]

CODES = {0, 1, 2, 3, 4, 130}
SECONDS = 1.5  # of the processor, until a command is interrupted
PATIENCE = 90  # of the clock, until it is a hang
TRACE = 97  # a code of no command


@dataclass(frozen=True)
class Finding:
    """A command line that did what none should."""

    kind: str
    words: list[str]
    said: str

    def __str__(self) -> str:
        return f"{self.kind}: rnnlm {' '.join(map(repr, self.words))}\n    {self.said[-600:]}"


def spoiled(rng: random.Random) -> list[str]:
    """A command line that something is wrong with, or nothing."""
    words = list(rng.choice(LINES))
    for _ in range(rng.choice([1, 1, 1, 2, 3])):
        place = rng.randrange(len(words) + 1)
        how = rng.choice(["value", "value", "value", "option", "option", "pair", "left out", "twice"])
        if how == "pair":
            words[len(words) :] = [rng.choice(FLAGS), rng.choice(ODD)]
        elif how == "option" or place == len(words):
            words.insert(place, rng.choice(FLAGS))
        elif how == "value":
            words[place] = rng.choice(ODD)
        elif how == "twice":
            words.insert(place, words[place])
        else:
            del words[place]
    return words


def _contents(folder: Path) -> dict[str, object]:
    """What is in a folder, by name: sizes and times of files."""
    found: dict[str, object] = {}
    for path in sorted(folder.rglob("*")):
        state = path.lstat()
        found[str(path.relative_to(folder))] = (state.st_mode, state.st_size if path.is_file() else 0)
    return found


def _run(words: list[str], outputs: Path) -> None:
    """In a process of its own: the command, its streams in two files."""
    for number, name in ((1, "out"), (2, "err")):
        os.dup2(os.open(outputs / name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    sys.stdin = open(0, closefd=False)  # noqa: SIM115 - to the end
    sys.stdout, sys.stderr = (open(n, "w", encoding="utf-8", closefd=False) for n in (1, 2))  # noqa: SIM115
    signal.signal(signal.SIGPROF, lambda *_: os.kill(os.getpid(), signal.SIGINT))
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.setitimer(signal.ITIMER_PROF, SECONDS, SECONDS)
    code = TRACE
    try:
        from rnnlm.cli.main import main

        code = main(words)
    except BaseException:
        traceback.print_exc()
    with suppress(Exception):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code if code in range(256) else TRACE)


def attempt(words: list[str], folder: Path) -> Finding | None:
    """What is wrong with what a command line does in a folder, or None; the folder is left as it was.

    The process is a copy of this one, in which all that commands import should have been imported.
    """
    with tempfile.TemporaryDirectory() as scratch:
        work, outputs = Path(scratch, "work"), Path(scratch)
        shutil.copytree(folder, work, symlinks=True)
        before = _contents(work)
        child = os.fork()
        if not child:
            os.chdir(work)
            _run(words, outputs)
        code = _waited_for(child)
        said = (outputs / "err").read_text(errors="replace") + (outputs / "out").read_text(errors="replace")[-200:]
        changed = {name for name, state in _contents(work).items() if before.get(name) != state}
        kind = _fault(code, (outputs / "err").read_text(errors="replace"), changed)
    return None if kind is None else Finding(kind, words, said)


def _waited_for(child: int) -> int:
    """The code of a process, or the negative number of the signal that ended it."""
    signal.signal(signal.SIGALRM, lambda *_: os.kill(child, signal.SIGKILL))
    signal.alarm(PATIENCE)
    _, status = os.waitpid(child, 0)
    signal.alarm(0)
    return os.waitstatus_to_exitcode(status)


def _fault(code: int, errors: str, changed: set[str]) -> str | None:
    """What is wrong, in a word or two."""
    if code == -signal.SIGKILL:
        return "a hang"
    if code < 0:
        return f"signal {-code}"
    if "Traceback" in errors:
        return "a traceback"
    if code not in CODES:
        return f"code {code}"
    told = [line for line in errors.splitlines() if line.startswith("rnnlm: ")]
    if code and not told and "─" not in errors:  # the frame that tyro draws round its errors
        return f"code {code} without a sentence"
    if code in (2, 3) and len(told) > 1:  # once work has begun there may be notes before it
        return f"code {code} with {len(told)} sentences"
    if code in (2, 3) and changed:
        return f"code {code}, and {', '.join(sorted(changed)[:3])} written"
    return None


def tries(count: int, seed: int, folder: Path) -> Iterator[Finding | None]:
    """So many command lines, one after another."""
    rng = random.Random(seed)
    for _ in range(count):
        yield attempt(spoiled(rng), folder)
