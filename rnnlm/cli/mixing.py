"""Mixing a model with others, as commands have it."""

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
    """Other models beside the one that is named first, whose words they are read in.

    Attributes:
        mix: a model to mix with it, a folder or an ARPA file; for several, --mix A --mix B.
        mix_weight: the weight of each of them, in the same order; the model's own is what is left of 1.
        log_linear: multiply probabilities rather than average them: slow.
    """

    mix: UseAppendAction[tuple[Path, ...]] = ()
    mix_weight: UseAppendAction[tuple[float, ...]] = ()
    log_linear: bool = False

    @property
    def weights(self) -> list[float] | None:
        """The weights of all models, if they are given.

        Raises:
            InputError: another number than of models, or weights outside [0, 1] or with a larger sum.
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
            raise InputError(f"mix_weight must be in [0, 1], in all too, got {list(self.mix_weight)}")
        return [max(0.0, 1 - sum(self.mix_weight)), *self.mix_weight]

    def open(self, model: Path) -> "tuple[list[Predictor], Vocabulary]":
        """All models, in the words of the first one, and those words, which know that a text is read line by line if
        any of the models is of sentences."""
        from rnnlm.inference.other_words import in_words_of

        first, words = open_predictor(model)
        others = [open_predictor(path) for path in self.mix]
        predictors = [first, *(in_words_of(other, own, words) for other, own in others)]
        by_lines = any(own.reading.options.sentences for _, own in [(first, words), *others])
        options = replace(words.reading.options, sentences=by_lines)
        return predictors, words.read_by(options)

    def mixed(self, predictors: "list[Predictor]", weights: "list[float]") -> "Predictor":
        """The mixture; of a model alone, the model."""
        from rnnlm.inference.mixture import Mixture

        return predictors[0] if len(predictors) == 1 else Mixture(predictors, weights, self.log_linear)

    def open_mixed(self, model: Path) -> "tuple[Predictor, Vocabulary]":
        """The mixture with weights that are given, and its words.

        Raises:
            InputError: none are.
        """
        weights = self.weights
        if weights is None:
            raise InputError("mix_weight must be given here; `rnnlm eval MODEL --mix ...` finds the best one")
        predictors, words = self.open(model)
        return self.mixed(predictors, weights), words
