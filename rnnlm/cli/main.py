"""The command `rnnlm`: parse the arguments, choose the device, run. Exit codes are in `process.py`."""

import sys
from collections.abc import Sequence
from contextlib import nullcontext

from rnnlm import __version__
from rnnlm.cli.arguments import typed
from rnnlm.cli.device import choose
from rnnlm.cli.output import told
from rnnlm.progress import terminal_kept_safe

__all__ = ["main", "run"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code; an error prints one sentence to standard error.

    Args:
        arguments: the command line (default: that of the process).
    """
    return told(sys.argv[1:] if arguments is None else arguments, run)


def run(arguments: Sequence[str]) -> None:
    """Run a command; errors are raised."""
    given = typed(arguments)
    if "version" in given and "no_version" not in given:
        print(f"rnnlm {__version__}")
        return
    from rnnlm.cli.options import parse  # here: tyro is slow to import, and its errors are reported like others

    command = parse(arguments).asked
    choose(command.device, command.precision)  # before anything imports the array library
    with nullcontext() if command.raw else terminal_kept_safe():
        command.expect_effect(given)
        command.run()
