"""Options of the commands that mix a model with others."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from tyro.conf import UseAppendAction

from rnnlm.cli.folders import open_predictor
from rnnlm.data.vocabulary import Vocabulary
from rnnlm.errors import InputError

if TYPE_CHECKING:
    from rnnlm.inference.predictor import Predictor

__all__ = ["Mixing"]


@dataclass(frozen=True)
class Mixing:
    """Models to mix with the one named first; all are read in that one's vocabulary.

    Attributes:
        mix: a model to mix in: a folder or an ARPA file; may be repeated: --mix A --mix B.
        mix_weight: weight of each of them, in the same order; the first model gets the rest up to 1.
        log_linear: multiply weighted probabilities (log-linear) instead of averaging them: slow.
    """

    mix: UseAppendAction[tuple[Path, ...]] = ()
    mix_weight: UseAppendAction[tuple[float, ...]] = ()
    log_linear: bool = False

    @property
    def weights(self) -> list[float] | None:
        """The weights of all models, or None if they are not given.

        Raises:
            InputError: not one weight per model, or weights outside [0, 1] or whose sum exceeds 1.
        """
        if not self.mix and (self.mix_weight or self.log_linear):
            raise InputError("mix_weight and log_linear are for a mixture: name a model to mix with, --mix MODEL")
        if not self.mix_weight:
            return None if self.mix else [1.0]
        if len(self.mix_weight) != len(self.mix):
            raise InputError(
                f"mix_weight must be one number for each of the {len(self.mix)} models of mix, got "
                f"{len(self.mix_weight)}; the model's own weight is what is left of 1"
            )
        if not all(0 <= weight <= 1 for weight in self.mix_weight) or sum(self.mix_weight) > 1 + 1e-9:
            raise InputError(f"each mix_weight must be in [0, 1], and so must their sum, got {list(self.mix_weight)}")
        return [max(0.0, 1 - sum(self.mix_weight)), *self.mix_weight]

    def open(self, model: Path) -> "tuple[list[Predictor], Vocabulary]":
        """Load all models, in the vocabulary of the first one; returns them and that vocabulary. It reads texts line by
        line if any of the models is one of sentences."""
        from rnnlm.inference.other_words import in_words_of

        paths = [path.resolve() for path in (model, *self.mix)]
        if len({*paths}) < len(paths):
            raise InputError("models of a mixture must differ: mix names one that is there already")
        first, words = open_predictor(model)
        others = [open_predictor(path) for path in self.mix]
        predictors = [first, *(in_words_of(other, own, words) for other, own in others)]
        by_lines = any(own.reading.options.sentences for _, own in [(first, words), *others])
        options = replace(words.reading.options, sentences=by_lines)
        return predictors, words.read_by(options)

    def mixed(self, predictors: "list[Predictor]", weights: "list[float]") -> "Predictor":
        """Return the mixture, or the model itself if it is the only one."""
        from rnnlm.inference.mixture import Mixture

        return predictors[0] if len(predictors) == 1 else Mixture(predictors, weights, self.log_linear)

    def open_mixed(self, model: Path) -> "tuple[Predictor, Vocabulary]":
        """Load the models and mix them with the weights given; returns the mixture and its vocabulary.

        Raises:
            InputError: no weights are given.
        """
        weights = self.weights
        if weights is None:
            raise InputError("mix_weight must be given here; `rnnlm eval MODEL --mix ...` finds the best one")
        predictors, words = self.open(model)
        return self.mixed(predictors, weights), words
