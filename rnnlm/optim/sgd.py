"""Stochastic gradient descent."""

from collections.abc import Sequence

from rnnlm.backend import Array, ops
from rnnlm.optim.base import Optimizer, expect_pairs

__all__ = ["SGD"]


class SGD(Optimizer):
    """p = p - lr * g

    Args:
        lr: learning rate, positive.
    """

    def __init__(self, lr: float = 0.01) -> None:
        super().__init__(lr)

    def update(self, params: Sequence[Array], grads: Sequence[Array]) -> None:
        """One step, in place."""
        expect_pairs(params, grads)
        for param, grad in zip(params, grads):
            for p, g in ops.pieces(param, grad):
                p -= self.lr * g
