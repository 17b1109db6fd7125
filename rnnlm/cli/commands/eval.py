"""`rnnlm eval`."""

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from tyro.conf import Positional

from rnnlm.checks import whole_number
from rnnlm.cli.commands.base import Command
from rnnlm.cli.mixing import Mixing
from rnnlm.cli.texts import Text
from rnnlm.data.corpora.named import BUILT_IN
from rnnlm.data.vocabulary import Vocabulary
from rnnlm.errors import InputError
from rnnlm.files import to_json

if TYPE_CHECKING:
    from rnnlm.inference.predictor import Predictor

__all__ = ["Eval"]

LANES, SHORTEST = 16, 200  # side by side where log-linear weights are tuned; and their tokens


@dataclass(frozen=True)
class Eval(Command):
    """Print the perplexity of a model on a text, every token but the first scored once; of a model of sentences, and
    of n-grams, every line by itself, and every token of it. The text is read as the model's was.

    Examples: rnnlm eval runs/story-001 --corpus story | rnnlm eval runs/ptb-001 --corpus ptb --mix ptb.arpa

    Attributes:
        model: folder of a model or of a run, or an ARPA file.
        corpus: story, ptb, or a UTF-8 text or an encoded file, which is scored whole.
        part: of story or ptb.
        data_dir: folder that holds ptb/; $RNNLM_DATA or the cache of downloads unless given.
        lanes: cut the text into so many parts and score them side by side: faster, and only approximately right.
        column: of a CSV file, the column that has the text; that of the model's training, if the file is called .csv.
        mixing: other models beside it; their weights are tuned unless they are given.
        tune_on: story or ptb, of which the valid part is taken, or a text file, to find the weights by; the valid part
            of the corpus unless given.
        json: print one JSON object.
        device: cpu, cuda (an NVIDIA GPU), cuda:1 and so on; $RNNLM_DEVICE, or cpu, unless given.
    """

    model: Positional[Path]
    corpus: str = "story"
    part: Literal["train", "valid", "test"] = "test"
    data_dir: Path | None = None
    lanes: int = 1
    column: str | None = None
    mixing: Mixing = field(default_factory=Mixing)
    tune_on: str | None = None
    json: bool = False
    device: str | None = None

    def run(self) -> None:
        """Print the perplexity, with what is needed to compare it."""
        from rnnlm.inference.figures import figures, table
        from rnnlm.inference.predictor import start_of

        self._check()
        weights = self.mixing.weights
        predictors, words = self.mixing.open(self.model)
        starts = all(start_of(predictor) is not None for predictor in predictors)
        text = self._text(self.corpus, self.part, words, starts)
        weights = self._tuned(predictors, words, text) if weights is None else weights
        model = self.mixing.mixed(predictors, weights)
        result = text.evaluate(model, words, self.lanes)
        found = figures(result, text.size)
        if self.json:
            what = {"corpus": self.corpus, "part": self.part, **({"weights": weights} if self.mixing.mix else {})}
            print(to_json({**what, **asdict(result), **found, "unknown": text.unknown}))
            return
        if self.mixing.mix:
            print("mixed: " + ", ".join(f"{w:.4f} {path}" for w, path in zip(weights, (self.model, *self.mixing.mix))))
        print(result)
        print(f"{text.unknown:,} of {text.tokens:,} tokens are not among the model's {len(words):,} words")
        print(table([found]))

    def _text(self, name: str, part: str, words: Vocabulary, from_start: bool) -> Text:
        return Text.of(name, part, words, self.data_dir, self.column, from_start)

    def _check(self) -> None:
        """Raise an InputError for what can be known to be wrong before anything is read."""
        whole_number("lanes", self.lanes, 1)
        if self.mixing.weights is not None:
            if self.tune_on is not None:
                raise InputError("tune_on is to find the weights of a mixture by: leave it out, or mix_weight")
            return
        if self.mixing.log_linear and len(self.mixing.mix) > 1:
            raise InputError("log-linear weights are tuned for two models: give --mix-weight for more")
        name = self.corpus if self.tune_on is None else self.tune_on
        if self.tune_on is None and name not in BUILT_IN:
            raise InputError(
                f"{name} has no valid part to tune weights on: name a text, --tune-on FILE, or --mix-weight"
            )

    def _tuned(self, predictors: "list[Predictor]", words: Vocabulary, evaluated: Text) -> list[float]:
        """The best weights on a text that is not the one evaluated."""
        from rnnlm.inference.mixture_weights import linear_weights, log_linear_weights

        text = self._text(self.corpus if self.tune_on is None else self.tune_on, "valid", words, False)
        if text.same_as(evaluated):
            raise InputError("weights must be tuned on another text than the one evaluated: --tune-on, or --mix-weight")
        if self.mixing.log_linear:
            first, second = predictors
            lanes = min(LANES, max(1, text.tokens // SHORTEST))
            return log_linear_weights(first, second, text.ids, lanes).tolist()
        return linear_weights(predictors, text.ids).tolist()
