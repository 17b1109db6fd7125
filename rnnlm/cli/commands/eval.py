"""`rnnlm eval`."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from tyro.conf import Positional

from rnnlm.cli.commands.base import Command
from rnnlm.cli.folders import open_model
from rnnlm.cli.texts import Text
from rnnlm.files import to_json

__all__ = ["Eval"]


@dataclass(frozen=True)
class Eval(Command):
    """Print the perplexity of a model on a text, every token but the first scored once; of a model of sentences every
    line by itself, and every token of it. The text is read as the model's was.

    Example: rnnlm eval runs/story-001 --corpus story

    Attributes:
        model: folder of a model or of a run.
        corpus: story, ptb, or a UTF-8 text or an encoded file, which is scored whole.
        part: of story or ptb.
        data_dir: folder that holds ptb/; $RNNLM_DATA or the cache of downloads unless given.
        lanes: cut the text into so many parts and score them side by side: faster, and only approximately right.
        column: of a CSV file, the column that has the text; that of the model's training, if the file is called .csv.
        json: print one JSON object.
        device: cpu, cuda (an NVIDIA GPU), cuda:1 and so on; $RNNLM_DEVICE, or cpu, unless given.
    """

    model: Positional[Path]
    corpus: str = "story"
    part: Literal["train", "valid", "test"] = "test"
    data_dir: Path | None = None
    lanes: int = 1
    column: str | None = None
    json: bool = False
    device: str | None = None

    def run(self) -> None:
        """Print the perplexity, with what is needed to compare it."""
        from rnnlm.inference.figures import figures, table

        model, words = open_model(self.model)
        text = Text.of(self.corpus, self.part, words, self.data_dir, self.column)
        result = text.evaluate(model, words, self.lanes)
        found = figures(result, text.size)
        if self.json:
            what = {"corpus": self.corpus, "part": self.part}
            print(to_json({**what, **asdict(result), **found, "unknown": text.unknown}))
            return
        print(result)
        print(f"{text.unknown:,} of {text.tokens:,} tokens are not among the model's {len(words):,} words")
        print(table([found]))
