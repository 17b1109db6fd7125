"""The interface of language models, neural or n-gram, for evaluation, scoring and generation."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from typing import Any, Protocol

from numpy.typing import NDArray

from rnnlm.backend import Array, ops
from rnnlm.checks import refused, shown, whole_number
from rnnlm.errors import InputError

__all__ = [
    "Predictor",
    "expect_losses",
    "expect_predictor",
    "leaves_of",
    "losses_of",
    "one_thread",
    "own_state",
    "rows_of",
    "scores_of",
    "shared_copy_of",
    "start_of",
]

ROUNDING = 1e-3  # nats by which a loss may be below 0
ROWS = 512  # tokens per call by default: enough for efficient matrix products


class Predictor(Protocol):
    """The interface that `evaluate`, `score` and `generate` require: a language model that reads words and predicts the
    next one.

    It reads N texts in parallel and carries a state from call to call; the state of a predictor without one is None.
    Returned arrays are NumPy's or the backend's.

    Four attributes are optional. `start_id` is the id of `<eos>` if the model restarts wherever it reads one, as an
    n-gram model does: texts are then preceded by it, so that their first word is predicted too. `rows` is the preferred
    number of tokens per call. `one_thread` is a context that refuses use by a second thread. `shared_copy()` returns a
    copy for another thread.
    """

    @property
    def vocab_size(self) -> int:
        """V, the number of words; ids are in [0, V)."""

    def losses(self, xs: Any, ts: Any) -> Array:
        """Return the loss -log p(ts[n, t] | all words read, up to xs[n, t]) in nats, (N, T) float64; 0 where ts is -1.

        Args:
            xs: (N, T) ids, which continue those of previous calls.
            ts: (N, T) ids of the words that follow each, or -1 for targets that do not count.
        """

    def next_scores(self, xs: Any) -> Array:
        """Return scores (N, V) of the word after the last of the ids xs (N, T), whose softmax is the probabilities.

        The caller may overwrite the array, which is valid until the next call.
        """

    def reset_state(self) -> None:
        """Reset the state, as if nothing had been read."""

    def get_state(self) -> Any:
        """Return the state, to be restored by `set_state`."""

    def set_state(self, state: Any) -> None:
        """Restore a state that `get_state` returned."""


METHODS = ("losses", "next_scores", "reset_state", "get_state", "set_state")


def expect_predictor(name: str, given: Any) -> int:
    """Check that an argument is a predictor, and return its V.

    Raises:
        InputError: it lacks one of the methods, or `vocab_size`.
    """
    if not all(callable(getattr(given, method, None)) for method in METHODS):
        raise refused(name, f"a language model, with vocab_size and the methods {', '.join(METHODS)}", given)
    if getattr(given, "vocab_size", None) is None:
        raise InputError(
            f"{name} must read a text word by word and score each next word, and this {type(given).__name__} does not "
            "(vocab_size is None): its first layer must take ids, and its head scores of words, as "
            "TimeSoftmaxWithLoss does"
        )
    return whole_number(f"vocab_size of {name}", given.vocab_size, 1)


def losses_of(predictor: Predictor, xs: NDArray[Any], ts: NDArray[Any]) -> Array:
    """Return `losses` of a predictor, an array of the backend whose shape is checked; see `expect_losses`.

    Raises:
        InputError: it is not that of ts.
    """
    nats = predictor.losses(xs, ts)
    if getattr(nats, "shape", None) != ts.shape:
        kind = f"losses of {type(predictor).__name__}"
        raise InputError(f"{kind} must be an array of the shape {ts.shape} of ts, got {shown(nats)}")
    return ops.asarray(nats)


def expect_losses(predictor: Predictor, nats: NDArray[Any]) -> NDArray[Any]:
    """Check losses on the host and return them; they may be slightly negative by rounding, infinite, or NaN.

    Raises:
        InputError: one is negative, as if its sign had been forgotten.
    """
    if nats.size and nats.min() < -ROUNDING:
        raise InputError(
            f"losses of {type(predictor).__name__} must be at least 0, negative logarithms of probabilities, got "
            f"{nats.min():g}"
        )
    return nats


def scores_of(predictor: Predictor, xs: NDArray[Any], vocab_size: int) -> NDArray[Any]:
    """Return `next_scores` of a predictor on the host, checked.

    Raises:
        InputError: they are not (N, V).
    """
    scores: NDArray[Any] = ops.asnumpy(predictor.next_scores(xs))
    if getattr(scores, "shape", None) != (len(xs), vocab_size):
        kind = f"next_scores of {type(predictor).__name__}"
        raise InputError(f"{kind} must be an array of shape {(len(xs), vocab_size)}, got {shown(scores)}")
    return scores


def start_of(predictor: Predictor) -> int | None:
    """Return the id of the word that must precede a text; None if the text's first word is not predicted."""
    return getattr(predictor, "start_id", None)


def rows_of(predictor: Predictor, usual: int = ROWS) -> int:
    """Return the predictor's preferred number of tokens per call, by default `usual`."""
    return getattr(predictor, "rows", usual)


def leaves_of(predictor: Predictor) -> list[Predictor]:
    """Return the innermost predictors of a mixture or an `InOtherWords`; for others the predictor itself."""
    inner: list[Predictor] = getattr(predictor, "predictors", [])
    return [leaf for one in inner for leaf in leaves_of(one)] if inner else [predictor]


def shared_copy_of(predictor: Predictor) -> Any:
    """Return a copy that shares the predictor's weights or tables but has its own state, initially reset.

    Raises:
        InputError: the predictor has no `shared_copy`.
    """
    make = getattr(predictor, "shared_copy", None)
    if make is None:
        raise InputError(f"{type(predictor).__name__} has no shared_copy, by which other threads could use it, too")
    return make()


@contextmanager
def one_thread(predictor: Predictor) -> Iterator[None]:
    """Within this context no other thread may use the predictor, and BLAS uses one thread.

    Raises:
        BusyError: another thread is using it.
    """
    with ExitStack() as contexts:
        for leaf in leaves_of(predictor):
            contexts.enter_context(getattr(leaf, "one_thread", nullcontext()))
        contexts.enter_context(ops.one_blas_thread)
        yield


@contextmanager
def own_state(predictor: Predictor) -> Iterator[None]:
    """Within this context, which includes `one_thread`, use a reset state; afterwards restore the predictor's own."""
    with one_thread(predictor):
        state = predictor.get_state()
        predictor.reset_state()
        try:
            yield
        finally:
            predictor.set_state(state)
