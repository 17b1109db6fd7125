"""Options of models that adapt to the text that they read."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rnnlm.checks import not_negative, positive, share, whole_number
from rnnlm.data.vocabulary import Vocabulary
from rnnlm.errors import InputError

if TYPE_CHECKING:
    from rnnlm.inference.predictor import Predictor

__all__ = ["Adaptation"]

LONGEST = 512  # words of a segment: as many as a predictor is given at once


@dataclass(frozen=True)
class Adaptation:
    """How the model, in a mixture the one named first, adapts to the text that it reads. Choose these numbers on
    another text, such as --part valid.

    Attributes:
        dynamic_lr: go on learning from the text that is read (dynamic evaluation), with this learning rate.
        dynamic_decay: draw the weights back towards the trained ones by this share after each segment.
        dynamic_segment: number of words from one step of learning to the next.
        cache_weight: mix the model with a neural cache of the words read, which has this weight.
        cache_size: number of words that it keeps, the last ones.
        cache_flatness: how much more likely a word is if the hidden state is like the one before it; 0 for not at all.
    """

    dynamic_lr: float | None = None
    dynamic_decay: float = 0.0
    dynamic_segment: int = 10
    cache_weight: float | None = None
    cache_size: int = 500
    cache_flatness: float = 0.5

    def check(self, lanes: int, log_linear: bool) -> None:
        """Check the options.

        Args:
            lanes: in how many parts the text is read.
            log_linear: whether the model is part of a log-linear mixture.

        Raises:
            InputError: one is out of range, or the text is not read as one stream that the model could learn from.
        """
        if self.dynamic_lr is not None:
            for name, given in (("--lanes", lanes > 1), ("--log-linear", log_linear)):
                if given:
                    raise InputError(f"dynamic_lr is for one stream of text that is read once: leave out {name}")
            positive("dynamic_lr", self.dynamic_lr)
            share("dynamic_decay", self.dynamic_decay)
            whole_number("dynamic_segment", self.dynamic_segment, 1, LONGEST + 1)
        if self.cache_weight is not None:
            share("cache_weight", self.cache_weight)
            whole_number("cache_size", self.cache_size, 1, 2**24 + 1)
            not_negative("cache_flatness", self.cache_flatness, 1e6)

    def given(self) -> dict[str, Any]:
        """Return the options that have an effect, by name."""
        dynamic = ("dynamic_lr", "dynamic_decay", "dynamic_segment") if self.dynamic_lr is not None else ()
        cache = ("cache_weight", "cache_size", "cache_flatness") if self.cache_weight is not None else ()
        return {name: getattr(self, name) for name in (*dynamic, *cache)}

    def applied(self, model: "Predictor", words: Vocabulary) -> "Predictor":
        """Return the model as one that adapts while it reads, if it is to.

        Raises:
            InputError: the model can't be trained or has no hidden states, or lines are read by themselves.
        """
        from rnnlm.inference.cache import NeuralCache
        from rnnlm.inference.dynamic import DynamicEvaluation

        if words.reading.options.sentences and self.given():
            name = next(iter(self.given()))
            raise InputError(f"{name} is for a text read as one stream, and these models read each line by itself")
        if self.cache_weight is not None:
            model = NeuralCache(model, self.cache_size, self.cache_weight, self.cache_flatness)
        if self.dynamic_lr is not None:
            model = DynamicEvaluation(model, self.dynamic_lr, self.dynamic_decay, self.dynamic_segment)
        return model
