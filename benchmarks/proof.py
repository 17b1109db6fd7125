"""The proof that all contestants do the same work: the same numbers of the same weights and inputs.

It has processes of its own, so that its copies of gradients are in nobody's peak memory: the processes that are
measured do steps and nothing else.
"""

import sys
from contextlib import ExitStack

import numpy as np

from benchmarks.contestants import CONTESTANTS
from benchmarks.worker import Worker, WorkerFailed

TOLERANCES = {"fp32": 1e-4, "tf32": 1e-2}  # of each array's largest entry: other orders of sums; factors of 10 bits
NEAR = 5e-2  # of a loss, of log-probabilities' sum or of the largest score: contestants that are less exact


class NotTheSameWork(Exception):
    """Two contestants computed different things."""


def say(*words):
    """Progress, on standard error."""
    print(*words, file=sys.stderr, flush=True)


def prove_same_work(case, names, weights, place):
    """Stop unless all give the same numbers for the same weights and inputs; why those that may fail did, by name."""
    say(f"{case.name}: do {', '.join(names)} do the same work?")
    want, missing = None, {}
    with ExitStack() as stack:
        workers = [stack.enter_context(Worker(name, case, weights, place.environment)) for name in names]
        for worker in workers:  # all at once: nothing is timed
            worker.begin("prove", str(weights.with_name(f"{worker.name}.npz")))
        for worker in workers:
            try:
                found = worker.end(), dict(np.load(weights.with_name(f"{worker.name}.npz")))
            except WorkerFailed as failure:
                missing[worker.name] = excuse(case, worker.name, failure)
                continue
            if want is None:
                want = found
            elif CONTESTANTS[worker.name].less_exact:
                expect_near(case, worker.name, found, want)
            else:
                expect_same(case, worker.name, found, want, TOLERANCES[place.precision])
    return missing


def excuse(case, name, failure):
    """Why a contestant is left out, in words; raises the failure if it is one that must not be."""
    if not CONTESTANTS[name].may_fail:
        raise failure
    say(f"{case.name}: {name} is not available: {failure}")
    return str(failure)


def expect_same(case, name, found, want, tolerance):
    """Check a contestant's number and arrays against ours.

    Raises:
        NotTheSameWork: they differ by more than rounding, or are other arrays.
    """
    (number, arrays), (our_number, ours) = found, want
    where = f"{case.name}: {name}:"
    if not abs(number - our_number) <= tolerance * abs(our_number):
        raise NotTheSameWork(f"{where} {number}, ours {our_number}")
    if set(arrays) != set(ours):
        raise NotTheSameWork(f"{where} {sorted(arrays)}, ours {sorted(ours)}")
    for key, a in ours.items():
        if arrays[key].shape != a.shape:
            raise NotTheSameWork(f"{where} {key} has shape {arrays[key].shape}, ours {a.shape}")
        error = np.abs(arrays[key] - a).max() / np.abs(a).max()
        if not error <= (0 if a.dtype.kind in "iu" else tolerance):  # ids are the same or not
            raise NotTheSameWork(f"{where} {key} differs by {error:.1e} of its largest entry")


def expect_near(case, name, found, want):
    """Check that a less exact contestant does what ours does: its loss or sum, and the scores of a first word.

    Its gradients, and words that follow from scores nearly equal, may be others.

    Raises:
        NotTheSameWork: they differ by more than fewer bits explain.
    """
    compared = [(number, {key: a for key, a in arrays.items() if key == "scores"}) for number, arrays in (found, want)]
    expect_same(case, name, *compared, NEAR)
