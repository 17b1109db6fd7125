"""`rnnlm compare`."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

from rnnlm.checks import whole_number
from rnnlm.cli.commands.base import Command
from rnnlm.cli.folders import open_predictor
from rnnlm.cli.texts import Source, Text, TextChoice
from rnnlm.data.corpora.named import BUILT_IN
from rnnlm.data.vocabulary import Vocabulary
from rnnlm.errors import InputError
from rnnlm.files import to_json

__all__ = ["Compare"]


@dataclass(frozen=True)
class Compare(Command):
    """Compare two models on one text: their figures, the difference with its standard error, and where each wins.

    If both models split the text into the same tokens, these are compared one by one, except tokens unknown to either
    model; otherwise whole lines are compared. Without --corpus, the text is the part that a run, or both, held out.

    Example: rnnlm compare runs/rnn runs/lstm --corpus ptb

    Attributes:
        first: folder of a model or of a run, or an ARPA file of n-grams.
        second: the model to compare it with.
        text: the text to compare on.
        top: number of words (or lines) to print for which each model is better.
        json: print one JSON object.
        device: cpu, cuda (an NVIDIA GPU), cuda:1 and so on. If not given: $RNNLM_DEVICE, else cpu.
    """

    first: Annotated[Positional[Path], arg(metavar="MODEL")]
    second: Annotated[Positional[Path], arg(metavar="MODEL")]
    text: TextChoice = field(default_factory=TextChoice)
    top: int = 5
    json: bool = False
    device: str | None = None

    def run(self) -> None:
        """Print the two tables."""
        from rnnlm.inference.comparison import compare, line_nats
        from rnnlm.inference.figures import figures, table
        from rnnlm.inference.predictor import start_of

        whole_number("top", self.top, 0)
        sources = self.text.sources([self.first, self.second])
        self.text.expect_used([source.corpus for source in sources])
        models = [open_predictor(path) for path in (self.first, self.second)]
        self._expect_one_text(*(words for _, words in models))
        self._expect_one_cut(sources[0], *(words for _, words in models))
        columns, scored = [], []
        for source, (model, words) in zip(sources, models):
            text = Text.of(source, words, start_of(model) is not None)
            columns.append(figures(text.evaluate(model, words), text.size))
            scored.append(line_nats(model, words, text.ids))
        found = compare(*scored)
        if self.json:
            what = {"corpus": sources[0].corpus, "part": sources[0].part}
            print(to_json({**what, "first": columns[0], "second": columns[1], **found.row()}))
            return
        print(f"text: {sources[0]}")
        print(table(columns, ["first", "second"]))
        print(f"\n{found}")
        for name, wins in zip(("first", "second"), found.wins(self.top)):
            for label, nats in wins:
                print(f"{name} is better by {nats:.3f} nats at: {label}")

    def _expect_one_text(self, first: Vocabulary, second: Vocabulary) -> None:
        """Check that both models clean a text in the same way, and so read the same text."""
        a, b = first.reading.options, second.reading.options
        for name in ("lower", "strip_punctuation", "ascii_only", "leave_out"):
            if getattr(a, name) != getattr(b, name):
                raise InputError(
                    f"both models must read one text, and {name} is {getattr(a, name)!r} of the first and "
                    f"{getattr(b, name)!r} of the second: clean the text before training, for both"
                )

    def _expect_one_cut(self, source: Source, first: Vocabulary, second: Vocabulary) -> None:
        """Check that a part of a file, cut by its number of tokens, is the same for both models."""
        units = [words.reading.options.units for words in (first, second)]
        if source.part is None or source.corpus in BUILT_IN or (units[0] == units[1] != "bpe"):
            return
        raise InputError(
            f"part {source.part} of {source.corpus} must be the same for both models, and they cut it into other units "
            f"({units[0]} and {units[1]}): name a text that is taken whole, --corpus FILE"
        )
