"""Stochastic gradient descent, plain and with momentum."""

from typing import Any

from rnnlm.backend import Array, accelerated
from rnnlm.checks import Checked, share
from rnnlm.optim.base import Optimizer, decayed

__all__ = ["SGD", "Momentum", "Nesterov", "momentum_step", "sgd_step"]


@accelerated
def sgd_step(p: Array, g: Array, factor: Any, lr: float, weight_decay: float) -> None:
    """Do p -= lr (factor g + weight_decay p) in place."""
    p -= decayed(p, g, factor * lr, weight_decay * lr)


@accelerated
def momentum_step(
    p: Array, g: Array, v: Array, factor: Any, lr: float, momentum: float, weight_decay: float, ahead: bool
) -> None:
    """Do v = momentum v - lr (factor g + weight_decay p), then p += v, in place.

    Args:
        ahead: True for Nesterov momentum: p += momentum v - lr (...) instead.
    """
    step = decayed(p, g, factor * lr, weight_decay * lr)
    v *= momentum
    v -= step
    p += momentum * v - step if ahead else v


class SGD(Optimizer):
    """p = p - lr g

    Args:
        lr: learning rate, positive.
        weight_decay: adds weight_decay p to g (L2 regularisation).
    """

    def __init__(self, lr: float = 0.01, weight_decay: float = 0.0) -> None:
        super().__init__(lr, weight_decay)

    def update_array(self, p: Array, g: Array, factor: Any, *_: Any) -> None:
        """Do an SGD step of one array."""
        sgd_step(p, g, factor, self.lr, self.weight_decay)


class Momentum(Optimizer):
    """v = momentum v - lr g        p = p + v

    Source: Polyak, Some methods of speeding up the convergence of iteration methods, 1964.

    Args:
        lr: learning rate, positive.
        momentum: in [0, 1).
        weight_decay: adds weight_decay p to g (L2 regularisation).
    """

    slots = ("v",)
    ahead = False
    momentum = Checked(share)

    def __init__(self, lr: float = 0.01, momentum: float = 0.9, weight_decay: float = 0.0) -> None:
        super().__init__(lr, weight_decay)
        self.momentum = momentum

    def update_array(self, p: Array, g: Array, factor: Any, *remembered: Any) -> None:
        """Do a step of one array and its momentum."""
        (v,) = remembered
        momentum_step(p, g, v, factor, self.lr, self.momentum, self.weight_decay, self.ahead)


class Nesterov(Momentum):
    """v = momentum v - lr g        p = p + momentum v - lr g

    p is the look-ahead point, p + momentum v in the paper's notation, at which Nesterov's method takes the gradient.

    Source: Nesterov, 1983, in the form of Bengio, Boulanger-Lewandowski and Pascanu, Advances in optimizing recurrent
    networks, ICASSP 2013.
    """

    ahead = True
