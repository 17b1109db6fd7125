"""What evaluating, scoring and writing ask of a language model, be it a network or a table of counts."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

from rnnlm.backend import Array
from rnnlm.checks import refused, whole_number

__all__ = ["Predictor", "expect_predictor", "own_state", "rows_of", "start_of"]

ROWS = 512  # tokens given at once, unless the caller or the predictor says another number: enough for matrix products


class Predictor(Protocol):
    """A language model as `evaluate`, `score` and `generate` see it: it reads words and predicts the next one.

    It reads N texts side by side. What it remembers of what it has read is its state; a predictor that remembers
    nothing returns None for it. Arrays that it returns are NumPy's or those of the backend.

    It may have two attributes more. `start_id` is the id of `<eos>` if it begins anew wherever it reads one, as an
    n-gram model does: a text is then read after one, so that its first word is predicted too. `rows` is how many tokens
    it is best given at once.
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


METHODS = ("losses", "next_scores", "reset_state", "get_state", "set_state")


def expect_predictor(name: str, given: Any) -> int:
    """Check that an argument is a predictor, and give its V; asked where one comes in, once.

    Raises:
        InputError: it has not the methods of one, or no number of words.
    """
    if not all(callable(getattr(given, method, None)) for method in METHODS):
        raise refused(name, f"a language model, with vocab_size and the methods {', '.join(METHODS)}", given)
    return whole_number(f"vocab_size of {name}", getattr(given, "vocab_size", None), 1)


def start_of(predictor: Predictor) -> int | None:
    """Id of the word that a text is read after; None where its first word is read and not predicted."""
    return getattr(predictor, "start_id", None)


def rows_of(predictor: Predictor, usual: int = ROWS) -> int:
    """How many tokens to give it at once: `usual` unless it says another number."""
    return getattr(predictor, "rows", usual)


@contextmanager
def own_state(predictor: Predictor) -> Iterator[None]:
    """Begin with a reset state inside, and put the predictor's own one back in the end."""
    state = predictor.get_state()
    predictor.reset_state()
    try:
        yield
    finally:
        predictor.set_state(state)
