"""`rnnlm eval`."""

from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from tyro.conf import Positional, arg

from rnnlm.checks import whole_number
from rnnlm.cli.adaptation import Adaptation
from rnnlm.cli.commands.base import Command
from rnnlm.cli.effects import EVALUATING
from rnnlm.cli.mixing import Mixing
from rnnlm.cli.texts import Source, Text, TextChoice
from rnnlm.data.corpora.named import BUILT_IN
from rnnlm.errors import InputError
from rnnlm.files import to_json

if TYPE_CHECKING:
    from rnnlm.inference.predictor import Predictor

__all__ = ["Eval"]

LANES, SHORTEST = 16, 200  # lanes for tuning log-linear weights, and tokens that each should have


@dataclass(frozen=True)
class Eval(Command):
    """Print the perplexity of a model on a text. Every token but the first is scored; models of sentences and n-gram
    models score every token, line by line. The text is read with the model's own text options. Without --corpus, a run
    is evaluated on the text that it held out.

    Examples: rnnlm eval runs/book | rnnlm eval book.arpa --corpus other.txt | rnnlm eval runs/ptb-001 --mix ptb.arpa |
    rnnlm eval runs/ptb-001 --cache-weight 0.1 --dynamic-lr 0.3

    Attributes:
        model: folder of a model or of a run, or an ARPA file.
        text: the text to evaluate on.
        lanes: split the text into this many parts and score them in parallel: faster, but approximate.
        mixing: models to mix with it; their weights are tuned if they are not given.
        tune_on: text for tuning the weights: story or ptb (its valid part), or a text file. If not given: the valid
            part of the corpus.
        adaptation: how the model, in a mixture the one named first, adapts to the text.
        json: print one JSON object.
        device: cpu, cuda (an NVIDIA GPU), cuda:1 and so on. If not given: $RNNLM_DEVICE, else cpu.
    """

    model: Annotated[Positional[Path], arg(metavar="MODEL")]
    text: TextChoice = field(default_factory=TextChoice)
    lanes: int = 1
    mixing: Mixing = field(default_factory=Mixing)
    tune_on: str | None = None
    adaptation: Adaptation = field(default_factory=Adaptation)
    json: bool = False
    device: str | None = None

    effects = EVALUATING

    def run(self) -> None:
        """Print the perplexity and the figures needed to compare it with others."""
        from rnnlm.inference.figures import figures, table
        from rnnlm.inference.predictor import start_of

        source, tuning = self._sources()
        weights = self.mixing.weights
        predictors, words = self.mixing.open(self.model)
        predictors[0] = self.adaptation.applied(predictors[0], words)
        starts = all(start_of(predictor) is not None for predictor in predictors)
        text = Text.of(source, words, starts)
        if weights is None:
            weights = self._tuned(predictors, Text.of(tuning, words), text)
        model = self.mixing.mixed(predictors, weights)
        result = text.evaluate(model, words, self.lanes)
        found = figures(result, text.size)
        if self.json:
            mixed = {"weights": weights} if self.mixing.mix else {}
            what = {"corpus": source.corpus, "part": source.part, **mixed, **self.adaptation.given()}
            print(to_json({**what, **asdict(result), **found, "unknown": text.unknown}))
            return
        if self.mixing.mix:
            print("mixed: " + ", ".join(f"{w:.4f} {path}" for w, path in zip(weights, (self.model, *self.mixing.mix))))
        if self.adaptation.given():
            print(", ".join(f"{name.replace('_', ' ')} {value}" for name, value in self.adaptation.given().items()))
        print(f"text: {source}")
        print(result)
        if text.unknown is not None:
            print(f"{text.unknown:,} of {text.tokens:,} tokens are not among the model's {len(words):,} words")
        print(table([found]))

    def _sources(self) -> tuple[Source, Source]:
        """Return the text to evaluate and the one to tune weights on; both are the same if the weights are given.

        Raises:
            InputError: a mistake in the options that can be found before any text is read.
        """
        whole_number("lanes", self.lanes, 1)
        self.adaptation.check(self.lanes, self.mixing.log_linear)
        (source,) = self.text.sources([self.model])
        tuning = self._tuning(source) if self.mixing.weights is None else source
        if self.tune_on is not None and not self.mixing.mix:
            raise InputError("tune_on finds the weights of a mixture: name a model to mix with, --mix MODEL")
        if self.mixing.weights is not None and self.tune_on is not None:
            raise InputError("tune_on finds the weights of a mixture, and mix_weight gives them: leave out one")
        self.text.expect_used([source.corpus, tuning.corpus])
        return source, tuning

    def _tuning(self, source: Source) -> Source:
        """Return the text to tune weights on."""
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
        """Return the weights with the lowest loss on `text`, which must differ from the text evaluated."""
        from rnnlm.inference.mixture_weights import linear_weights, log_linear_weights

        if text.same_as(evaluated):
            raise InputError("weights must be tuned on another text than the one evaluated: --tune-on, or --mix-weight")
        if self.mixing.log_linear:
            first, second = predictors
            lanes = min(LANES, max(1, text.tokens // SHORTEST))
            return log_linear_weights(first, second, text.ids, lanes).tolist()
        return linear_weights(predictors, text.ids).tolist()
