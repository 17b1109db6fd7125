"""Base class of the optimisers, and checks of their arguments."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import deepcopy
from typing import Any

import numpy as np

from rnnlm.backend import Array, ops, xp
from rnnlm.backend.host import on_host
from rnnlm.checks import Checked, finite, not_negative, positive, sequence, shown, whole_number
from rnnlm.errors import InputError
from rnnlm.optim.trained import forget_model

__all__ = ["Optimizer", "decayed", "expect_arrays", "expect_pairs", "expect_writable", "step_count"]


def expect_arrays(name: str, arrays: Sequence[Array]) -> None:
    """Check that `arrays` is a list of floating-point arrays of the backend.

    Raises:
        InputError: it is not, or one of them is a masked array or a matrix.
    """
    if not isinstance(arrays, (list, tuple)):
        raise InputError(f"{name} must be a list of arrays, got {shown(arrays)}")
    for i, a in enumerate(arrays):
        if not isinstance(a, xp.ndarray) or isinstance(a, (np.ma.MaskedArray, np.matrix)) or a.dtype.kind != "f":
            raise InputError(f"{name}[{i}] must be a floating-point array of {xp.__name__}, got {shown(a)}")


def expect_pairs(params: Sequence[Array], grads: Sequence[Array], name: str = "grads") -> None:
    """Check that there is a gradient, or another array called `name`, of the same shape and dtype for each parameter.

    Raises:
        InputError: lengths, shapes or dtypes differ, an argument is not a list of arrays, or a parameter is read-only.
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
    """Return whether a pair is valid: a fast path, because this is checked at every step."""
    alike = type(p) is type(g) is xp.ndarray and p.shape == g.shape and p.dtype == g.dtype and p.dtype.kind == "f"
    return alike and getattr(p.flags, "writeable", True)


def expect_writable(name: str, arrays: Sequence[Array]) -> None:
    """Check that none of the arrays is read-only; else raise InputError."""
    for i, a in enumerate(arrays):
        if not getattr(a.flags, "writeable", True):  # CuPy's flags have no writeable
            raise InputError(f"{name}[{i}] must not be read-only: it is to be changed in place")


def checked_factor(factor: Any) -> Any:
    """Check the factor of all gradients, a finite number or a 0-d array, whose value is not read, and return it.

    Raises:
        InputError: it is something else.
    """
    if type(factor) is int and factor == 1:
        return 1
    on_device = isinstance(factor, xp.ndarray) and factor.ndim == 0 and factor.dtype.kind == "f"
    return factor if on_device else finite("factor", factor)


def decayed(p: Array, g: Array, factor: Any, weight_decay: float) -> Array:
    """Return factor g + weight_decay p. The result may be g itself, so it must not be written to."""
    if isinstance(factor, (int, float)) and factor == 1:
        return g + weight_decay * p if weight_decay else g
    g = g * factor
    if weight_decay:
        g += weight_decay * p
    return g


def step_count(name: str, value: Any) -> int:
    """Check a number of steps and return it."""
    return whole_number(name, value, 0, 2**63)


class Optimizer:
    """Base class of optimisers: `update(params, grads)` changes params in place; `lr` may be changed between steps.

    A subclass implements `update_array`, an elementwise update: it is called with pieces of one or of several
    parameters, so each number must depend on its own gradient alone. It names in `slots` the arrays that it keeps for
    each parameter, such as momenta. They are attributes of these names: lists of one array a parameter, initially
    zeros.

    Args:
        lr: learning rate, positive.
        weight_decay: adds weight_decay p to the gradient of p (L2 regularisation); at least 0.

    Attributes:
        iter: number of steps so far.
    """

    slots: tuple[str, ...] = ()
    noted: tuple[str, ...] = ()  # further attributes that change during training
    lr, weight_decay = Checked(positive), Checked(not_negative)

    def __init__(self, lr: float, weight_decay: float = 0.0) -> None:
        self.lr, self.weight_decay = lr, weight_decay
        self.iter = 0
        for slot in self.slots:
            setattr(self, slot, [])

    def __copy__(self) -> "Optimizer":
        """Return a deep copy: two optimisers must not share what they remember of their gradients."""
        return deepcopy(self)

    def __repr__(self) -> str:
        told = ", ".join(f"{name}={value!r}" for name, value in vars(self).items() if isinstance(value, (int, float)))
        return f"{type(self).__name__}({told})"

    def update(self, params: Sequence[Array], grads: Sequence[Array], factor: Any = 1) -> None:
        """Do one step: change `params` in place by their gradients, which are not changed.

        Later calls must pass arrays of the same shapes and dtypes as the first.

        Args:
            params, grads: lists of arrays, a gradient for each parameter.
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
            ops.elementwise(lambda p, g, *rest: self.update_array(p, g, factor, *rest), *aligned)

    def hyperparameters(self) -> dict[str, float]:
        """Return the numbers, by name, that a training does not change, such as decay rates; all but `lr`."""
        changing = {"lr", "iter", *self.noted, *self.slots}
        return {name: v for name, v in vars(self).items() if isinstance(v, (int, float)) and name not in changing}

    def progress(self) -> dict[str, Any]:
        """Return the optimiser's state by name: numbers, and lists of arrays, which are not copies."""
        return {name: getattr(self, name) for name in ("lr", "iter", *self.noted, *self.slots)}

    def state_dict(self) -> dict[str, Any]:
        """Return `progress`, copied to the host."""
        copied: dict[str, Any] = on_host(self.progress())
        return copied

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore the state that `state_dict` returned.

        Raises:
            InputError: the state is invalid or of another kind of optimiser; the optimiser is not changed.
        """
        names = ("lr", "iter", *self.noted, *self.slots)
        if not isinstance(state, Mapping) or set(state) != set(names):
            raise InputError(f"state must be what state_dict gave, with {', '.join(names)}, got {shown(state)}")
        before = {name: getattr(self, name) for name in names}
        try:
            for name in names:
                setattr(self, name, self._taken(name, state[name]))
            forget_model(self)
        except InputError:
            for name in names:
                setattr(self, name, before[name])
            raise

    def _taken(self, name: str, value: Any) -> Any:
        """Return an entry of a state, checked; arrays are copied and moved to the backend."""
        if name == "iter":
            return step_count("state['iter']", value)
        if name not in self.slots:
            return value
        arrays = sequence(f"state['{name}']", value, "arrays")
        for i, a in enumerate(arrays):
            if not isinstance(a, np.ndarray) or isinstance(a, np.ma.MaskedArray) or a.dtype.kind != "f":
                raise InputError(f"state['{name}'][{i}] must be a floating-point array of numpy, got {shown(a)}")
        return [ops.asarray(a.copy()) for a in arrays]

    def update_array(self, p: Array, g: Array, factor: Any, *remembered: Any) -> None:
        """Update p, and its arrays in `slots`, elementwise and in place by the gradient `factor` g."""
        raise NotImplementedError

    def end_epoch(self, loss: float) -> None:
        """Receive the validation loss after an epoch; most optimisers ignore it.

        Args:
            loss: NaN counts as infinite.
        """

    def forget(self) -> None:
        """Reset the step count, so that the next step starts with zeros in `slots`; for use after diverged steps."""
        self.iter = 0

    @contextmanager
    def averaged(self, _params: Sequence[Array]) -> Iterator[None]:
        """Within this context, `params` hold the values to evaluate and save; most optimisers do not change them."""
        yield
