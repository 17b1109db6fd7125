"""What all optimisers share."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import deepcopy
from typing import Any

from rnnlm.backend import Array, ops, xp
from rnnlm.backend.host import on_host
from rnnlm.checks import not_negative, positive
from rnnlm.errors import InputError

__all__ = ["Optimizer", "decayed", "expect_pairs"]


def expect_pairs(params: Sequence[Array], grads: Sequence[Array], name: str = "grads") -> None:
    """Check that there is a gradient (or what `name` calls it) of the same shape and dtype for each parameter."""
    if len(params) != len(grads):
        raise InputError(f"params and {name} must be lists of one length, got {len(params)} and {len(grads)}")
    for i, (p, g) in enumerate(zip(params, grads)):
        if p.shape != g.shape:
            raise InputError(f"{name}[{i}] must have the shape of params[{i}] {p.shape}, got {g.shape}")
        if p.dtype != g.dtype:
            raise InputError(f"{name}[{i}] must have the dtype of params[{i}] {p.dtype}, got {g.dtype}: use astype")


def decayed(p: Array, g: Array, factor: Any, weight_decay: float) -> Array:
    """factor g + weight_decay p, the gradient to step by; g itself where that is the same, so not to be written to."""
    if isinstance(factor, (int, float)) and factor == 1:
        return g + weight_decay * p if weight_decay else g
    g = g * factor
    if weight_decay:
        g += weight_decay * p
    return g


class Optimizer:
    """A learning rate that may be changed between steps, and `update(params, grads)`, which writes in place.

    A subclass has `_step`, the equation of one parameter, and in `slots` the names of the arrays it remembers for each
    parameter: lists of them, zeros at first, are attributes of these names.

    Args:
        lr: learning rate, positive.
        weight_decay: this times the parameter is added to its gradient (L2 regularisation); 0 or more.

    Attributes:
        iter: steps so far.
    """

    slots: tuple[str, ...] = ()
    noted: tuple[str, ...] = ()  # attributes beside them that change as training goes on

    def __init__(self, lr: float, weight_decay: float = 0.0) -> None:
        self.lr = lr
        self.weight_decay = not_negative("weight_decay", weight_decay)
        self.iter = 0
        for slot in self.slots:
            setattr(self, slot, [])

    @property
    def lr(self) -> float:
        """Learning rate, positive and finite."""
        return self._lr

    @lr.setter
    def lr(self, lr: float) -> None:
        self._lr = positive("lr", lr)

    def update(self, params: Sequence[Array], grads: Sequence[Array], factor: Any = 1) -> None:
        """One step: change `params` in place by their gradients, which are left as they are.

        What is remembered belongs to the arrays of the first call: later ones must match.

        Args:
            params, grads: arrays, a gradient for each parameter.
            factor: multiplies every gradient without changing `grads`, a number or a 0-d array of their dtype; clipping
                passes its factor here, which saves a pass over them.
        """
        expect_pairs(params, grads)
        if not self.iter:
            for slot in self.slots:
                setattr(self, slot, [xp.zeros_like(p) for p in params])
        remembered: list[list[Array]] = [getattr(self, slot) for slot in self.slots]
        for slot, arrays in zip(self.slots, remembered):
            expect_pairs(params, arrays, f"{slot}, remembered of the first call,")
        self.iter += 1
        for aligned in zip(params, grads, *remembered):
            ops.elementwise(lambda p, g, *rest: self._step(p, g, factor, *rest), *aligned)

    def progress(self) -> dict[str, Any]:
        """All that is remembered of steps: numbers, and lists of arrays, which are no copies."""
        return {name: getattr(self, name) for name in ("lr", "iter", *self.noted, *self.slots)}

    def state_dict(self) -> dict[str, Any]:
        """`progress`, copied to the host."""
        copied: dict[str, Any] = on_host(self.progress())
        return copied

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from what `state_dict` gave."""
        for name in ("lr", "iter", *self.noted):
            setattr(self, name, deepcopy(state[name]))
        for slot in self.slots:
            setattr(self, slot, [ops.asarray(a.copy()) for a in state[slot]])

    def _step(self, p: Array, g: Array, factor: Any, *remembered: Any) -> None:
        """Change p, and what is remembered for it, in place, by the gradient `factor` g."""
        raise NotImplementedError

    def end_epoch(self, loss: float) -> None:
        """Take note of the valid loss after an epoch; most optimisers have no use for it."""

    def forget(self) -> None:
        """Begin anew: what is remembered of steps is given up, because they went wrong."""
        self.iter = 0

    @contextmanager
    def averaged(self, _params: Sequence[Array]) -> Iterator[None]:
        """Inside, `params` are what is to be evaluated and kept; most optimisers leave them as they are."""
        yield
