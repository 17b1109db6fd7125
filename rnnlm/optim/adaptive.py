"""AdaGrad and RMSprop: learning rates adapted to each parameter."""

from typing import Any

from rnnlm.backend import Array, xp
from rnnlm.checks import Checked, positive, share
from rnnlm.optim.base import Optimizer, decayed

__all__ = ["AdaGrad", "RMSprop"]


class AdaGrad(Optimizer):
    """h = h + g²        p = p - lr g / (sqrt(h) + epsilon)

    Source: Duchi, Hazan and Singer, Adaptive subgradient methods for online learning, JMLR 12 (2011).

    Args:
        lr: learning rate, positive.
        weight_decay: adds weight_decay p to g (L2 regularisation).
        epsilon: prevents division by 0.
    """

    slots = ("h",)
    epsilon = Checked(positive)

    def __init__(self, lr: float = 0.01, weight_decay: float = 0.0, epsilon: float = 1e-7) -> None:
        super().__init__(lr, weight_decay)
        self.epsilon = epsilon

    def update_array(self, p: Array, g: Array, factor: Any, *remembered: Any) -> None:
        """Add the squared gradient to the sum of one array, and do a step."""
        (h,), g = remembered, decayed(p, g, factor, self.weight_decay)
        h += g * g
        p -= self.lr * g / (xp.sqrt(h) + self.epsilon)


class RMSprop(Optimizer):
    """h = decay_rate h + (1 - decay_rate) g²        p = p - lr g / (sqrt(h) + epsilon)

    Source: Tieleman and Hinton, Lecture 6.5 of Neural networks for machine learning, 2012.

    Args:
        lr: learning rate, positive.
        decay_rate: of the running average, in [0, 1).
        weight_decay: adds weight_decay p to g (L2 regularisation).
        epsilon: prevents division by 0.
    """

    slots = ("h",)
    decay_rate, epsilon = Checked(share), Checked(positive)

    def __init__(
        self, lr: float = 0.01, decay_rate: float = 0.99, weight_decay: float = 0.0, epsilon: float = 1e-7
    ) -> None:
        super().__init__(lr, weight_decay)
        self.epsilon, self.decay_rate = epsilon, decay_rate

    def update_array(self, p: Array, g: Array, factor: Any, *remembered: Any) -> None:
        """Move the mean of squared gradients of one array, and do a step."""
        (h,), g = remembered, decayed(p, g, factor, self.weight_decay)
        h += (1 - self.decay_rate) * (g * g - h)
        p -= self.lr * g / (xp.sqrt(h) + self.epsilon)
