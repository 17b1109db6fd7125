"""Runs a folder of tests under coverage and writes down how many seconds of the processor each takes that passes.

Not imported but run, in the folder of the copy: `python timed.py FILE ARGUMENTS...` with pytest's arguments.
"""

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest


class Clock:
    """A plugin of pytest. By the clock on the wall a test would be as slow as others make the machine."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self.failed: set[str] = set()

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        """Of a test with its fixtures, and of processes that it began and waited for."""
        begin = os.times()
        yield
        self.seconds[item.nodeid] = sum(os.times()[:4]) - sum(begin[:4])

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note what failed: one that measures memory does, where coverage takes some."""
        if report.failed:
            self.failed.add(report.nodeid)


if __name__ == "__main__":
    clock = Clock()
    sys.path[0] = os.getcwd()  # not the folder of this file
    status = pytest.main(sys.argv[2:], plugins=[clock])
    passed = {test: seconds for test, seconds in clock.seconds.items() if test not in clock.failed}
    Path(sys.argv[1]).write_text(json.dumps(passed))
    sys.exit(status)
