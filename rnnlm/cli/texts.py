"""A text as a command evaluates a model on it."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rnnlm.data.corpora.named import load_part
from rnnlm.data.reading import TextSize
from rnnlm.data.sentences import Sentences
from rnnlm.data.vocabulary import Vocabulary
from rnnlm.errors import DataError

if TYPE_CHECKING:
    from rnnlm.inference.evaluation import Evaluation
    from rnnlm.inference.predictor import Predictor

__all__ = ["Text"]


@dataclass(frozen=True)
class Text:
    """A text in the words of a model.

    Attributes:
        ids: a stream of ids; or `Sentences`, if the model was trained on sentences.
        unknown: how many of its tokens the model has not.
        tokens: how many there are, with those that are not scored.
        size: of what is scored, whatever it is cut into; None where the file has ids alone.
    """

    ids: Any
    unknown: int
    tokens: int
    size: TextSize | None

    @classmethod
    def of(
        cls,
        name: str,
        part: str,
        words: Vocabulary,
        data_dir: Path | None = None,
        column: str | None = None,
        from_start: bool = False,
    ) -> "Text":
        """As `load_part` reads it, by lines if the model was trained so; `from_start` if the first token of a stream is
        scored, too."""
        found = load_part(name, part, words, data_dir, column)
        if not words.reading.options.sentences:
            size = found.size if from_start or found.size is None else found.size.without_first()
            return cls(found.ids, found.unknown, len(found.ids), size)
        if words.eos_id is None:
            raise DataError("this model has no <eos> among its words, so no line has a beginning and an end")
        lines = Sentences(found.ids, words.eos_id)
        return cls(lines, found.unknown, lines.tokens, found.size and found.size.without_blank(lines.blank))

    def same_as(self, other: "Text") -> bool:
        """Whether it has the same ids as another text."""
        mine, theirs = (text.ids.ids if isinstance(text.ids, Sentences) else text.ids for text in (self, other))
        return len(mine) == len(theirs) and np.array_equal(np.asarray(mine), np.asarray(theirs))

    def evaluate(self, model: "Predictor", words: Vocabulary, lanes: int = 1) -> "Evaluation":
        """The model's figures."""
        from rnnlm.inference.evaluation import evaluate

        return evaluate(model, self.ids, lanes, unk_id=words.unk_id)
