"""Averaged stochastic gradient descent (ASGD); averaging starts when the validation loss stops improving."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from rnnlm.backend import Array, accelerated
from rnnlm.checks import Checked, measured, sequence, whole_number
from rnnlm.optim.base import Optimizer, decayed, expect_arrays, expect_pairs, step_count

__all__ = ["ASGD", "asgd_step"]


@accelerated
def asgd_step(p: Array, g: Array, average: Array, factor: Any, lr: float, share: float, weight_decay: float) -> None:
    """Do p -= lr (factor g + weight_decay p), then, unless share is 0, average += share (p - average), in place."""
    p -= decayed(p, g, factor * lr, weight_decay * lr)
    if share == 1:  # the first step averaged: overwrites an older average, NaN too
        average[...] = p
    elif share:
        average += share * (p - average)


def heard(name: str, losses: Any) -> list[float]:
    """Check the losses of epochs and return them as floats."""
    return [measured(name, loss) for loss in sequence(name, losses, "numbers")]


def begin(name: str, value: Any) -> int | None:
    """Check the step at which averaging began; None if it has not."""
    return None if value is None else step_count(name, value)


class ASGD(Optimizer):
    """SGD that averages the parameters over all steps after a trigger; trainers evaluate the averages (`averaged`).

        p = p - lr g        average = average + (p - average) / n        n steps since the trigger

    The average includes the first of these steps, unlike that of torch.optim.ASGD.

    Averaging starts by `start_averaging()` or by the non-monotonic trigger: a call of `end_epoch(loss)` whose loss is
    worse than the best of all earlier ones but the last `nonmono`.

    Sources: Polyak and Juditsky, Acceleration of stochastic approximation by averaging, 1992; the trigger is that of
    Merity, Keskar and Socher, Regularizing and optimizing LSTM language models, ICLR 2018 (NT-ASGD).

    Args:
        lr: learning rate, positive.
        weight_decay: adds weight_decay p to g (L2 regularisation).
        nonmono: number of most recent epochs that the trigger ignores when it takes the best loss.

    Attributes:
        average: the averages, valid after the first step with `averaging` True.
        losses: given to `end_epoch`, up to the one at which averaging started.
    """

    slots = ("average",)
    noted = ("losses", "began")
    losses: Checked[list[float]] = Checked(heard)
    began: Checked[int | None] = Checked(begin)  # steps done before the first one averaged

    def __init__(self, lr: float = 0.01, weight_decay: float = 0.0, nonmono: int = 5) -> None:
        super().__init__(lr, weight_decay)
        self.average: list[Array]
        self.nonmono = whole_number("nonmono", nonmono, 1)
        self.losses = []
        self.began = None

    @property
    def averaging(self) -> bool:
        """Whether averaging has started."""
        return self.began is not None

    def start_averaging(self) -> None:
        """Start averaging with the next step."""
        self.began = self.iter

    def forget(self) -> None:
        """Reset the step count and stop averaging; the trigger can start it again."""
        super().forget()
        self.began = None

    def end_epoch(self, loss: float) -> None:
        """Record the validation loss of an epoch, and start averaging if the trigger's condition holds."""
        loss = measured("loss", loss)
        if not self.averaging:
            if len(self.losses) > self.nonmono and loss > min(self.losses[: -self.nonmono]):
                self.start_averaging()
            self.losses.append(loss)

    @contextmanager
    def averaged(self, params: Sequence[Array]) -> Iterator[None]:
        """Within this context, `params`, the arrays given to `update`, hold the averages, if there are any yet."""
        expect_arrays("params", params)
        if self.began is None or self.iter == self.began:
            yield
            return
        expect_pairs(params, self.average, "average")
        own = [p.copy() for p in params]
        try:
            for p, mean in zip(params, self.average):
                p[...] = mean
            yield
        finally:
            for p, kept in zip(params, own):
                p[...] = kept

    def update_array(self, p: Array, g: Array, factor: Any, *remembered: Any) -> None:
        """Do an SGD step of one array, and average it if averaging has started."""
        (average,) = remembered
        share = 0.0 if self.began is None else 1 / (self.iter - self.began)
        asgd_step(p, g, average, factor, self.lr, share, self.weight_decay)
