"""`rnnlm train`."""

from dataclasses import dataclass

from rnnlm.cli.commands.base import Command
from rnnlm.cli.effects import TRAINING
from rnnlm.experiments.settings import TrainConfig

__all__ = ["Train"]


@dataclass(frozen=True)
class Train(TrainConfig, Command):
    """Train a language model; save the model, its figures and a picture to a folder.

    A recipe provides settings, and options on the command line override it. The defaults shown here are those of the
    recipe named, else of the built-in stories; `rnnlm recipes text` prints those of a text file.

    Examples: rnnlm train | rnnlm train --corpus book.txt --out runs/book | rnnlm train --recipe book-lstm --dry-run

    Attributes:
        dry_run: check everything, print what would be done, and write nothing.
    """

    effects = TRAINING
    dry_run: bool = False

    def expect_effect(self, typed: set[str]) -> None:
        """Check the settings, then that each option that was typed has an effect."""
        self.check()
        super().expect_effect(typed)

    def run(self) -> None:
        """Train, or do a dry run."""
        from rnnlm.experiments.experiment import run
        from rnnlm.experiments.plan import dry_run

        if self.dry_run:
            dry_run(self)
        else:
            run(self)
