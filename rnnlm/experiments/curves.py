"""What perplexities after each epoch say: which one was the best, and whether a model learns its text by heart."""

from collections.abc import Sequence
from math import inf, isnan

__all__ = ["BY_HEART", "ENDLESS", "best_epoch", "by_heart_since"]

BY_HEART = (
    "valid perplexity gets worse while train gets better: the model learns its text by heart. The best one so far is "
    "kept; --dropout-ratio 0.5, a smaller --hidden-size or more text would help"
)
ENDLESS = ", and --patience 2 would stop soon"  # after it, where nothing else does


def best_epoch(valid: Sequence[float]) -> int:
    """The first epoch of the lowest valid perplexity, of one at least that is a number."""
    return min(range(len(valid)), key=lambda i: inf if isnan(valid[i]) else valid[i]) + 1


def by_heart_since(train: Sequence[float], valid: Sequence[float]) -> int | None:
    """The first epoch at which valid perplexity has risen for the second time running while train has fallen."""
    for i in range(2, len(valid)):
        if valid[i] > valid[i - 1] > valid[i - 2] and train[i] < train[i - 1] < train[i - 2]:
            return i + 1
    return None
