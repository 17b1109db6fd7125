"""Learning-rate schedules, by step or by the validation loss after each epoch."""

from collections.abc import Mapping
from math import cos, inf, pi
from typing import Any

from rnnlm.checks import Checked, flag, measured, positive, shown, whole_number
from rnnlm.errors import InputError
from rnnlm.optim.trained import forget_model

__all__ = ["Constant", "Cosine", "DivideOnPlateau", "Halving", "RateRule", "StepDecay", "expect_decay"]

SMALLEST = 1e-9  # relative to the first rate: smaller steps vanish in float32 rounding


class RateRule:
    """Base class: call it with a step number, from 0, for the learning rate; pass validation losses to `end_epoch`.

    A subclass overrides `rate_at`, where the rate depends on the step, or `adapt`, where it depends on the losses.

    Args:
        lr: initial learning rate.

    Attributes:
        finished: True when the rule would end the training.
    """

    settings: tuple[str, ...] = ("first",)  # attributes that a training does not change, arguments of the rule
    needs_loss = False  # whether it needs validation losses
    lr, first = Checked(positive), Checked(positive)

    def __init__(self, lr: float) -> None:
        self.lr = self.first = lr
        self.epochs = 0
        self.finished = False

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in vars(self).items())})"

    def __call__(self, step: int) -> float:
        return self.rate_at(whole_number("step", step, 0))

    def rate_at(self, _step: int) -> float:
        """Return the rate at a step: `lr`, unless overridden."""
        return self.lr

    def end_epoch(self, loss: float | None) -> None:
        """Adapt the rate to the validation loss (nats per token) of an epoch; None for no loss, NaN counts as infinite.

        `fit` calls it after each epoch of a rule that it is given: call it yourself in a loop of your own only.

        Raises:
            InputError: loss is not a number.
        """
        loss = None if loss is None else measured("loss", loss)
        self.epochs += 1
        self.adapt(loss)

    def adapt(self, loss: float | None) -> None:
        """Change `lr`, or set `finished`, after an epoch with this validation loss; None for no loss."""

    def _divide(self, decay: float) -> None:
        """Divide the rate by `decay`; finish when it is too small to change a weight."""
        self.lr /= decay
        if self.lr < SMALLEST * self.first:
            self.lr, self.finished = SMALLEST * self.first, True

    def state_dict(self) -> dict[str, Any]:
        """Return the rule's state, plain numbers by name."""
        return dict(vars(self))

    def expect_same(self, state: Mapping[str, Any]) -> None:
        """Check that a state is that of a rule with the same arguments.

        Raises:
            InputError: one of them, named in `settings`, differs.
        """
        for name in self.settings:
            if (before := state.get(name)) != getattr(self, name):
                raise InputError(
                    f"{name} of the learning rate of a resumed training must be {before}, as before, got "
                    f"{getattr(self, name)}"
                )

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore the state that `state_dict` returned.

        Raises:
            InputError: the state is invalid or of another kind of rule; the rule is not changed.
        """
        own = vars(self)
        if not isinstance(state, Mapping) or set(state) != set(own):
            raise InputError(f"state must be what state_dict gave, with {', '.join(own)}, got {shown(state)}")
        taken = {name: _like(f"state['{name}']", value, own[name]) for name, value in state.items()}
        for name in {"lr", "first", "decay", "ratio"} & set(own):
            positive(f"state['{name}']", taken[name])
        self._expect_together(taken)
        own.update(taken)
        forget_model(self)

    def _expect_together(self, values: Mapping[str, Any]) -> None:
        """Check values by name that are right one by one: do they go together?"""


class Constant(RateRule):
    """A constant learning rate."""


class DivideOnPlateau(RateRule):
    """Divide the rate after each epoch whose validation loss is not the best so far, as the book and PyTorch's word
    language model example do.

    Args:
        lr: initial learning rate.
        decay: divisor.
    """

    needs_loss = True
    settings = ("first", "decay")

    def __init__(self, lr: float, decay: float = 4.0) -> None:
        super().__init__(lr)
        self.decay, self.best = expect_decay(decay), inf

    def adapt(self, loss: float | None) -> None:
        """Divide, unless the loss is the best so far."""
        if loss is None or loss < self.best:
            self.best = self.best if loss is None else loss
        else:
            self._divide(self.decay)


class Halving(RateRule):
    """Once an epoch improves the validation loss too little, halve the rate after every epoch; finish at the second
    such.

    Source: Mikolov's rnnlm toolkit, whose min-improvement is 1.003. After a worse epoch the toolkit also restores the
    weights of the epoch before, which is not done here.

    Args:
        lr: initial learning rate.
        ratio: an epoch improves too little if the previous loss over its own is below this.
        decay: divisor; 2 for halving.
    """

    needs_loss = True
    settings = ("first", "ratio", "decay")

    def __init__(self, lr: float, ratio: float = 1.003, decay: float = 2.0) -> None:
        super().__init__(lr)
        self.ratio, self.decay = positive("ratio", ratio), expect_decay(decay)
        self.last, self.halving = inf, False

    def adapt(self, loss: float | None) -> None:
        """Halve, or finish."""
        if loss is None:
            return
        small = loss * self.ratio > self.last
        self.finished = small and self.halving
        self.halving = self.halving or small
        self.last = loss
        if self.halving:
            self._divide(self.decay)


class StepDecay(RateRule):
    """A constant rate for some epochs, then divided after each, as in Zaremba, Sutskever and Vinyals (2014).

    Args:
        lr: initial learning rate.
        decay: divisor.
        full_epochs: number of epochs at the initial rate; 0 counts as 1.
    """

    settings = ("first", "decay", "full_epochs")

    def __init__(self, lr: float, decay: float = 2.0, full_epochs: int = 4) -> None:
        super().__init__(lr)
        self.decay, self.full_epochs = expect_decay(decay), whole_number("full_epochs", full_epochs, 0)

    def adapt(self, loss: float | None) -> None:
        """Divide, if the epochs at the full rate are over."""
        if self.epochs >= self.full_epochs:
            self._divide(self.decay)


class Cosine(RateRule):
    """Linear warm-up over the first `warmup` steps, then cosine decay to lr 1e-6 at step `steps`.

        lr (1 + cos(pi (step - warmup) / (steps - warmup))) / 2

    Source: Loshchilov and Hutter, SGDR: stochastic gradient descent with warm restarts, ICLR 2017, without restarts.

    Args:
        lr: maximal learning rate.
        steps: number of steps of the whole training.
        warmup: number of warm-up steps, below `steps`.
    """

    settings = ("first", "steps", "warmup")

    def __init__(self, lr: float, steps: int, warmup: int = 0) -> None:
        super().__init__(lr)
        self.steps = whole_number("steps", steps, 1)
        self.warmup = whole_number("warmup", warmup, 0)
        self._expect_together(vars(self))

    def _expect_together(self, values: Mapping[str, Any]) -> None:
        steps, warmup = values["steps"], values["warmup"]
        if warmup >= steps:
            raise InputError(f"warmup must be shorter than the {steps} steps of the training, got {warmup}")

    def rate_at(self, step: int) -> float:
        """Return the rate at a step: on the rise, on the cosine, or after it."""
        if step < self.warmup:
            return self.lr * (step + 1) / (self.warmup + 1)
        share = (min(step, self.steps) - self.warmup) / (self.steps - self.warmup)
        return self.lr * max((1 + cos(pi * share)) / 2, 1e-6)


def expect_decay(decay: float) -> float:
    """Check the divisor of a rate, a number of at least 1, and return it."""
    given = positive("decay (lr_decay)", decay)
    if given < 1:
        raise InputError(f"decay (lr_decay) must be at least 1, got {decay}")
    return given


def _like(name: str, value: Any, own: Any) -> Any:
    """Return an entry of a state, checked to be of the same type as the rule's own value."""
    if isinstance(own, bool):
        return flag(name, value)
    if isinstance(own, int):
        return whole_number(name, value, 0)
    return measured(name, value)
