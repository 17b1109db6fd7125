"""`rnnlm train`."""

from dataclasses import dataclass

from rnnlm.cli.commands.base import Command
from rnnlm.experiments.effects import expect_effect
from rnnlm.experiments.settings import TrainConfig

__all__ = ["Train"]


@dataclass(frozen=True)
class Train(TrainConfig, Command):
    """Train a language model; leave it, its figures and a picture in a folder.

    A recipe sets options, those given beside it override it, and the rest have the defaults shown here.

    Examples: rnnlm train | rnnlm train --corpus book.txt --out runs/book | rnnlm train --recipe book-lstm --seed 3
    """

    def expect_effect(self, typed: set[str]) -> None:
        """Check the options themselves, then that those that were typed do something."""
        self.check()
        expect_effect(self, typed)

    def run(self) -> None:
        """Do it."""
        from rnnlm.experiments.experiment import run

        run(self)
