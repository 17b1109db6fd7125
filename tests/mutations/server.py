"""Runs tests in processes that have the heavy imports already: half a second for a mutant instead of two.

Not imported but run, in the folder of the copy: `python server.py SECONDS`, how many a run may take of the processor.
By the clock on the wall, what hangs is not to be told from a test on a busy machine. Each line of its input is a list of tests, in JSON, each line of its
output what came of them: the exit status of pytest, or "over" if the time was. It must never import what is changed.
"""

import importlib
import json
import os
import resource
import signal
import sys
import time

MEMORY = 8 << 30  # bytes: a mutant may ask for more and more
AT_MOST = 120  # by the clock, for what waits for ever
HEAVY = [
    "_hypothesis_pytestplugin", "concurrent.futures", "filelock", "hypothesis", "numpy", "numpy.random",
    "pytest", "pytest_benchmark.plugin", "safetensors.numpy", "threadpoolctl", "tqdm",
]  # fmt: skip
OPTIONS = ["-x", "-q", "-p", "no:cacheprovider", "-p", "no:cov", "-p", "no:xdist", "--assert=plain", "--tb=no"]


def load() -> None:
    """Import what every run of tests would, as far as it is installed."""
    from _pytest.config import default_plugins

    for name in [*HEAVY, *(f"_pytest.{plugin}" for plugin in default_plugins)]:
        try:
            importlib.import_module(name)
        except ImportError:
            continue


def run(tests: list[str], seconds: int) -> None:
    """In a process of its own: run tests, and end with their exit status."""
    os.setsid()
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(nothing, number)
    import pytest

    status = 1
    try:
        status = pytest.main([*OPTIONS, *tests])
    finally:
        os._exit(int(status))


def outcome(child: int) -> int | str:
    """The exit status of a process, a signal's number below zero; "over" if it had to be ended."""
    end = time.monotonic() + AT_MOST
    while time.monotonic() < end:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            code = os.waitstatus_to_exitcode(status)
            return "over" if code in (-signal.SIGXCPU, -signal.SIGKILL) else code
        time.sleep(0.01)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return "over"


def serve() -> None:
    """Answer line after line."""
    load()
    sys.path[0] = os.getcwd()  # not the folder of this file
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            run(json.loads(line), int(sys.argv[1]))
        print(json.dumps(outcome(child)), flush=True)


if __name__ == "__main__":
    serve()
