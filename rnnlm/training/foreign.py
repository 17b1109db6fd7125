"""Models and optimisers of someone else, wrapped once, when a training begins, so that it asks nobody what they are."""

from collections.abc import Callable, Sequence
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
from rnnlm.training.shared import distinct, remove_duplicate

__all__ = ["ForeignModel", "as_model", "expect_own", "forget_of", "update_of"]

Update = Callable[[Sequence[Array], Sequence[Array], Array], None]


class ForeignModel:
    """Someone else's model: `forward(xs, ts)` gives the loss, `backward()` leaves gradients, `params` and `grads` are
    lists of arrays, which it may make anew at each backward."""

    vocab_size: int | None = None
    stack: Sequential | None = None
    repeatable = False
    one_thread: AbstractContextManager[None] = nullcontext()

    def __init__(self, model: Any) -> None:
        self.model, self.forward, self.backward = model, model.forward, model.backward
        self.reset_state: Callable[[], object] = getattr(model, "reset_state", lambda: None)

    def weights(self) -> list[Array]:
        """What is trained, a weight that is listed twice once."""
        return distinct(self.model.params)

    def gradients(self) -> list[Array]:
        """What the last backward has left, the gradients of a weight that is listed twice added up."""
        return remove_duplicate(self.model.params, self.model.grads)[1]

    def progress(self) -> dict[str, Any]:
        """What a training changes of it: not to be had."""
        kind = type(self.model).__name__
        raise InputError(f"model must be one of rnnlm.models for a training to be written down, got {kind}")

    def load_progress(self, progress: dict[str, Any]) -> None:
        """Take over what `progress` gave."""
        self.progress()


class StackModel(ForeignModel):
    """A `Sequential` with a head, whose loss is trained."""

    def __init__(self, stack: Sequential) -> None:
        stack.expect_head()
        self.model, self.forward, self.backward = stack, self._loss, stack.backward
        self.stack, self.repeatable = stack, type(stack) is Sequential and stack.repeatable
        self.reset_state, self.one_thread = stack.reset_state, stack.one_thread

    def _loss(self, xs: Any, ts: Any) -> Array:
        regularized = self.model.regularizers and not isinstance(ts, tuple)
        return self.model.loss(xs, ts, counted=which_count(ts, self.model.head.ignore_label) if regularized else None)

    def weights(self) -> list[Array]:
        """What is trained, in one piece."""
        return self.model.weights()

    def gradients(self) -> list[Array]:
        """What the last backward has left, in one piece."""
        return self.model.gradients()

    def progress(self) -> dict[str, Any]:
        """What a training changes of it."""
        return self.model.progress()

    def load_progress(self, progress: dict[str, Any]) -> None:
        """Take over what `progress` gave."""
        self.model.load_progress(progress)


def as_model(model: Any) -> Stacked | ForeignModel:
    """A model as a training sees it.

    Raises:
        InputError: it is none.
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
    """`update(params, grads, factor)` of an optimiser, which steps by the gradients times clipping's factor.

    Those of this library take the factor along. For others, and for a subclass that updates in its own way, the
    gradients are scaled before, a pass more.

    Raises:
        InputError: no optimiser.
    """
    if isinstance(optimizer, type) or not callable(getattr(optimizer, "update", None)):
        raise refused("optimizer", "an object with update(params, grads)", optimizer)
    if isinstance(optimizer, Optimizer) and type(optimizer).update is Optimizer.update:
        return optimizer.update

    def update(params: Sequence[Array], grads: Sequence[Array], factor: Array) -> None:
        for g in grads:
            ops.scale_(g, factor)
        optimizer.update(params, grads)

    return update


def forget_of(optimizer: Any) -> Callable[[], object]:
    """What makes an optimiser give up what it remembers of steps that went wrong, if it has a way to."""
    forget: Callable[[], object] = getattr(optimizer, "forget", lambda: None)
    return forget


def expect_own(optimizer: Any, rate: Any) -> RateRule:
    """Check that a training's optimiser and rate rule can be written down; returns the rule, one without use for none.

    Raises:
        InputError: one of them is someone else's.
    """
    for name, given, cls in (("optimizer", optimizer, Optimizer), ("rate", rate, RateRule)):
        if given is not None and not isinstance(given, cls):
            kind = type(given).__name__
            raise InputError(f"{name} must be one of rnnlm.optim for a training to be written down, got {kind}")
    return rate or Constant(1.0)
