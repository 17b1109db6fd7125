"""Base class of the commands."""

from collections.abc import Sequence
from typing import ClassVar

from rnnlm.cli.effects import Effect, expect_effect

__all__ = ["Command"]


class Command:
    """A command: a frozen dataclass whose fields are its options, with a method `run`.

    Results go to standard output, everything else to standard error. Imports that need an array library stand inside
    functions, so that help is shown and wrong options are refused without one.
    """

    device: str | None = None  # None: the environment decides
    precision: str | None = None
    effects: ClassVar[Sequence[Effect]] = ()  # conditions under which options have an effect
    raw = False  # True: print to a terminal unchanged, control characters included

    @property
    def asked(self) -> "Command":
        """The command that runs: this one, or the subcommand named after it."""
        return self

    def expect_effect(self, typed: set[str]) -> None:
        """Check that each option that was typed has an effect.

        Raises:
            InputError: one has none; the message names it.
        """
        expect_effect(self, self.effects, typed)

    def run(self) -> None:
        """Run the command."""
        raise NotImplementedError
