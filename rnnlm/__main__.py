"""Entry point of the command `rnnlm` and of `python -m rnnlm`."""

import sys

from rnnlm.cli.process import whole_process

__all__ = ["command"]


def command() -> int:
    """Run the command line of this process; returns the exit code."""

    def main() -> int:
        from rnnlm.cli.main import main  # here: it is slow, and signals are handled meanwhile

        return main()

    return whole_process(main)


if __name__ == "__main__":
    sys.exit(command())
