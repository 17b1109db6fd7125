"""What every command is."""

from collections.abc import Sequence
from typing import ClassVar

from rnnlm.cli.effects import Effect, expect_effect

__all__ = ["Command"]


class Command:
    """A command: a frozen dataclass whose fields are its options, and what it does.

    Results go to standard output, all else to standard error. A command's file imports what needs an array library
    inside its functions: help is shown, and wrong options are refused, where there is none.
    """

    device: str | None = None  # a command without these fields runs wherever the environment says
    precision: str | None = None
    effects: ClassVar[Sequence[Effect]] = ()  # when its options do something
    raw = False  # whether what it prints goes to a terminal as it is, control characters too

    @property
    def asked(self) -> "Command":
        """The command that does the work: this one, or one of its own that was named behind it."""
        return self

    def expect_effect(self, typed: set[str]) -> None:
        """Check that the options that were typed do something.

        Raises:
            InputError: one does not, by name.
        """
        expect_effect(self, self.effects, typed)

    def run(self) -> None:
        """Do it."""
        raise NotImplementedError
