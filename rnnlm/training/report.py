"""Progress of a training run: sums on the device, and the reports made of them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rnnlm.backend import Array, accelerated, xp
from rnnlm.checks import positive, whole_number
from rnnlm.errors import TrainingDiverged
from rnnlm.inference.evaluation import perplexity

__all__ = ["EpochReport", "Hear", "Report", "checked_fit", "diverged", "note_step"]


@dataclass(frozen=True)
class Report:
    """Progress of a training run.

    Attributes:
        epoch: epochs finished.
        window: windows done in the current epoch, 0 at its end.
        loss: mean loss since the previous report, in nats for a language model.
        grad_norm: mean gradient norm since the previous report, before clipping.
        step: steps done, over all epochs.
        figure: name of the figure to show: "perplexity" for a language model, else "loss".
        unit: what the speed counts: "tokens" or "samples".
    """

    epoch: int
    window: int
    loss: float
    grad_norm: float
    step: int = 0
    figure: str = "perplexity"
    unit: str = "tokens"

    @property
    def perplexity(self) -> float:
        """exp of the loss."""
        return perplexity(self.loss)


@dataclass(frozen=True, kw_only=True)
class EpochReport(Report):
    """Progress after an epoch. `loss` and `grad_norm` are means over the epoch.

    Attributes:
        lr: learning rate of the last step; None if the optimiser has none.
        speed: tokens or samples trained on per second, without the time of evaluations.
        valid_loss: mean loss on the validation set, or None without one.
        valid_lanes: number of parts of the validation text that were read side by side; with more than one the loss is
            an approximation.
    """

    lr: float | None = None
    speed: float = 0.0
    valid_loss: float | None = None
    valid_lanes: int = 1

    @property
    def valid_perplexity(self) -> float | None:
        """exp of the validation loss."""
        return None if self.valid_loss is None else perplexity(self.valid_loss)


Hear = Callable[[Report], object]


@accelerated
def note_step(
    loss: Array, norm: Array, step: int, columns: int, highest: float, good_steps: Array, totals: Array
) -> None:
    """Add a step to the sums on the device.

    Args:
        loss, norm: mean loss and gradient norm of the step, 0-d arrays or scalars.
        step: its number, from 0.
        columns: weight of the loss: the time steps of its window.
        highest: a larger loss counts as diverged.
        good_steps: (1,) number of steps before the first one with a loss or norm that is not finite or a loss above
            `highest`.
        totals: (2,) sums over steps of loss * columns and of norm.
    """
    good_steps += xp.isfinite(loss) & (loss <= highest) & xp.isfinite(norm) & (good_steps == step)
    totals[:1] += loss * columns
    totals[1:] += norm


def diverged(good: int, windows: int, lr: Any, kept_step: int, what: str = "perplexity") -> TrainingDiverged:
    """Return the error for a training whose loss or gradient was not finite.

    Args:
        good: steps before the first bad one.
        windows: windows of an epoch.
        lr: learning rate, or None.
        kept_step: the step whose weights the model has been given back.
        what: name of this training's figure.
    """
    epoch, window = divmod(good, windows)
    return TrainingDiverged(
        f"the {what} or the gradient was NaN or infinite at step {good + 1} (epoch {epoch + 1}, window "
        f"{window + 1} of {windows}) with lr {lr}; the model has the weights of step {kept_step} again. Take a smaller "
        "lr, or clip the gradient (max_grad)",
        step=good + 1,
    )


def checked_fit(max_epoch: int, max_grad: float | None, eval_interval: int | None) -> tuple[int, int | None]:
    """Check the arguments that all trainers' `fit` share; returns max_epoch and eval_interval.

    Raises:
        InputError: one of them is out of range.
    """
    if max_grad is not None:
        positive("max_grad", max_grad, finite=False)
    interval = None if eval_interval is None else whole_number("eval_interval", eval_interval, 1)
    return whole_number("max_epoch", max_epoch, 1), interval
