"""Both ends of a process that holds one contestant: what it does there, and how it is asked to.

Each contestant has a process of its own, because thread pools of different libraries get in each other's way, and
because its peak memory is then its own.

    python -m benchmarks.worker CONTESTANT CASE WEIGHTS.npz

reads one request a line and answers each with a line of JSON.
"""

import json
import os
import resource
import subprocess
import sys
import traceback
from contextlib import suppress
from pathlib import Path
from time import sleep

import numpy as np

from benchmarks.cases import CASES
from benchmarks.clocks import ON_CUDA, clock
from benchmarks.contestants import CONTESTANTS, contestant

ROOT = Path(__file__).parent.parent
SETTLE = 0.3  # seconds before a burst, in which the threads of whoever had the turn before stop spinning on the cores


class WorkerFailed(Exception):
    """A contestant could not do what it was asked to; the message says why."""


class Worker:
    """A contestant in its own process."""

    def __init__(self, name, case, weights, place):
        command = [sys.executable, "-m", "benchmarks.worker", name, case.name, str(weights)]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        own = CONTESTANTS[name].precision
        env = {**os.environ, **place, **({"RNNLM_PRECISION": own} if own else {})}
        self.process = subprocess.Popen(command, cwd=ROOT, env=env, text=True, **pipes)
        self.name = name

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.process.stdin.close()
        self.process.wait()

    def steps(self, count):
        """Seconds that so many steps took, after one more whose time is not taken: host's, and a GPU's own or None."""
        return self._ask("steps", count)

    def memory(self):
        """Peak memory until now in MiB: of the process, and on a GPU or None."""
        return self._ask("memory", "")

    def _ask(self, task, argument):
        self.begin(task, argument)
        return self.end()

    def begin(self, task, argument):
        """Ask for something: 'prove', whose answer is a number, and arrays in the file that is named."""
        with suppress(BrokenPipeError):  # it has ended: there is no answer either
            print(json.dumps([task, argument]), file=self.process.stdin, flush=True)

    def end(self):
        """The answer to what was asked for."""
        line = self.process.stdout.readline()
        if not line:
            raise WorkerFailed(f"its process ended with exit status {self.process.wait()}")
        answer = json.loads(line)
        if "error" in answer:
            raise WorkerFailed(answer["error"])
        return answer["value"]


class Worked:
    """A worker's other end: does what it is asked to. The contestant is made at the first request."""

    def __init__(self, name, case, weights):
        self.name, self.case, self.weights = name, CASES[case], weights
        self.inputs, self.number, self.runner = self.case.inputs(), 0, None
        self.clock = clock(name)

    def answer(self, task, argument):
        """The value that is asked for."""
        if self.runner is None:
            with np.load(self.weights) as weights:  # read one by one: all at once would count as this one's memory
                self.runner = contestant(self.name, self.case, weights)
            self.inputs = [self.runner.place(*inputs) for inputs in self.inputs]
        return {"prove": self.prove, "steps": self.steps, "memory": self.memory}[task](argument)

    def prove(self, path):
        number, arrays = getattr(self.runner, self.case.proof)(*self.inputs[0])
        np.savez(path, **arrays)
        return float(number)

    def steps(self, count):
        sleep(0 if ON_CUDA else SETTLE)
        self.step()

        def work():
            for _ in range(count):
                self.step()

        return self.clock.seconds(work)

    def memory(self, _):
        return peak_memory(), self.clock.device_mib()

    def step(self):
        self.runner.step(*self.inputs[self.number % len(self.inputs)])
        self.number += 1


def status(name):
    """A line of this process's /proc/self/status, in MiB; NaN where there is none."""
    path = Path("/proc/self/status")
    lines = path.read_text().splitlines() if path.is_file() else []
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith(name)), float("nan"))


def peak_memory():
    """Peak resident memory of this process in MiB.

    From /proc where there is one: what getrusage has begins, on Linux, at the peak of the process that started this
    one.
    """
    peak = status("VmHWM")
    if peak == peak:
        return peak
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 1024)


def main():
    """A worker's life: until its input ends."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a library prints is no answer
    worked = Worked(*sys.argv[1:])
    for line in sys.stdin:
        try:
            answer = {"value": worked.answer(*json.loads(line))}
        except Exception as error:
            traceback.print_exc()
            answer = {"error": f"{type(error).__name__}: {str(error).strip().splitlines()[0] if str(error) else ''}"}
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()
