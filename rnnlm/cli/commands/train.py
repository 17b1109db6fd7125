"""`rnnlm train`."""

from dataclasses import dataclass

from rnnlm.cli.commands.base import Command
from rnnlm.cli.effects import TRAINING
from rnnlm.experiments.settings import TrainConfig

__all__ = ["Train"]


@dataclass(frozen=True)
class Train(TrainConfig, Command):
    """Train a language model; leave it, its figures and a picture in a folder.

    A recipe sets options, those given beside it override it, and the rest have the defaults shown here.

    Examples: rnnlm train | rnnlm train --corpus book.txt --out runs/book | rnnlm train --recipe book-lstm --dry-run

    Attributes:
        dry_run: check all of it, print what would be done, and write nothing.
    """

    effects = TRAINING
    dry_run: bool = False

    def expect_effect(self, typed: set[str]) -> None:
        """Check the options themselves, then that those that were typed do something."""
        self.check()
        super().expect_effect(typed)

    def run(self) -> None:
        """Do it."""
        from rnnlm.experiments.experiment import run
        from rnnlm.experiments.plan import dry_run

        if self.dry_run:
            dry_run(self)
        else:
            run(self)
