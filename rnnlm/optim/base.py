"""What all optimisers share."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from rnnlm.backend import Array, ops, xp
from rnnlm.backend.host import on_host
from rnnlm.checks import Checked, finite, not_negative, positive, sequence, shown, whole_number
from rnnlm.errors import InputError

__all__ = ["Optimizer", "decayed", "expect_arrays", "expect_pairs", "expect_writable", "step_count"]


def expect_arrays(name: str, arrays: Sequence[Array]) -> None:
    """Check that these are floating-point arrays of the backend in a list, to be written to.

    Raises:
        InputError: they are not, or one is read-only or has entries that are masked.
    """
    if not isinstance(arrays, (list, tuple)):
        raise InputError(f"{name} must be a list of arrays, got {shown(arrays)}")
    for i, a in enumerate(arrays):
        if not isinstance(a, xp.ndarray) or isinstance(a, (np.ma.MaskedArray, np.matrix)) or a.dtype.kind != "f":
            raise InputError(f"{name}[{i}] must be a floating-point array of {xp.__name__}, got {shown(a)}")


def expect_pairs(params: Sequence[Array], grads: Sequence[Array], name: str = "grads") -> None:
    """Check that there is a gradient (or what `name` calls it) of the same shape and dtype for each parameter.

    Raises:
        InputError: there is not, or what is given is no list of arrays, or a parameter is read-only.
    """
    if type(params) is type(grads) is list and len(params) == len(grads) and all(map(_fits, params, grads)):
        return
    expect_arrays("params", params)
    expect_arrays(name, grads)
    expect_writable("params", params)
    if len(params) != len(grads):
        raise InputError(f"params and {name} must be lists of one length, got {len(params)} and {len(grads)}")
    for i, (p, g) in enumerate(zip(params, grads)):
        if p.shape != g.shape:
            raise InputError(f"{name}[{i}] must have the shape of params[{i}] {p.shape}, got {g.shape}")
        if p.dtype != g.dtype:
            raise InputError(f"{name}[{i}] must have the dtype of params[{i}] {p.dtype}, got {g.dtype}: use astype")


def _fits(p: Array, g: Array) -> bool:
    """Whether these are as they should be: a short way for what is asked at every step."""
    alike = type(p) is type(g) is xp.ndarray and p.shape == g.shape and p.dtype == g.dtype and p.dtype.kind == "f"
    return alike and getattr(p.flags, "writeable", True)


def expect_writable(name: str, arrays: Sequence[Array]) -> None:
    """Check that none of the arrays is read-only."""
    for i, a in enumerate(arrays):
        if not getattr(a.flags, "writeable", True):  # of CuPy's flags there is none
            raise InputError(f"{name}[{i}] must not be read-only: it is to be changed in place")


def checked_factor(factor: Any) -> Any:
    """What multiplies every gradient: a finite number, or an array without a dimension, whose value is not read.

    Raises:
        InputError: it is something else.
    """
    if type(factor) is int and factor == 1:
        return 1
    on_device = isinstance(factor, xp.ndarray) and factor.ndim == 0 and factor.dtype.kind == "f"
    return factor if on_device else finite("factor", factor)


def decayed(p: Array, g: Array, factor: Any, weight_decay: float) -> Array:
    """factor g + weight_decay p, the gradient to step by; g itself where that is the same, so not to be written to."""
    if isinstance(factor, (int, float)) and factor == 1:
        return g + weight_decay * p if weight_decay else g
    g = g * factor
    if weight_decay:
        g += weight_decay * p
    return g


def step_count(name: str, value: Any) -> int:
    """A number of steps."""
    return whole_number(name, value, 0, 2**63)


class Optimizer:
    """A learning rate that may be changed between steps, and `update(params, grads)`, which writes in place.

    A subclass has `_step`, the equation of one number of a parameter. It is called with arrays of many, pieces of a
    parameter or of several, so it must compute each from its own numbers alone. In `slots` it has the names of
    the arrays that it remembers for each parameter: lists of them, zeros at first, are attributes of these names.

    Args:
        lr: learning rate, positive.
        weight_decay: this times the parameter is added to its gradient (L2 regularisation); 0 or more.

    Attributes:
        iter: steps so far.
    """

    slots: tuple[str, ...] = ()
    noted: tuple[str, ...] = ()  # attributes beside them that change as training goes on
    lr, weight_decay = Checked(positive), Checked(not_negative)

    def __init__(self, lr: float, weight_decay: float = 0.0) -> None:
        self.lr, self.weight_decay = lr, weight_decay
        self.iter = 0
        for slot in self.slots:
            setattr(self, slot, [])

    def __repr__(self) -> str:
        told = ", ".join(f"{name}={value!r}" for name, value in vars(self).items() if isinstance(value, (int, float)))
        return f"{type(self).__name__}({told})"

    def update(self, params: Sequence[Array], grads: Sequence[Array], factor: Any = 1) -> None:
        """One step: change `params` in place by their gradients, which are left as they are.

        What is remembered belongs to the arrays of the first call: later ones must match.

        Args:
            params, grads: arrays, a gradient for each parameter.
            factor: multiplies every gradient without changing `grads`, a number or a 0-d array of their dtype; clipping
                passes its factor here, which saves a pass over them.
        """
        expect_pairs(params, grads)
        factor = checked_factor(factor)
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
        """Go on from what `state_dict` gave.

        Raises:
            InputError: it is that of another optimiser, or damaged; nothing has changed.
        """
        names = ("lr", "iter", *self.noted, *self.slots)
        if not isinstance(state, Mapping) or set(state) != set(names):
            raise InputError(f"state must be what state_dict gave, with {', '.join(names)}, got {shown(state)}")
        before = {name: getattr(self, name) for name in names}
        try:
            for name in names:
                setattr(self, name, self._taken(name, state[name]))
        except InputError:
            for name in names:
                setattr(self, name, before[name])
            raise

    def _taken(self, name: str, value: Any) -> Any:
        """An entry of a state; arrays are copied, and moved to where the backend computes."""
        if name == "iter":
            return step_count("state['iter']", value)
        if name not in self.slots:
            return value
        arrays = sequence(f"state['{name}']", value, "arrays")
        for i, a in enumerate(arrays):
            if not isinstance(a, np.ndarray) or isinstance(a, np.ma.MaskedArray) or a.dtype.kind != "f":
                raise InputError(f"state['{name}'][{i}] must be a floating-point array of numpy, got {shown(a)}")
        return [ops.asarray(a.copy()) for a in arrays]

    def _step(self, p: Array, g: Array, factor: Any, *remembered: Any) -> None:
        """Change p, and what is remembered for it, in place, by the gradient `factor` g, number by number."""
        raise NotImplementedError

    def end_epoch(self, loss: float) -> None:
        """Take note of the valid loss after an epoch; most optimisers have no use for it.

        Args:
            loss: NaN counts as the worst there is.
        """

    def forget(self) -> None:
        """Begin anew: what is remembered of steps is given up, because they went wrong."""
        self.iter = 0

    @contextmanager
    def averaged(self, _params: Sequence[Array]) -> Iterator[None]:
        """Inside, `params` are what is to be evaluated and kept; most optimisers leave them as they are."""
        yield
