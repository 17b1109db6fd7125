"""Stochastic gradient descent, plain and with momentum."""

from typing import Any

from rnnlm.backend import Array
from rnnlm.checks import share
from rnnlm.optim.base import Optimizer

__all__ = ["SGD", "Momentum", "Nesterov"]


class SGD(Optimizer):
    """p = p - lr g

    Args:
        lr: learning rate, positive.
        weight_decay: this times p is added to g.
    """

    def __init__(self, lr: float = 0.01, weight_decay: float = 0.0) -> None:
        super().__init__(lr, weight_decay)

    def _step(self, p: Array, g: Array, *_: Any) -> None:
        p -= self.lr * g


class Momentum(Optimizer):
    """v = momentum v - lr g        p = p + v

    Source: Polyak, Some methods of speeding up the convergence of iteration methods, 1964.

    Args:
        lr: learning rate, positive.
        momentum: in [0, 1).
        weight_decay: this times p is added to g.
    """

    slots = ("v",)

    def __init__(self, lr: float = 0.01, momentum: float = 0.9, weight_decay: float = 0.0) -> None:
        super().__init__(lr, weight_decay)
        self.momentum = share("momentum", momentum)

    def _step(self, p: Array, g: Array, *remembered: Any) -> None:
        (v,) = remembered
        v *= self.momentum
        v -= self.lr * g
        p += v


class Nesterov(Momentum):
    """v = momentum v - lr g        p = p + momentum v - lr g

    The gradient is that of the point ahead, at which p always stands: what is stored is p + momentum v of the paper.

    Source: Nesterov, 1983, in the form of Bengio, Boulanger-Lewandowski and Pascanu, Advances in optimizing recurrent
    networks, ICASSP 2013.
    """

    def _step(self, p: Array, g: Array, *remembered: Any) -> None:
        (v,) = remembered
        v *= self.momentum
        v -= self.lr * g
        p += self.momentum * v - self.lr * g
