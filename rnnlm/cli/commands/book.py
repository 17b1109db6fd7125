"""`rnnlm book`."""

from dataclasses import dataclass
from pathlib import Path

from tyro.conf import Positional

from rnnlm.cli.commands.base import Command

__all__ = ["Book"]


@dataclass(frozen=True)
class Book(Command):
    """Run a script of Deep Learning from Scratch 2 as it is, on this library.

    The script runs in its own folder. What it imports of `common`, `dataset` and the chapters' models is this
    library's; data and weights that lie in your copy of the book are taken from there. Pictures go to files where there
    is no display.

    Example: rnnlm book deep-learning-from-scratch-2/ch06/train_rnnlm.py

    Attributes:
        script: the script.
        device: cpu, cuda (an NVIDIA GPU), cuda:1 and so on; as `config.GPU` in the script has it, $RNNLM_DEVICE, or
            cpu, unless given.
    """

    raw = True  # the script is the reader's own

    script: Positional[Path]
    device: str | None = None

    def run(self) -> None:
        """Run it."""
        from rnnlm.book.scripts import run_script

        run_script(self.script)
