"""Parse the command line to a command."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from shutil import get_terminal_size
from typing import Annotated, Any, Union, get_args

import tyro
from tyro.constructors import ConstructorRegistry, PrimitiveConstructorSpec, PrimitiveTypeInfo

from rnnlm.cli.arguments import value
from rnnlm.cli.commands.base import Command
from rnnlm.cli.commands.book import Book
from rnnlm.cli.commands.compare import Compare
from rnnlm.cli.commands.data import Data
from rnnlm.cli.commands.eval import Eval
from rnnlm.cli.commands.generate import Generate
from rnnlm.cli.commands.info import Info
from rnnlm.cli.commands.ngram import Ngram
from rnnlm.cli.commands.plot import Plot
from rnnlm.cli.commands.quantize import Quantize
from rnnlm.cli.commands.recipes import Recipes
from rnnlm.cli.commands.rescore import Rescore
from rnnlm.cli.commands.score import Score
from rnnlm.cli.commands.train import Train
from rnnlm.cli.commands.vectors import Vectors
from rnnlm.cli.output import EVERYWHERE
from rnnlm.experiments import recipes

__all__ = ["COMMANDS", "parse"]

NARROWEST = 60  # columns for help, at least

COMMANDS: dict[str, type[Command]] = {
    "train": Train,
    "recipes": Recipes,
    "eval": Eval,
    "compare": Compare,
    "score": Score,
    "rescore": Rescore,
    "generate": Generate,
    "info": Info,
    "plot": Plot,
    "quantize": Quantize,
    "data": Data,
    "ngram": Ngram,
    "vectors": Vectors,
    "book": Book,
}


def parse(arguments: Sequence[str]) -> Command:
    """Return the command that the arguments describe; tyro exits on wrong arguments and after help.

    Raises:
        InputError: no such recipe, or one with an unknown setting.
    """
    asked = arguments[0] if arguments else ""
    named = {name: _named(name, kind, arguments if name == asked else ()) for name, kind in COMMANDS.items()}
    choices: Any = Union[tuple(Annotated[COMMANDS[name], how] for name, how in named.items())]  # noqa: UP007
    described = "Recurrent neural network language models. `rnnlm --version` says which version this is."
    try:
        with _wide_enough():
            return tyro.cli(
                choices,
                prog="rnnlm",
                description=described,
                args=list(arguments),
                config=(tyro.conf.OmitArgPrefixes,),  # --cell rather than --model.cell
                registry=_registry(),
            )
    except SystemExit:
        if {"-h", "--help"} & set(arguments):
            print(EVERYWHERE)
        raise


def _named(name: str, kind: type[Command], arguments: Sequence[str]) -> Any:
    """Return a command as a tyro subcommand. The defaults of `train` are those of its recipe, or of the run that it
    resumes, so that help shows them."""
    if kind is not Train or not arguments:
        return tyro.conf.subcommand(name)
    resumed = value(arguments, "resume")
    recipe = value(arguments, "recipe") or recipes.usual(value(arguments, "corpus"), value(arguments, "model"))
    defaults = Train.from_recipe(recipe) if resumed is None else Train.of_run(Path(resumed))
    return tyro.conf.subcommand(name, default=defaults)


def _registry() -> ConstructorRegistry:
    """Return tyro's rules for reading values, with one for `T | None`: its help is that of T, with none as default. The
    word None takes back a recipe's value."""
    registry = ConstructorRegistry()

    @registry.primitive_rule
    def optional(info: PrimitiveTypeInfo) -> PrimitiveConstructorSpec[Any] | None:
        kinds = [kind for kind in get_args(info.type) if kind is not type(None)]
        if type(None) not in get_args(info.type) or len(kinds) != 1:
            return None
        some = ConstructorRegistry.get_primitive_spec(PrimitiveTypeInfo.make(kinds[0], info.markers))
        if not isinstance(some, PrimitiveConstructorSpec):
            return None
        return replace(
            some,
            choices=None if some.choices is None else (*some.choices, "None"),
            instance_from_str=lambda words: None if words == ["None"] else some.instance_from_str(words),
            is_instance=lambda value: value is None or some.is_instance(value),
            str_from_instance=lambda value: ["none"] if value is None else some.str_from_instance(value),
        )

    return registry


@contextmanager
def _wide_enough() -> Iterator[None]:
    """Make the terminal at least 60 columns wide within the block: tyro takes very long to format help in fewer."""
    before = os.environ.get("COLUMNS")
    if get_terminal_size().columns < NARROWEST:
        os.environ["COLUMNS"] = str(NARROWEST)
    try:
        yield
    finally:
        os.environ.pop("COLUMNS", None)
        os.environ.update({} if before is None else {"COLUMNS": before})
