"""`python -m rnnlm.book SCRIPT`, the same as `rnnlm book SCRIPT`."""

import sys


def main() -> int:
    """Run the command."""
    from rnnlm.cli.main import main as command  # which imports this folder

    return command(["book", *sys.argv[1:]])


if __name__ == "__main__":
    sys.exit(main())
