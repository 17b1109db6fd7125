"""One case measured: first the proof that all do the same work, then their speed in turns, then their memory.

The proof has processes of its own, so that its copies of gradients are in nobody's peak memory: the processes that are
measured do steps and nothing else.
"""

import sys
import tempfile
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from time import perf_counter

import numpy as np

from benchmarks.worker import Worker, WorkerFailed

TOLERANCES = {"fp32": 1e-4, "tf32": 1e-2}  # of each array's largest entry: other orders of sums; factors of 10 bits
LONG = 20.0  # seconds of a round, above which there are fewer of them
FEW = 3  # rounds, then
OPTIONAL = ("torch-compiled", "torch-graph")  # may fail without ending the run
WARM_UP = 20  # steps on a GPU, whose clocks rise and whose kernels are compiled in them


@dataclass(frozen=True)
class Place:
    """Where all contestants run.

    Attributes:
        device: 'cpu' or 'cuda'.
        precision: of float32 products, 'fp32' or 'tf32'.
    """

    device: str = "cpu"
    precision: str = "fp32"

    @property
    def environment(self):
        """What a contestant's process is told of it."""
        return {"RNNLM_DEVICE": self.device, "RNNLM_PRECISION": self.precision}


class NotTheSameWork(Exception):
    """Two contestants computed different things."""


def say(*words):
    """Progress, on standard error."""
    print(*words, file=sys.stderr, flush=True)


def measure(case, names, seconds, rounds, place):
    """Everything measured of a case, as `report.py` and the JSON file have it."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        weights = Path(folder) / "weights.npz"
        np.savez(weights, **case.sizes.model().state_dict())
        missing = prove_same_work(case, names, weights, place)
        workers = {
            name: stack.enter_context(Worker(name, case, weights, place.environment))
            for name in names
            if name not in missing
        }
        first, failed = warm_up(case, workers, WARM_UP if place.device == "cuda" else 1)
        figures = take_turns(case, workers, first, seconds, rounds, place)
        memory = {name: worker.memory() for name, worker in workers.items()}
    return {
        "case": case.name,
        **asdict(place),
        **figures,
        "peak_mib": {name: host for name, (host, _) in memory.items()},
        "device_mib": {name: device for name, (_, device) in memory.items()},
        "not_available": missing | failed,
    }


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
            else:
                expect_same(case, worker.name, found, want, TOLERANCES[place.precision])
    return missing


def excuse(case, name, failure):
    """Why a contestant is left out, in words; raises the failure if it is one that must not be."""
    if name not in OPTIONAL:
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


def warm_up(case, workers, count):
    """Some steps by each, which compile, make buffers and wake threads: seconds of one, by name.

    Whoever may fail and does is taken out of `workers`, and why is returned too.
    """
    first, missing = {}, {}
    for worker in workers.values():  # all make their contestants at once
        worker.begin("memory", "")
    for name, worker in list(workers.items()):
        try:
            worker.end()
            first[name] = worker.steps(count)[0] / count
        except WorkerFailed as failure:
            missing[name] = excuse(case, name, failure)
            del workers[name]
    return first, missing


def take_turns(case, workers, first, seconds, rounds, place):
    """Tokens per second of each contestant in each round, and the floor's; a GPU's own seconds of a step."""
    steps, expected = {}, 0.0
    for name, worker in workers.items():
        steps[name], step_seconds = steps_of_a_burst(worker, first[name], seconds)
        expected += steps[name] * step_seconds
        say(f"{case.name}: {name}: {1000 * step_seconds:.3g} ms a step, {steps[name]} of them a burst")
    meant, rounds = rounds, min(rounds, FEW) if expected > LONG else rounds
    if rounds < meant:
        say(f"{case.name}: {rounds} rounds instead of {meant}, because one takes {expected:.0f} seconds")
    floors, rates, on_device = [], {name: [] for name in workers}, {name: [] for name in workers}
    for number in range(rounds):
        if case.task == "training" and place.device == "cpu":
            floors.append(product_rate() / case.product_operations * case.tokens)
        for name, worker in workers.items():
            host, device = worker.steps(steps[name])
            rates[name].append(steps[name] * case.tokens / host)
            on_device[name].append(device and device / steps[name])
        say(f"{case.name}: round {number + 1} of {rounds} done")
    return {
        "rounds": rounds,
        "rounds_meant": meant,
        "steps_of_a_burst": steps,
        "tokens_per_second": rates,
        "device_seconds_a_step": on_device,
        "floors": floors,
    }


def steps_of_a_burst(worker, first, seconds):
    """Steps that take about so many seconds, at least one, and the seconds of one; `first` are those of the first."""
    if first > 2 * seconds and worker.name not in OPTIONAL:  # and not for compiling: a burst is one step
        return 1, first
    count = 1
    while (took := worker.steps(count)[0]) < seconds / 3:
        count *= 3
    return max(1, round(count * seconds / took)), took / count


def product_rate():
    """Floating-point operations per second of a large float32 product, the best of ten."""
    a = np.random.default_rng(0).standard_normal((2048, 2048), np.float32)
    times = []
    for _ in range(10):
        start = perf_counter()
        a @ a
        times.append(perf_counter() - start)
    return 2 * 2048**3 / min(times)
