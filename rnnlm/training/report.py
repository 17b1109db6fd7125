"""What is remembered of the steps of a training, and told from time to time."""

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
    """What is told of a training from time to time.

    Attributes:
        epoch: epochs finished.
        window: windows done of the epoch under way, 0 at its end.
        loss: mean loss since the report before, in nats for a language model.
        grad_norm: mean norm of the gradient since then, before clipping.
        step: steps done, over all epochs.
        figure: what the loss is told as: perplexity, of a language model, or loss.
        unit: what is counted by the second: tokens, or samples.
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
    """What is told of a training after an epoch. `loss` and `grad_norm` are means over the epoch.

    Attributes:
        lr: learning rate of its last step; None where the optimiser has none.
        speed: tokens, or samples, trained on in a second, evaluations apart.
        valid_loss: mean loss of what is held out, None where nothing is.
        valid_lanes: into how many parts that was cut, which were scored side by side; with more than one the figure is
            an approximation.
    """

    lr: float | None = None
    speed: float = 0.0
    valid_loss: float | None = None
    valid_lanes: int = 1

    @property
    def valid_perplexity(self) -> float | None:
        """exp of the valid loss."""
        return None if self.valid_loss is None else perplexity(self.valid_loss)


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
