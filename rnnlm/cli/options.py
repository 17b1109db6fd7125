"""From the words of a command line to the command that they ask for."""

from collections.abc import Callable, Sequence
from pathlib import Path

import tyro

from rnnlm.cli.commands.base import Command
from rnnlm.cli.commands.book import Book
from rnnlm.cli.commands.compare import Compare
from rnnlm.cli.commands.data import Data
from rnnlm.cli.commands.eval import Eval
from rnnlm.cli.commands.generate import Generate
from rnnlm.cli.commands.info import Info
from rnnlm.cli.commands.ngram import Ngram
from rnnlm.cli.commands.plot import Plot
from rnnlm.cli.commands.score import Score
from rnnlm.cli.commands.train import Train
from rnnlm.cli.commands.vectors import Vectors
from rnnlm.experiments import recipes
from rnnlm.experiments.going_on import saved_settings
from rnnlm.experiments.settings import TrainConfig

__all__ = ["COMMANDS", "parse", "value"]

NOT_SAID = ("out", "resume", "backend")  # of settings.json, by options of a run that goes on

COMMANDS: dict[str, type[Command]] = {
    "train": Train,
    "eval": Eval,
    "compare": Compare,
    "score": Score,
    "generate": Generate,
    "info": Info,
    "plot": Plot,
    "data": Data,
    "ngram": Ngram,
    "vectors": Vectors,
    "book": Book,
}


def parse(arguments: Sequence[str]) -> Command:
    """The command that the arguments ask for; tyro ends the process where they are wrong or ask for help.

    Raises:
        InputError: no such recipe, or a setting in it that there is not.
    """
    if arguments[:1] == ["train"] and (resumed := value(arguments, "--resume")) is not None:
        saved = saved_settings(Path(resumed))
        saved = {key: x for key, x in saved.items() if key not in NOT_SAID and x not in (None, [])}
        arguments = ["train", *recipes.arguments(saved), *arguments[1:]]
    elif arguments[:1] == ["train"]:
        name = value(arguments, "--recipe") or recipes.usual(value(arguments, "--corpus"), value(arguments, "--model"))
        TrainConfig.from_recipe(name)  # for its errors
        settings = recipes.arguments(recipes.load(name)["settings"])
        arguments = ["train", "--recipe", name, *settings, *arguments[1:]]
    described = "Recurrent neural network language models. `rnnlm --version` says which version this is."
    commands: dict[str, Callable[..., Command]] = {**COMMANDS}
    return tyro.extras.subcommand_cli_from_dict(
        commands,
        prog="rnnlm",
        description=described,
        args=list(arguments),
        config=(tyro.conf.OmitArgPrefixes,),  # --cell rather than --model.cell
    )


def value(arguments: Sequence[str], flag: str) -> str | None:
    """The value of an option, if it is given; the last one wins."""
    found = None
    for word, following in zip(arguments, [*arguments[1:], None]):
        if word == flag:
            found = following
        elif word.startswith(f"{flag}="):
            found = word.partition("=")[2]
    return found
