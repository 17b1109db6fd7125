"""The command line. Only this file and `__main__.py` know tyro.

Results go to standard output, everything else to standard error. Exit codes: 0 fine, 1 failed, 2 wrong usage, 3 bad
data or model, 130 and 143 after SIGINT and SIGTERM.

What needs an array library is imported inside functions, so that a backend that can't be loaded is one sentence too.
"""

import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from rnnlm.errors import DataError, InputError, ModelFileError, RnnlmError

__all__ = ["main"]

FAILED, USAGE, BAD_DATA = 1, 2, 3


class _Stopped(BaseException):
    """SIGTERM arrived."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code; errors are one sentence on standard error.

    Args:
        arguments: those of the process unless given.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        with _stop_on_sigterm():
            _dispatch(given)
    except RnnlmError as error:
        return _fail(error, USAGE if isinstance(error, InputError) else _code(error))
    except (OSError, MemoryError) as error:
        return _fail(error, FAILED)
    except KeyboardInterrupt:
        return _fail("interrupted", 128 + signal.SIGINT)
    except _Stopped:
        return _fail("terminated", 128 + signal.SIGTERM)
    return 0


def _dispatch(arguments: list[str]) -> None:
    import tyro

    from rnnlm.experiment import run
    from rnnlm.settings import TrainConfig

    commands: dict[str, Callable[..., object]] = {"train": TrainConfig}
    if arguments[:1] == ["train"]:
        arguments = ["train", *_recipe_arguments(arguments[1:]), *arguments[1:]]
    config = tyro.extras.subcommand_cli_from_dict(
        commands, prog="rnnlm", description="Recurrent neural network language models.", args=arguments
    )
    run(config)


def _recipe_arguments(arguments: list[str]) -> list[str]:
    """The options of the recipe that is asked for, or of the default one."""
    from rnnlm import recipes
    from rnnlm.settings import TrainConfig

    name = TrainConfig.recipe
    for flag, value in zip(arguments, [*arguments[1:], ""]):
        if flag == "--recipe":
            name = value
        elif flag.startswith("--recipe="):
            name = flag.partition("=")[2]
    return recipes.arguments(name)


def _code(error: RnnlmError) -> int:
    return BAD_DATA if isinstance(error, (DataError, ModelFileError)) else FAILED


def _fail(message: object, code: int) -> int:
    print(f"rnnlm: {message}", file=sys.stderr)
    return code


@contextmanager
def _stop_on_sigterm() -> Iterator[None]:
    """Let SIGTERM end the command the way Ctrl-C does: what must be saved is saved."""

    def stop(_signal: int, _frame: object) -> None:
        raise _Stopped

    try:
        before = signal.signal(signal.SIGTERM, stop)
    except ValueError:  # not the main thread: signals are the host program's business
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
