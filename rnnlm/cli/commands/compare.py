"""`rnnlm compare`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tyro.conf import Positional

from rnnlm.checks import whole_number
from rnnlm.cli.commands.base import Command
from rnnlm.cli.folders import open_predictor
from rnnlm.cli.texts import Text
from rnnlm.data.vocabulary import Vocabulary
from rnnlm.errors import InputError
from rnnlm.files import to_json

__all__ = ["Compare"]


@dataclass(frozen=True)
class Compare(Command):
    """Compare two models on one text: their figures, the difference with its standard error, and where each wins.

    Tokens are compared one by one if both models cut the text into the same ones, those that either does not know left
    out; otherwise lines are.

    Example: rnnlm compare runs/rnn runs/lstm --corpus ptb

    Attributes:
        first: folder of a model or of a run, or an ARPA file of n-grams.
        second: another.
        corpus: story, ptb, or a UTF-8 text file, which is taken whole.
        part: of story or ptb.
        data_dir: folder that holds ptb/; $RNNLM_DATA or the cache of downloads unless given.
        column: of a CSV file, the column that has the text; that of the training, if the file is called .csv.
        top: how many words, or lines, to print where each of the two wins.
        json: print one JSON object.
        device: cpu, cuda (an NVIDIA GPU), cuda:1 and so on; $RNNLM_DEVICE, or cpu, unless given.
    """

    first: Positional[Path]
    second: Positional[Path]
    corpus: str = "story"
    part: Literal["train", "valid", "test"] = "test"
    data_dir: Path | None = None
    column: str | None = None
    top: int = 5
    json: bool = False
    device: str | None = None

    def run(self) -> None:
        """Print the two tables."""
        from rnnlm.inference.comparison import compare, line_nats
        from rnnlm.inference.figures import figures, table
        from rnnlm.inference.predictor import start_of

        whole_number("top", self.top, 0)
        models = [open_predictor(path) for path in (self.first, self.second)]
        self._expect_one_text(*(words for _, words in models))
        columns, scored = [], []
        for model, words in models:
            starts = start_of(model) is not None
            text = Text.of(self.corpus, self.part, words, self.data_dir, self.column, starts)
            columns.append(figures(text.evaluate(model, words), text.size))
            scored.append(line_nats(model, words, text.ids))
        found = compare(*scored)
        if self.json:
            print(to_json({"first": columns[0], "second": columns[1], **found.row()}))
            return
        print(table(columns, ["first", "second"]))
        print(f"\n{found}")
        for name, wins in zip(("first", "second"), found.wins(self.top)):
            for label, nats in wins:
                print(f"{name} is better by {nats:.3f} nats at: {label}")

    def _expect_one_text(self, first: Vocabulary, second: Vocabulary) -> None:
        """Check that both models clean a text in the same way, and so read the same one."""
        a, b = first.reading.options, second.reading.options
        for name in ("lower", "strip_punctuation", "ascii_only", "leave_out"):
            if getattr(a, name) != getattr(b, name):
                raise InputError(
                    f"both models must read one text, and {name} is {getattr(a, name)!r} of the first and "
                    f"{getattr(b, name)!r} of the second: clean the text before training, for both"
                )
