"""The command `rnnlm`, as a process: `python -m rnnlm` too."""

import sys

from rnnlm.cli.process import whole_process

__all__ = ["command"]


def command() -> int:
    """Run what the process was given; returns its exit code."""

    def main() -> int:
        from rnnlm.cli.main import main  # what it imports takes a while, in which signals are heard already

        return main()

    return whole_process(main)


if __name__ == "__main__":
    sys.exit(command())
