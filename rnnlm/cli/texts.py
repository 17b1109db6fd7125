"""The text on which a command evaluates a model."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from rnnlm.cli.folders import open_predictor
from rnnlm.data.corpora.named import BUILT_IN, load_part
from rnnlm.data.encoded import is_encoded
from rnnlm.data.reading import TextSize
from rnnlm.data.sentences import Sentences
from rnnlm.data.vocabulary import Vocabulary
from rnnlm.errors import DataError, InputError
from rnnlm.experiments.own_text import OwnText, own_text
from rnnlm.progress import passing_bar

if TYPE_CHECKING:
    from rnnlm.inference.evaluation import Evaluation
    from rnnlm.inference.predictor import Predictor

__all__ = ["Source", "Text", "TextChoice"]


@dataclass(frozen=True)
class Source:
    """Where a text comes from.

    Attributes:
        corpus: story, ptb or a file.
        part: train, valid or test; None for the whole file.
        data_dir, column: see `load_part`.
        own: what the run has recorded of the text, if the text was not named but is a run's own.
    """

    corpus: str
    part: str | None
    data_dir: Path | None = None
    column: str | None = None
    own: OwnText | None = None

    def __str__(self) -> str:
        what = f"{self.corpus}, whole" if self.part is None else f"{self.part} part of {self.corpus}"
        if self.own is None:
            return what
        return f"{what}, {'of' if self.part == 'train' else 'held out by'} {self.own.run}"


@dataclass(frozen=True)
class TextChoice:
    """The text that a model is evaluated on.

    Attributes:
        corpus: story, ptb, or a UTF-8 text file or an encoded corpus. If not given: the text that the run was trained
            on.
        part: part of the corpus. If not given: test, or all of a file named by corpus. A file is split as for training.
        data_dir: folder that holds ptb/. If not given: $RNNLM_DATA, or the download cache.
        column: the column of a CSV file that holds the text. If not given: for a .csv file, the column that the model
            was trained on.
    """

    corpus: str | None = None
    part: Literal["train", "valid", "test"] | None = None
    data_dir: Path | None = None
    column: str | None = None

    def sources(self, models: Sequence[Path]) -> list[Source]:
        """Return the text for each model: the same text, with what each run has recorded of it.

        Raises:
            InputError: no corpus is named, and no run has one, or two runs have different ones.
        """
        if self.corpus is not None:
            return [self.named(self.corpus, self.part or ("test" if self.corpus in BUILT_IN else None))] * len(models)
        owns = [own_text(path) for path in models]
        known = [own for own in owns if own is not None]
        if not known:
            open_predictor(models[0])  # for its errors
            raise InputError(
                f"corpus must be named, --corpus with story, ptb or a file: {models[0]} is no run that knows its text"
            )
        if len({own.place for own in known}) > 1:
            raise InputError(
                f"corpus must be named, --corpus with story, ptb or a file: {known[0].run} was trained on "
                f"{known[0].corpus}, and {known[1].run} on {known[1].corpus}"
            )
        return [self._of(own or known[0], own) for own in owns]

    def _of(self, text: OwnText, own: OwnText | None) -> Source:
        """Return the text of a run, to be checked against `own`."""
        data_dir, column = self.data_dir or text.data_dir, self.column or text.column
        return Source(text.corpus, self.part or "test", data_dir, column, own)

    def named(self, corpus: str, part: str | None) -> Source:
        """Return a text that was named."""
        return Source(corpus, part, self.data_dir, self.column)

    def expect_used(self, corpora: Sequence[str]) -> None:
        """Check that data_dir and column are of use for one of the texts.

        Raises:
            InputError: one has no effect.
        """
        of_text = [name for name in corpora if name not in BUILT_IN and not _is_encoded(name)]
        for name, value, what, used in (
            ("data_dir", self.data_dir, "corpus ptb", "ptb" in corpora),
            ("column", self.column, "a text file", bool(of_text)),
        ):
            if value is not None and not used:
                raise InputError(f"{name} is for {what}, and has no effect on {', '.join(corpora)}: leave it out")


def _is_encoded(name: str) -> bool:
    return Path(name).is_file() and is_encoded(name)


@dataclass(frozen=True)
class Text:
    """A text in the vocabulary of a model.

    Attributes:
        ids: a stream of ids; or `Sentences`, if the model was trained on sentences.
        unknown: number of tokens unknown to the model, or None if that is not known.
        tokens: number of tokens, including those that are not scored.
        size: words, characters and bytes of what is scored, or None if not known.
    """

    ids: Any
    unknown: int | None
    tokens: int
    size: TextSize | None

    @classmethod
    def of(cls, source: Source, words: Vocabulary, from_start: bool = False) -> "Text":
        """Read a text with `load_part`, by lines if the model was trained so. `from_start`: the first token of a stream
        is scored, too.

        Raises:
            InputError, DataError: the run has not held it out, or the text has changed since.
        """
        if source.own is not None:
            source.own.expect_there(source.part)
        whole = source.own is not None and source.own.is_whole
        found = load_part(source.corpus, None if whole else source.part, words, source.data_dir, source.column)
        if source.own is not None:
            found = source.own.checked(source.part, found)
        if not words.reading.options.sentences:
            size = found.size if from_start or found.size is None else found.size.without_first()
            return cls(found.ids, found.unknown, len(found.ids), size)
        if words.eos_id is None:
            raise DataError("this model has no <eos> among its words, so no line has a beginning and an end")
        lines = Sentences(found.ids, words.eos_id)
        return cls(lines, found.unknown, lines.tokens, found.size and found.size.without_blank(lines.blank))

    def same_as(self, other: "Text") -> bool:
        """Whether the ids are those of another text."""
        mine, theirs = (text.ids.ids if isinstance(text.ids, Sentences) else text.ids for text in (self, other))
        return len(mine) == len(theirs) and np.array_equal(np.asarray(mine), np.asarray(theirs))

    def evaluate(self, model: "Predictor", words: Vocabulary, lanes: int = 1) -> "Evaluation":
        """Return the model's figures on this text."""
        from rnnlm.inference.evaluation import evaluate

        with passing_bar(self.tokens, " tokens") as bar:
            return evaluate(model, self.ids, lanes, unk_id=words.unk_id, advance=bar.update)
