"""`rnnlm book`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

from rnnlm.cli.commands.base import Command

__all__ = ["Book"]


@dataclass(frozen=True)
class Book(Command):
    """Run a script of Deep Learning from Scratch 2, unchanged, on this library.

    The script runs in its own folder. Its imports of `common`, `dataset` and the chapters' models get this library's;
    data and weights are taken from your copy of the book if they are there. Without a display, pictures are saved
    to files.

    Example: rnnlm book deep-learning-from-scratch-2/ch06/train_rnnlm.py

    Attributes:
        script: the script to run.
        device: cpu, cuda (an NVIDIA GPU), cuda:1 and so on. If not given: as `config.GPU` in the script says, else
            $RNNLM_DEVICE, else cpu.
    """

    raw = True  # the script is the reader's own

    script: Annotated[Positional[Path], arg(metavar="SCRIPT")]
    device: str | None = None

    def run(self) -> None:
        """Run the script."""
        from rnnlm.book.scripts import run_script

        run_script(self.script)
