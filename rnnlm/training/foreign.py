"""Adapters for models and optimisers that are not this library's, chosen once when training begins."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from rnnlm.backend import Array, ops
from rnnlm.checks import refused
from rnnlm.errors import InputError
from rnnlm.layers.base import Layer
from rnnlm.models.ids import which_count
from rnnlm.models.sequential import Sequential
from rnnlm.models.stacked import Stacked
from rnnlm.optim.base import Optimizer
from rnnlm.optim.rates import Constant, RateRule
from rnnlm.optim.trained import has_trained_another
from rnnlm.training.shared import distinct, remove_duplicate

__all__ = [
    "ForeignModel",
    "as_model",
    "expect_new_or_same",
    "expect_own",
    "expect_unchanged",
    "forget_of",
    "optimizer_parts",
    "update_of",
]

Update = Callable[[Sequence[Array], Sequence[Array], Array], None]


class ForeignModel:
    """Adapter for any model in which `forward(xs, ts)` returns the loss and `backward()` leaves gradients. `params` and
    `grads` are lists of arrays; `grads` may hold new arrays after each backward."""

    vocab_size: int | None = None
    stack: Sequential | None = None
    repeatable = False
    one_thread: AbstractContextManager[None] = nullcontext()

    def __init__(self, model: Any) -> None:
        self.model, self.forward, self.backward = model, model.forward, model.backward
        reset = getattr(model, "reset_state", None)
        self.reset_state: Callable[[], object] = reset if callable(reset) else lambda: None

    def weights(self) -> list[Array]:
        """Return the trained weights; a weight that is listed twice comes once."""
        return distinct(self.model.params)

    def gradients(self) -> list[Array]:
        """Return the gradients of the last backward; those of a weight that is listed twice are added up."""
        return remove_duplicate(self.model.params, self.model.grads)[1]

    def progress(self) -> dict[str, Any]:
        """Raise InputError: the state of such a model can't be saved."""
        kind = type(self.model).__name__
        raise InputError(f"model must be one of rnnlm.models to be saved in checkpoints, got {kind}")

    def load_progress(self, progress: dict[str, Any]) -> None:
        """Raise InputError, like `progress`."""
        self.progress()


class StackModel(ForeignModel):
    """Adapter for a `Sequential` with a head: trains on the head's loss."""

    def __init__(self, stack: Sequential) -> None:
        stack.expect_head()
        self.model, self.forward, self.backward = stack, self._loss, stack.backward
        self.stack, self.repeatable = stack, type(stack) is Sequential and stack.repeatable
        self.reset_state, self.one_thread = stack.reset_state, stack.one_thread

    def _loss(self, xs: Any, ts: Any) -> Array:
        counted = None
        if self.model.regularizers and not isinstance(xs, tuple) and not isinstance(ts, tuple):
            ids = xs.dtype.kind in "iu" and ts.dtype.kind in "iu" and xs.shape == ts.shape  # others are not ignored
            counted = which_count(ts, self.model.head.ignore_label) if ids else None
        return self.model.loss(xs, ts, counted=counted)

    def weights(self) -> list[Array]:
        """Return the trained weights: one flat array."""
        return self.model.weights()

    def gradients(self) -> list[Array]:
        """Return the gradients of the last backward: one flat array."""
        return self.model.gradients()

    def progress(self) -> dict[str, Any]:
        """Return what training changes in the model."""
        return self.model.progress()

    def load_progress(self, progress: dict[str, Any]) -> None:
        """Restore what `progress` returned."""
        self.model.load_progress(progress)


def as_model(model: Any) -> Stacked | ForeignModel:
    """Return the model with the interface that `Run` uses, wrapped in an adapter if needed.

    Raises:
        InputError: not a model.
    """
    if isinstance(model, Sequential):
        return StackModel(model)
    if isinstance(model, Stacked):
        return model
    if isinstance(model, Layer):
        raise refused("model", "a model, not a layer", model, "Sequential([layer], head=...) makes one")
    methods = [getattr(model, name, None) for name in ("forward", "backward")]
    if isinstance(model, type) or not all(map(callable, methods)):
        raise refused("model", "an object with forward, backward, params and grads", model)
    return ForeignModel(model)


def update_of(optimizer: Any) -> Update:
    """Return `update(params, grads, factor)`, which makes a step with the gradients multiplied by `factor` (clipping).

    Optimisers of this library apply the factor in their update. For all others, and for subclasses that override
    `update`, the gradients are scaled first, which costs one more pass over them.

    Raises:
        InputError: not an optimiser.
    """
    if isinstance(optimizer, (type, dict, set)) or not callable(getattr(optimizer, "update", None)):
        raise refused("optimizer", "an object with update(params, grads)", optimizer)
    if isinstance(optimizer, Optimizer) and type(optimizer).update is Optimizer.update:
        return optimizer.update

    def update(params: Sequence[Array], grads: Sequence[Array], factor: Array) -> None:
        for g in grads:
            ops.scale_(g, factor)
        given = list(params)
        optimizer.update(given, grads)
        if len(given) != len(params) or any(a is not b for a, b in zip(given, params)):
            raise InputError(
                f"update of {type(optimizer).__name__} must change the arrays in place, params[i] -= ... or "
                "params[i][...] = ..., not put others into the list, which the model does not see"
            )

    return update


def forget_of(optimizer: Any) -> Callable[[], object]:
    """Return the optimiser's `forget`, which drops its state after diverged steps, or a function that does nothing."""
    forget: Callable[[], object] = getattr(optimizer, "forget", lambda: None)
    return forget


def optimizer_parts(optimizer: Any) -> dict[str, Any]:
    """Return the settings of an optimiser that resuming requires unchanged: its kind, and its hyperparameters by name
    if it is of this library."""
    numbers = optimizer.hyperparameters() if isinstance(optimizer, Optimizer) else {}
    return {"optimizer": type(optimizer).__name__, **numbers}


def expect_unchanged(before: Mapping[str, Any], now: Mapping[str, Any], optimizer: Any) -> None:
    """Check settings by name against those of a checkpoint, of which earlier versions had no hyperparameters.

    Raises:
        InputError: one of them differs.
    """
    before = {**optimizer_parts(optimizer), **before}
    for name, value in now.items():
        if value != before.get(name):
            raise InputError(f"{name} of a resumed training must be {before.get(name)}, as before, got {value}")


def expect_new_or_same(model: Any, optimizer: Any, rate: Any) -> None:
    """Check that optimiser and rate rule have trained no other model.

    Raises:
        InputError: one has, and would go on from where that left it: with its averages, or a lower rate.
    """
    for name, one in (("optimizer", optimizer), ("rate", rate)):
        averages = isinstance(one, Optimizer) and one.slots and one.iter
        follows = isinstance(one, RateRule) and one.epochs and type(one).adapt is not RateRule.adapt
        if (averages or follows) and has_trained_another(one, model):
            kind = type(one).__name__
            raise InputError(
                f"{name} must not have trained another model: make a new {kind} for each model, or give a copy of the "
                "model a copy of it (copy.deepcopy)"
            )


def expect_own(optimizer: Any, rate: Any) -> RateRule:
    """Check that optimiser and rate rule can be saved; return the rule, or an unused `Constant` if there is none.

    Raises:
        InputError: one of them is not of `rnnlm.optim`.
    """
    for name, given, cls in (("optimizer", optimizer, Optimizer), ("rate", rate, RateRule)):
        if given is not None and not isinstance(given, cls):
            kind = type(given).__name__
            raise InputError(
                f"{name} must be one of rnnlm.optim, or of a subclass, to be saved in checkpoints, got {kind}"
            )
    return rate or Constant(1.0)
