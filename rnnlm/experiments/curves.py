"""What perplexities by epoch say: the best epoch, and when overfitting begins."""

from collections.abc import Sequence
from math import inf, isnan

__all__ = ["BY_HEART", "ENDLESS", "best_epoch", "by_heart_since"]

BY_HEART = (
    "valid perplexity gets worse while train gets better: the model learns its text by heart. The best one so far is "
    "kept; --dropout-ratio 0.5, a smaller --hidden-size or more text would help"
)
ENDLESS = ", and --patience 2 would stop soon"  # appended if nothing else would stop the training


def best_epoch(valid: Sequence[float]) -> int:
    """Return the first epoch with the lowest valid perplexity; at least one must be a number."""
    return min(range(len(valid)), key=lambda i: inf if isnan(valid[i]) else valid[i]) + 1


def by_heart_since(train: Sequence[float], valid: Sequence[float]) -> int | None:
    """Return the first epoch at which valid rises for the second time in a row while train falls, or None."""
    for i in range(2, len(valid)):
        if valid[i] > valid[i - 1] > valid[i - 2] and train[i] < train[i - 1] < train[i - 2]:
            return i + 1
    return None
