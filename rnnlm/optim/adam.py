"""Adam."""

from collections.abc import Sequence
from math import sqrt

from rnnlm.backend import Array, ops, xp
from rnnlm.errors import InputError
from rnnlm.optim.base import Optimizer, expect_pairs

__all__ = ["Adam"]


class Adam(Optimizer):
    """Steps scaled by running averages of the gradient and of its square.

        m = beta1 m + (1 - beta1) g        v = beta2 v + (1 - beta2) g²
        p = p - lr sqrt(1 - beta2^t) / (1 - beta1^t) * m / (sqrt(v) + 1e-7)

    Source: Kingma and Ba, Adam: a method for stochastic optimization, ICLR 2015, in the order of computation of the end
    of its section 2.

    Args:
        lr: learning rate, positive.
        beta1, beta2: decay of the two averages, in [0, 1).
    """

    def __init__(self, lr: float = 0.001, beta1: float = 0.9, beta2: float = 0.999) -> None:
        super().__init__(lr)
        for name, beta in (("beta1", beta1), ("beta2", beta2)):
            if not 0 <= beta < 1:
                raise InputError(f"{name} must be in [0, 1), got {beta}")
        self.beta1, self.beta2 = beta1, beta2
        self.iter = 0
        self.m: list[Array] = []
        self.v: list[Array] = []

    def update(self, params: Sequence[Array], grads: Sequence[Array]) -> None:
        """One step, in place. The averages belong to the arrays of the first call: later ones must match."""
        expect_pairs(params, grads)
        if not self.iter:
            self.m, self.v = [xp.zeros_like(p) for p in params], [xp.zeros_like(p) for p in params]
        expect_pairs(params, self.m)
        self.iter += 1
        lr = self.lr * sqrt(1 - self.beta2**self.iter) / (1 - self.beta1**self.iter)
        for arrays in zip(params, grads, self.m, self.v):
            for p, g, m, v in ops.pieces(*arrays):
                self._step(lr, p, g, m, v)

    def _step(self, lr: float, p: Array, g: Array, m: Array, v: Array) -> None:
        m += (1 - self.beta1) * (g - m)
        v += (1 - self.beta2) * (g * g - v)
        p -= lr * m / (xp.sqrt(v) + 1e-7)
