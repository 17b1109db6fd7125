"""Train on Penn Treebank: `rnnlm train --recipe book-lstm`, for those who have the repository before them.

    python scripts/train_ptb.py
    python scripts/train_ptb.py --data-dir DIR --device cuda
    python scripts/train_ptb.py --help

Without Penn Treebank, and without a network to get it from, it trains on the built-in corpus; --corpus ptb insists.
"""

import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from rnnlm.cli.arguments import taken_out, typed, value
from rnnlm.cli.device import choose
from rnnlm.cli.main import run
from rnnlm.cli.output import told
from rnnlm.data import ptb
from rnnlm.errors import DataError, MissingExtra
from rnnlm.experiments import recipes
from rnnlm.progress import note


def main(arguments: Sequence[str]) -> int:
    """Train and return the exit code; arguments are those of `rnnlm train`."""
    return told(arguments, lambda given: run(["train", *with_corpus(given)]))


def with_corpus(given: list[str]) -> list[str]:
    """The arguments, with a recipe; and with the built-in corpus where Penn Treebank is not to be had."""
    if value(given, "resume") is not None:
        return given  # with all that it was told
    recipe = value(given, "recipe") or "book-lstm"
    chosen = ["--recipe", recipe, *given]
    settings = recipes.load(recipe)["settings"]
    if value(given, "corpus") is not None or settings.get("corpus") != "ptb":
        return chosen
    if "-h" in given or typed(given) & {"help", "version"}:
        return chosen
    choose(value(given, "device"), value(given, "precision"))
    import_module("rnnlm.backend")  # nothing is downloaded for a training that can't begin
    try:
        find_or_fetch(value(given, "data_dir"), fetch="dry_run" not in typed(given))
    except (DataError, MissingExtra) as error:
        note(f"training on the built-in corpus instead: {error}")
        given = taken_out(given, "data_dir")  # which is of no use to it
        return ["--recipe", value(given, "recipe") or "story", *given, "--corpus", "story"]
    return chosen


def find_or_fetch(data_dir: str | None, fetch: bool) -> None:
    """See that Penn Treebank is there: where it is said to be, or in the usual places, or else downloaded, if asked.

    Raises:
        DataError, MissingExtra: it is not to be had.
    """
    try:
        ptb.find_all(None if data_dir is None else Path(data_dir))
    except DataError as missing:
        if data_dir is not None or not fetch:
            raise
        note(ptb.LICENCE)
        try:
            ptb.fetch()
        except MissingExtra:
            raise missing from None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
