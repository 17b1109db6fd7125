"""`rnnlm eval`."""

from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from tyro.conf import Positional

from rnnlm.checks import whole_number
from rnnlm.cli.commands.base import Command
from rnnlm.cli.mixing import Mixing
from rnnlm.cli.texts import Source, Text, TextChoice
from rnnlm.data.corpora.named import BUILT_IN
from rnnlm.errors import InputError
from rnnlm.files import to_json

if TYPE_CHECKING:
    from rnnlm.inference.predictor import Predictor

__all__ = ["Eval"]

LANES, SHORTEST = 16, 200  # side by side where log-linear weights are tuned; and their tokens


@dataclass(frozen=True)
class Eval(Command):
    """Print the perplexity of a model on a text, every token but the first scored once; of a model of sentences, and
    of n-grams, every line by itself, and every token of it. The text is read as the model's was; of a run it is what
    that held out, unless another is named.

    Examples: rnnlm eval runs/book | rnnlm eval book.arpa --corpus book.txt | rnnlm eval runs/ptb-001 --mix ptb.arpa

    Attributes:
        model: folder of a model or of a run, or an ARPA file.
        text: which text.
        lanes: cut the text into so many parts and score them side by side: faster, and only approximately right.
        mixing: other models beside it; their weights are tuned unless they are given.
        tune_on: story or ptb, of which the valid part is taken, or a text file, to find the weights by; the valid part
            of the corpus unless given.
        json: print one JSON object.
        device: cpu, cuda (an NVIDIA GPU), cuda:1 and so on; $RNNLM_DEVICE, or cpu, unless given.
    """

    model: Positional[Path]
    text: TextChoice = field(default_factory=TextChoice)
    lanes: int = 1
    mixing: Mixing = field(default_factory=Mixing)
    tune_on: str | None = None
    json: bool = False
    device: str | None = None

    def run(self) -> None:
        """Print the perplexity, with what is needed to compare it."""
        from rnnlm.inference.figures import figures, table
        from rnnlm.inference.predictor import start_of

        source, tuning = self._sources()
        weights = self.mixing.weights
        predictors, words = self.mixing.open(self.model)
        starts = all(start_of(predictor) is not None for predictor in predictors)
        text = Text.of(source, words, starts)
        if weights is None:
            weights = self._tuned(predictors, Text.of(tuning, words), text)
        model = self.mixing.mixed(predictors, weights)
        result = text.evaluate(model, words, self.lanes)
        found = figures(result, text.size)
        if self.json:
            mixed = {"weights": weights} if self.mixing.mix else {}
            what = {"corpus": source.corpus, "part": source.part, **mixed}
            print(to_json({**what, **asdict(result), **found, "unknown": text.unknown}))
            return
        if self.mixing.mix:
            print("mixed: " + ", ".join(f"{w:.4f} {path}" for w, path in zip(weights, (self.model, *self.mixing.mix))))
        print(f"text: {source}")
        print(result)
        if text.unknown is not None:
            print(f"{text.unknown:,} of {text.tokens:,} tokens are not among the model's {len(words):,} words")
        print(table([found]))

    def _sources(self) -> tuple[Source, Source]:
        """The text, and the one to tune weights on, which is the same where there are none to be tuned.

        Raises:
            InputError: for what can be known to be wrong before anything is read.
        """
        whole_number("lanes", self.lanes, 1)
        (source,) = self.text.sources([self.model])
        tuning = self._tuning(source) if self.mixing.weights is None else source
        if self.mixing.weights is not None and self.tune_on is not None:
            raise InputError("tune_on is to find the weights of a mixture by: leave it out, or mix_weight")
        self.text.expect_used([source.corpus, tuning.corpus])
        return source, tuning

    def _tuning(self, source: Source) -> Source:
        """The text to tune weights on."""
        if self.mixing.log_linear and len(self.mixing.mix) > 1:
            raise InputError("log-linear weights are tuned for two models: give --mix-weight for more")
        if self.tune_on is not None:
            return self.text.named(self.tune_on, "valid" if self.tune_on in BUILT_IN else None)
        if source.part is None:
            raise InputError(
                f"{source.corpus} has no valid part to tune weights on: name a text, --tune-on FILE, a part of it, "
                "--part test, or --mix-weight"
            )
        return replace(source, part="valid")

    def _tuned(self, predictors: "list[Predictor]", text: Text, evaluated: Text) -> list[float]:
        """The best weights on a text that is not the one evaluated."""
        from rnnlm.inference.mixture_weights import linear_weights, log_linear_weights

        if text.same_as(evaluated):
            raise InputError("weights must be tuned on another text than the one evaluated: --tune-on, or --mix-weight")
        if self.mixing.log_linear:
            first, second = predictors
            lanes = min(LANES, max(1, text.tokens // SHORTEST))
            return log_linear_weights(first, second, text.ids, lanes).tolist()
        return linear_weights(predictors, text.ids).tolist()
