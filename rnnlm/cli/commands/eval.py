"""`rnnlm eval`."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from tyro.conf import Positional

from rnnlm.cli.commands.base import Command
from rnnlm.cli.folders import open_model
from rnnlm.data.corpora.named import load_part
from rnnlm.files import to_json

__all__ = ["Eval"]


@dataclass(frozen=True)
class Eval(Command):
    """Print the perplexity of a model on a text, every token but the first scored once.

    Example: rnnlm eval runs/story-001 --corpus story

    Attributes:
        model: folder of a model or of a run.
        corpus: story, ptb, or a UTF-8 text or an encoded file, which is scored whole.
        part: of story or ptb.
        data_dir: folder that holds ptb/; $RNNLM_DATA or the cache of downloads unless given.
        lanes: cut the text into so many parts and score them side by side: faster, and only approximately right.
        json: print one JSON object.
        device: cpu, cuda (an NVIDIA GPU), cuda:1 and so on; $RNNLM_DEVICE, or cpu, unless given.
    """

    model: Positional[Path]
    corpus: str = "story"
    part: Literal["train", "valid", "test"] = "test"
    data_dir: Path | None = None
    lanes: int = 1
    json: bool = False
    device: str | None = None

    def run(self) -> None:
        """Print the perplexity, with what is needed to compare it."""
        from rnnlm.inference.evaluation import evaluate

        model, words = open_model(self.model)
        ids, unknown = load_part(self.corpus, self.part, words, self.data_dir)
        result = evaluate(model, ids, self.lanes)
        if self.json:
            what = {"corpus": self.corpus, "part": self.part, "perplexity": result.perplexity}
            print(to_json({**what, **asdict(result), "unknown": unknown}))
            return
        print(result)
        print(f"{unknown:,} of {len(ids):,} tokens are not among the model's {len(words):,} words")
