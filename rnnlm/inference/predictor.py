"""What evaluating, scoring and writing ask of a language model, be it a network or a table of counts."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

from rnnlm.backend import Array

__all__ = ["Predictor", "own_state"]


class Predictor(Protocol):
    """A language model as `evaluate`, `score` and `generate` see it: it reads words and predicts the next one.

    It reads N texts side by side. What it remembers of what it has read is its state; a predictor that remembers
    nothing returns None for it. Arrays that it returns are NumPy's or those of the backend.
    """

    @property
    def vocab_size(self) -> int:
        """V: ids of words are in [0, V)."""

    def losses(self, xs: Any, ts: Any) -> Array:
        """Natural-log loss -log p(ts[n, t] | all words read, up to xs[n, t]), (N, T) float64; 0 where ts is -1.

        Args:
            xs: (N, T) ids, to be read after what the state remembers.
            ts: (N, T) ids of the words that follow, or -1 for one that does not count.
        """

    def next_scores(self, xs: Any) -> Array:
        """Scores (N, V) of the word after the last of the ids xs (N, T): softmax gives their probabilities.

        The array is the caller's to write to, until the next call.
        """

    def reset_state(self) -> None:
        """Forget what was read."""

    def get_state(self) -> Any:
        """What was read so far, to be given back to `set_state`."""

    def set_state(self, state: Any) -> None:
        """Go on from what `get_state` gave."""


@contextmanager
def own_state(predictor: Predictor) -> Iterator[None]:
    """Begin with a reset state inside, and put the predictor's own one back in the end."""
    state = predictor.get_state()
    predictor.reset_state()
    try:
        yield
    finally:
        predictor.set_state(state)
