"""Options of dynamic evaluation."""

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from rnnlm.checks import positive, share, whole_number
from rnnlm.data.vocabulary import Vocabulary
from rnnlm.errors import InputError

if TYPE_CHECKING:
    from rnnlm.inference.predictor import Predictor

__all__ = ["Dynamic"]

LONGEST = 512  # words of a segment: as many as a predictor is given at once


@dataclass(frozen=True)
class Dynamic:
    """Dynamic evaluation: the first model goes on learning from the text that it reads.

    Attributes:
        dynamic_lr: go on learning from the text that is read (dynamic evaluation), with this learning rate. Choose it,
            and the next two, on another text, such as --part valid.
        dynamic_decay: draw the weights back towards the trained ones by this share after each segment.
        dynamic_segment: number of words from one step of learning to the next.
    """

    dynamic_lr: float | None = None
    dynamic_decay: float = 0.0
    dynamic_segment: int = 10

    def check(self, lanes: int, log_linear: bool) -> None:
        """Check the options.

        Args:
            lanes: in how many parts the text is read.
            log_linear: whether the model is part of a log-linear mixture.

        Raises:
            InputError: one is out of range, or the text is not read as one stream.
        """
        if self.dynamic_lr is not None:
            for name, given in (("--lanes", lanes > 1), ("--log-linear", log_linear)):
                if given:
                    raise InputError(f"dynamic_lr is for one stream of text that is read once: leave out {name}")
            positive("dynamic_lr", self.dynamic_lr)
            share("dynamic_decay", self.dynamic_decay)
            whole_number("dynamic_segment", self.dynamic_segment, 1, LONGEST + 1)

    def given(self) -> dict[str, Any]:
        """Return the options by name; none if the model is not to learn."""
        return {} if self.dynamic_lr is None else asdict(self)

    def applied(self, model: "Predictor", words: Vocabulary) -> "Predictor":
        """Return the model as one that learns while it reads, if it is to.

        Raises:
            InputError: the model can't be trained, or lines are read by themselves.
        """
        from rnnlm.inference.dynamic import DynamicEvaluation

        if self.dynamic_lr is None:
            return model
        if words.reading.options.sentences:
            raise InputError("dynamic_lr is for a text read as one stream, and these models read each line by itself")
        return DynamicEvaluation(model, self.dynamic_lr, self.dynamic_decay, self.dynamic_segment)
