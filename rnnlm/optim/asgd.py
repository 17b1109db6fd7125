"""Averaged stochastic gradient descent, begun when the valid loss stops getting better."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from rnnlm.backend import Array, accelerated
from rnnlm.checks import Checked, measured, sequence, whole_number
from rnnlm.optim.base import Optimizer, decayed, expect_arrays, expect_pairs, step_count

__all__ = ["ASGD", "asgd_step"]


@accelerated
def asgd_step(p: Array, g: Array, average: Array, factor: Any, lr: float, share: float, weight_decay: float) -> None:
    """p -= lr (factor g + weight_decay p), then average += share (p - average), in place; nothing for a share of 0"""
    p -= decayed(p, g, factor * lr, weight_decay * lr)
    if share == 1:  # the first one, whatever was averaged before
        average[...] = p
    elif share:
        average += share * (p - average)


def heard(name: str, losses: Any) -> list[float]:
    """Losses of epochs."""
    return [measured(name, loss) for loss in sequence(name, losses, "numbers")]


def begin(name: str, value: Any) -> int | None:
    """A step, or None for not yet."""
    return None if value is None else step_count(name, value)


class ASGD(Optimizer):
    """SGD, whose parameters are averaged over all steps after a trigger; the average is what counts.

        p = p - lr g        average = average + (p - average) / n        n steps since the trigger

    The first of these steps is averaged too, which torch.optim.ASGD leaves out.

    The trigger is `start_averaging()`, or the non-monotonic one: `end_epoch(loss)` with a loss that is worse than the
    best of all but the last `nonmono` ones before it.

    Sources: Polyak and Juditsky, Acceleration of stochastic approximation by averaging, 1992; the trigger is that of
    Merity, Keskar and Socher, Regularizing and optimizing LSTM language models, ICLR 2018 (NT-ASGD).

    Args:
        lr: learning rate, positive.
        weight_decay: this times p is added to g.
        nonmono: how many epochs the trigger leaves out of sight.

    Attributes:
        average: the averages, once `averaging` is True.
        losses: those given to `end_epoch`, the one that pulled the trigger being the last.
    """

    slots = ("average",)
    noted = ("losses", "began")
    losses: Checked[list[float]] = Checked(heard)
    began: Checked[int | None] = Checked(begin)  # the step before the first one averaged

    def __init__(self, lr: float = 0.01, weight_decay: float = 0.0, nonmono: int = 5) -> None:
        super().__init__(lr, weight_decay)
        self.average: list[Array]
        self.nonmono = whole_number("nonmono", nonmono, 1)
        self.losses = []
        self.began = None

    @property
    def averaging(self) -> bool:
        """Whether the trigger has been pulled."""
        return self.began is not None

    def start_averaging(self) -> None:
        """Average from the next step on."""
        self.began = self.iter

    def forget(self) -> None:
        """Begin anew, without an average: the trigger can be pulled again."""
        super().forget()
        self.began = None

    def end_epoch(self, loss: float) -> None:
        """Take note of the valid loss after an epoch, and pull the trigger if it is time."""
        loss = measured("loss", loss)
        if not self.averaging:
            if len(self.losses) > self.nonmono and loss > min(self.losses[: -self.nonmono]):
                self.start_averaging()
            self.losses.append(loss)

    @contextmanager
    def averaged(self, params: Sequence[Array]) -> Iterator[None]:
        """Inside, `params`, the arrays given to `update`, are the averages, if there are any yet."""
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

    def _step(self, p: Array, g: Array, factor: Any, *remembered: Any) -> None:
        (average,) = remembered
        share = 0.0 if self.began is None else 1 / (self.iter - self.began)
        asgd_step(p, g, average, factor, self.lr, share, self.weight_decay)
