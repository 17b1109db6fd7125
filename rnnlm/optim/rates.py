"""Learning-rate rules: what the rate is at a step, and what changes after an epoch."""

from collections.abc import Mapping
from math import cos, inf, pi
from typing import Any

from rnnlm.checks import Checked, flag, measured, positive, shown, whole_number
from rnnlm.errors import InputError

__all__ = ["Constant", "Cosine", "DivideOnPlateau", "Halving", "RateRule", "StepDecay", "expect_decay"]

SMALLEST = 1e-9  # of the first rate: a step by it is lost in the rounding of float32


class RateRule:
    """Called with the number of a step, from 0, it gives the learning rate; `end_epoch` hears the valid loss.

    Args:
        lr: learning rate to begin with.

    Attributes:
        finished: True where the rule would train no further.
    """

    def __init__(self, lr: float) -> None:
        self.lr = self.first = lr
        self.epochs = 0
        self.finished = False

    lr, first = Checked(positive), Checked(positive)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in vars(self).items())})"

    def __call__(self, step: int) -> float:
        return self._at(whole_number("step", step, 0))

    def _at(self, _step: int) -> float:
        """The rate at a step."""
        return self.lr

    def end_epoch(self, loss: float | None) -> None:
        """Take note of the valid loss (nats a token) after an epoch; None where there is none, and NaN is infinite.

        Raises:
            InputError: something that is no number.
        """
        loss = None if loss is None else measured("loss", loss)
        self.epochs += 1
        self._hear(loss)

    def _hear(self, loss: float | None) -> None:
        """What comes of a loss."""

    def _divide(self, decay: float) -> None:
        """Take a smaller rate from now on; finished where it is so small that no weight would change by it."""
        self.lr /= decay
        if self.lr < SMALLEST * self.first:
            self.lr, self.finished = SMALLEST * self.first, True

    def state_dict(self) -> dict[str, Any]:
        """All that it has come to: plain numbers."""
        return dict(vars(self))

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from what `state_dict` gave.

        Raises:
            InputError: it is that of another rule, or damaged; nothing has changed.
        """
        own = vars(self)
        if not isinstance(state, Mapping) or set(state) != set(own):
            raise InputError(f"state must be what state_dict gave, with {', '.join(own)}, got {shown(state)}")
        taken = {name: _like(f"state['{name}']", value, own[name]) for name, value in state.items()}
        for name in {"lr", "first", "decay", "ratio"} & set(own):
            positive(f"state['{name}']", taken[name])
        own.update(taken)


class Constant(RateRule):
    """Always the same."""


class DivideOnPlateau(RateRule):
    """Divided after each epoch whose valid loss is not the best so far, as in the book and in PyTorch's example.

    Args:
        lr: learning rate to begin with.
        decay: what it is divided by.
    """

    def __init__(self, lr: float, decay: float = 4.0) -> None:
        super().__init__(lr)
        self.decay, self.best = expect_decay(decay), inf

    def _hear(self, loss: float | None) -> None:
        """Divide, unless the loss is the best."""
        if loss is None or loss < self.best:
            self.best = self.best if loss is None else loss
        else:
            self._divide(self.decay)


class Halving(RateRule):
    """Halved after every epoch from the first one on that lowers the valid loss too little; the second one is the last.

    Source: Mikolov's rnnlm toolkit, whose min-improvement is 1.003. The toolkit also goes back to the weights of the
    epoch before after one that is worse, which is not done here.

    Args:
        lr: learning rate to begin with.
        ratio: the loss of the epoch before over that of this one must exceed it to count as an improvement.
        decay: what the rate is divided by.
    """

    def __init__(self, lr: float, ratio: float = 1.003, decay: float = 2.0) -> None:
        super().__init__(lr)
        self.ratio, self.decay = positive("ratio", ratio), expect_decay(decay)
        self.last, self.halving = inf, False

    def _hear(self, loss: float | None) -> None:
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
    """The same for some epochs, then divided after each, as Zaremba, Sutskever and Vinyals (2014) do.

    Args:
        lr: learning rate to begin with.
        decay: what it is divided by.
        full_epochs: epochs at the full rate.
    """

    def __init__(self, lr: float, decay: float = 2.0, full_epochs: int = 4) -> None:
        super().__init__(lr)
        self.decay, self.full_epochs = expect_decay(decay), whole_number("full_epochs", full_epochs, 0)

    def _hear(self, loss: float | None) -> None:
        """Divide, if it is time."""
        if self.epochs >= self.full_epochs:
            self._divide(self.decay)


class Cosine(RateRule):
    """A linear rise over the first `warmup` steps, then half a cosine down to (nearly) zero at the last of `steps`.

        lr (1 + cos(pi (step - warmup) / (steps - warmup))) / 2

    Source: Loshchilov and Hutter, SGDR: stochastic gradient descent with warm restarts, ICLR 2017, without restarts.

    Args:
        lr: highest learning rate.
        steps: of the whole training.
        warmup: steps of the rise.
    """

    def __init__(self, lr: float, steps: int, warmup: int = 0) -> None:
        super().__init__(lr)
        self.steps = whole_number("steps", steps, 1)
        self.warmup = whole_number("warmup", warmup, 0)
        if self.warmup >= self.steps:
            raise InputError(f"warmup must be shorter than the {steps} steps of the training, got {shown(warmup)}")

    def _at(self, step: int) -> float:
        if step < self.warmup:
            return self.lr * (step + 1) / (self.warmup + 1)
        share = (min(step, self.steps) - self.warmup) / (self.steps - self.warmup)
        return self.lr * max((1 + cos(pi * share)) / 2, 1e-6)


def expect_decay(decay: float) -> float:
    """Check what a rate is divided by: a number of at least 1."""
    given = positive("decay (lr_decay)", decay)
    if given < 1:
        raise InputError(f"decay (lr_decay) must be at least 1, got {decay}")
    return given


def _like(name: str, value: Any, own: Any) -> Any:
    """An entry of a state, checked to be of the kind that a rule has there."""
    if isinstance(own, bool):
        return flag(name, value)
    if isinstance(own, int):
        return whole_number(name, value, 0)
    return measured(name, value)
