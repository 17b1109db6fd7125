"""`rnnlm recipes`."""

from dataclasses import dataclass
from typing import Annotated, Any

from tyro.conf import Positional, arg

from rnnlm.cli.commands.base import Command
from rnnlm.errors import InputError
from rnnlm.experiments import recipes
from rnnlm.files import to_json

__all__ = ["Recipes"]


@dataclass(frozen=True)
class Recipes(Command):
    """List the recipes of `rnnlm train`: corpus, model size, memory, time and expected result of each. With a name,
    print that recipe's TOML file, to copy and change.

    Example: rnnlm recipes book-lstm > mine.toml && rnnlm train --recipe mine.toml

    Attributes:
        name: print this recipe.
        json: print one JSON object per recipe.
    """

    name: Annotated[Positional[str | None], arg(metavar="[RECIPE]")] = None
    json: bool = False
    device = "cpu"  # nothing is computed here, so any device will do

    def run(self) -> None:
        """Print one recipe, or the list."""
        if self.name is not None and self.json:
            raise InputError("json is for the list of all recipes: leave out --json, or the name")
        if self.name is not None:
            print(recipes.content(self.name), end="")
            return
        for name in recipes.names():
            row = about(name)
            print(to_json(row) if self.json else _told(row))


def about(name: str) -> dict[str, Any]:
    """Return what is known of a recipe; `memory` is the least needed, in bytes."""
    from rnnlm.experiments.memory import Memory
    from rnnlm.experiments.settings import TrainConfig

    recipe = recipes.load(name)
    told = dict(recipe["about"])
    config = TrainConfig.from_recipe(name)
    known = {"name": name, "title": told.pop("title"), "corpus": told.pop("corpus", config.corpus)}
    if "words" in told:
        known["memory"] = Memory.of(config, config.model_config(told["words"])).total
    return {**known, **told, "settings": recipe["settings"]}


def _told(row: dict[str, Any]) -> str:
    from rnnlm.experiments.memory import in_bytes

    size = f"{row['parameters']:,} parameters" if "parameters" in row else ""
    memory = f"at least {in_bytes(row['memory'])}" if "memory" in row else ""
    takes = row.get("takes", "time not measured")
    first = f"{row['name']:17s} {row['corpus']:6s} {size:>21s}  {memory:17s}  {takes}"
    return "\n".join([first.rstrip(), f"    {row['title']}", f"    {row.get('expected', '')}".rstrip()])
