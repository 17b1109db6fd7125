"""The text that a run was trained on, found through its folder, to evaluate models on its held-out parts."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rnnlm.checks import path_of, text, whole_number
from rnnlm.data.corpora.named import BUILT_IN, Part
from rnnlm.data.sources import tokens_of
from rnnlm.errors import DataError, InputError, ModelFileError
from rnnlm.experiments.resuming import CHECKPOINTS, SETTINGS, found_from, newest_state, saved_settings

__all__ = ["OwnText", "own_text"]


@dataclass(frozen=True)
class OwnText:
    """A text, and what a run has recorded of it.

    Attributes:
        run: the run's folder.
        corpus, data_dir, column: where the text is, and how it is read.
        max_tokens: how many tokens of the train part the model was trained on, or None for all.
        evaluate: whether the settings asked to hold parts out.
        digests: digests of the parts, by name; None without a checkpoint, which stores them.
    """

    run: Path
    corpus: str
    data_dir: Path | None
    column: str | None
    max_tokens: int | None
    evaluate: bool
    digests: dict[str, Any] | None

    @property
    def place(self) -> str:
        """An identifier that is equal for runs trained on the same text."""
        return self.corpus if self.corpus in BUILT_IN else str(Path(self.corpus).resolve())

    @property
    def is_whole(self) -> bool:
        """Whether the train part is a whole file, because it has too few lines to hold any out."""
        held_out = self.digests is None or "valid" in self.digests
        return self.evaluate and not held_out and self.corpus not in BUILT_IN

    def expect_there(self, part: str | None) -> None:
        """Check, before reading, that the part exists.

        Raises:
            InputError: nothing was held out, or no checkpoint has the text's digests.
            DataError: the file is gone.
        """
        held_out = self.digests is None or part in self.digests
        if part != "train" and not held_out:
            raise InputError(f"corpus must be named, --corpus: {self.run} held nothing out of {self.corpus}")
        if self.corpus in BUILT_IN:
            return
        there = f"name it, --corpus {self.corpus} --part {part}"
        if self.digests is None:
            raise InputError(f"no checkpoint of {self.run} is left to say which text it was trained on: {there}")
        if not Path(self.corpus).is_file():
            place = "is not there any more" if Path(self.corpus).is_absolute() else f"is not in {Path.cwd()}"
            where = "" if Path(self.corpus).is_absolute() else ", with its path"
            raise DataError(f"{self.corpus}, which {self.run} was trained on, {place}: {there}{where}")

    def checked(self, part: str | None, found: Part) -> Part:
        """Return the part as the run used it.

        Raises:
            DataError: it has changed.
        """
        if part == "train" and self.max_tokens is not None and self.max_tokens < len(found.ids):
            found = replace(found, ids=found.ids[: self.max_tokens], unknown=None, size=None)
        if self.digests is not None and tokens_of("ids", found.ids).digest() != self.digests.get(str(part)):
            raise DataError(
                f"the {part} part of {self.corpus} has changed since {self.run} was trained: put back what it was, or "
                f"name what there is now, --corpus {self.corpus} --part {part}"
            )
        return found


def own_text(folder: Path) -> OwnText | None:
    """Return what a run's folder says of its text; None if it is not the folder of a run.

    Raises:
        ModelFileError: its settings are not valid.
    """
    if not (folder / SETTINGS).is_file() and not (folder / CHECKPOINTS).is_dir():
        return None
    state = newest_state(folder)
    settings = saved_settings(folder)
    try:
        given = {name: settings.get(name) for name in ("data_dir", "column", "max_tokens")}
        return OwnText(
            folder,
            found_from(folder, text("corpus", settings.get("corpus"))),
            None if given["data_dir"] is None else path_of("data_dir", given["data_dir"]),
            None if given["column"] is None else text("column", given["column"]),
            None if given["max_tokens"] is None else whole_number("max_tokens", given["max_tokens"], 1),
            settings.get("evaluate") is not False,
            None if state is None else dict(state["texts"]),
        )
    except (InputError, KeyError, TypeError, ValueError) as error:
        raise ModelFileError(f"{folder / SETTINGS} does not say which text it was: {error}") from error
