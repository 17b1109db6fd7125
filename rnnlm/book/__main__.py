"""`python -m rnnlm.book SCRIPT`, the same as `rnnlm book SCRIPT`."""

import sys


def main() -> int:
    """Run the command with the arguments of this process."""
    from rnnlm.cli.main import main as command  # here: it imports this package

    return command(["book", *sys.argv[1:]])


if __name__ == "__main__":
    sys.exit(main())
