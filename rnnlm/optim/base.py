"""What all optimisers share."""

from collections.abc import Sequence

from rnnlm.backend import Array
from rnnlm.checks import positive
from rnnlm.errors import InputError

__all__ = ["Optimizer", "expect_pairs"]


def expect_pairs(params: Sequence[Array], grads: Sequence[Array]) -> None:
    """Check that there is a gradient of the same shape for each parameter."""
    if len(params) != len(grads):
        raise InputError(f"params and grads must be lists of one length, got {len(params)} and {len(grads)}")
    for i, (p, g) in enumerate(zip(params, grads)):
        if p.shape != g.shape:
            raise InputError(f"grads[{i}] must have the shape of params[{i}] {p.shape}, got {g.shape}")


class Optimizer:
    """A learning rate that may be changed between steps, and `update(params, grads)`, which writes in place."""

    def __init__(self, lr: float) -> None:
        self.lr = lr

    @property
    def lr(self) -> float:
        """Learning rate, positive and finite."""
        return self._lr

    @lr.setter
    def lr(self, lr: float) -> None:
        self._lr = positive("lr", lr)

    def update(self, params: Sequence[Array], grads: Sequence[Array]) -> None:
        """One step: change `params` in place by their gradients, which are left as they are."""
        raise NotImplementedError
