"""Above the benchmarks stands what they run on."""

import os

from benchmarks.machine import header, machine


def pytest_report_header():
    return header(machine(os.environ.get("RNNLM_DEVICE") or "cpu"))
