"""Registry of the model that each optimiser and learning-rate rule has trained, so that its state is not used for
another."""

from typing import Any
from weakref import ReferenceType, finalize, ref

__all__ = ["forget_model", "has_trained_another", "note_model"]

_models: dict[int, ReferenceType[Any]] = {}  # by the identity of optimiser or rule, which may compare as they like


def note_model(one: Any, model: Any) -> None:
    """Note that an optimiser or a rule trains a model; nothing if one of them allows no weak references."""
    try:
        if id(one) not in _models:
            finalize(one, _models.pop, id(one), None).atexit = False
        _models[id(one)] = ref(model)
    except TypeError:
        pass


def has_trained_another(one: Any, model: Any) -> bool:
    """Whether the last model that was noted is another one, even if that is gone."""
    last = _models.get(id(one))
    return last is not None and last() is not model


def forget_model(one: Any) -> None:
    """Note that an optimiser or a rule has a new state, which belongs to no model."""
    _models.pop(id(one), None)
