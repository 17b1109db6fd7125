"""One case measured: first the proof that all do the same work, then their speed in turns, then their memory."""

import tempfile
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from time import perf_counter

import numpy as np

from benchmarks.contestants import CONTESTANTS
from benchmarks.proof import excuse, prove_same_work, say
from benchmarks.worker import Worker, WorkerFailed

LONG = 20.0  # seconds of a round, above which there are fewer of them
FEW = 3  # rounds, then
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


def measure(case, names, seconds, rounds, place):
    """Everything measured of a case, as `report.py` and the JSON file have it."""
    names = [name for name in names if case.task in CONTESTANTS[name].tasks]
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
    if first > 2 * seconds and not CONTESTANTS[worker.name].may_fail:  # and not for compiling: a burst is one step
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
