"""What is remembered of the steps of a training, and told from time to time."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rnnlm.backend import Array, accelerated, xp
from rnnlm.checks import positive, whole_number
from rnnlm.errors import TrainingDiverged
from rnnlm.inference.evaluation import perplexity

__all__ = ["Hear", "Report", "checked_fit", "diverged", "note_step"]


@dataclass(frozen=True)
class Report:
    """What is told of a training from time to time.

    Attributes:
        epoch: epochs finished.
        window: windows done of the epoch under way, 0 at its end.
        loss: mean loss since the report before, in nats for a language model.
        grad_norm: mean norm of the gradient since then, before clipping.
    """

    epoch: int
    window: int
    loss: float
    grad_norm: float

    @property
    def perplexity(self) -> float:
        """exp of the loss."""
        return perplexity(self.loss)


Hear = Callable[[Report], object]


@accelerated
def note_step(
    loss: Array, norm: Array, step: int, columns: int, highest: float, good_steps: Array, totals: Array
) -> None:
    """Add a step to what is remembered of a training, on the device.

    Args:
        loss, norm: 0-d arrays or scalars of the step: mean loss, and the gradient's norm.
        step: its number, from 0.
        columns: time steps of its window.
        highest: a larger loss is as bad as one that is not finite.
        good_steps: (1,) how many steps from the first on had a finite loss of at most that and a finite gradient.
        totals: (2,) sums over steps of loss * columns and of norm.
    """
    good_steps += xp.isfinite(loss) & (loss <= highest) & xp.isfinite(norm) & (good_steps == step)
    totals[:1] += loss * columns
    totals[1:] += norm


def diverged(good: int, windows: int, lr: Any, kept_step: int, what: str = "perplexity") -> TrainingDiverged:
    """The error for a training in which something was not finite.

    Args:
        good: steps before the first bad one.
        windows: of an epoch.
        lr: learning rate, or None.
        kept_step: the step whose weights the model has again.
        what: the figure that is told of this training.
    """
    epoch, window = divmod(good, windows)
    return TrainingDiverged(
        f"the {what} or the gradient was NaN or infinite at step {good + 1} (epoch {epoch + 1}, window "
        f"{window + 1} of {windows}) with lr {lr}; the model has the weights of step {kept_step} again. Take a smaller "
        "lr, or clip the gradient (max_grad)",
        step=good + 1,
    )


def checked_fit(max_epoch: int, max_grad: float | None, eval_interval: int | None) -> tuple[int, int | None]:
    """What the `fit` of every trainer takes, checked: its epochs, and how often it reports.

    Raises:
        InputError: one of them is out of range.
    """
    if max_grad is not None:
        positive("max_grad", max_grad, finite=False)
    interval = None if eval_interval is None else whole_number("eval_interval", eval_interval, 1)
    return whole_number("max_epoch", max_epoch, 1), interval
