"""Adam, and Adam with decoupled weight decay."""

from math import sqrt
from typing import Any

from rnnlm.backend import Array, xp
from rnnlm.checks import share
from rnnlm.optim.base import Optimizer

__all__ = ["Adam", "AdamW"]


class Adam(Optimizer):
    """Steps scaled by running averages of the gradient and of its square.

        m = beta1 m + (1 - beta1) g        v = beta2 v + (1 - beta2) g²
        p = p - lr sqrt(1 - beta2^t) / (1 - beta1^t) * m / (sqrt(v) + 1e-7)

    Source: Kingma and Ba, Adam: a method for stochastic optimization, ICLR 2015, in the order of computation of the end
    of its section 2.

    Args:
        lr: learning rate, positive.
        beta1, beta2: decay of the two averages, in [0, 1).
        weight_decay: this times p is added to g.
    """

    slots = ("m", "v")

    def __init__(self, lr: float = 0.001, beta1: float = 0.9, beta2: float = 0.999, weight_decay: float = 0.0) -> None:
        super().__init__(lr, weight_decay)
        self.beta1, self.beta2 = share("beta1", beta1), share("beta2", beta2)

    def _step(self, p: Array, g: Array, *remembered: Any) -> None:
        m, v = remembered
        lr = self.lr * sqrt(1 - self.beta2**self.iter) / (1 - self.beta1**self.iter)
        m += (1 - self.beta1) * (g - m)
        v += (1 - self.beta2) * (g * g - v)
        p -= lr * m / (xp.sqrt(v) + 1e-7)


class AdamW(Adam):
    """Adam, and apart from its averages p = p - lr weight_decay p.

    Source: Loshchilov and Hutter, Decoupled weight decay regularization, ICLR 2019.

    Args:
        lr: learning rate, positive.
        beta1, beta2: decay of the two averages, in [0, 1).
        weight_decay: 0 or more.
    """

    def __init__(self, lr: float = 0.001, beta1: float = 0.9, beta2: float = 0.999, weight_decay: float = 0.01) -> None:
        super().__init__(lr, beta1, beta2, weight_decay)

    def _decayed(self, p: Array, g: Array) -> Array:
        p *= 1 - self.lr * self.weight_decay
        return g
