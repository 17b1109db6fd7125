"""Models whose class is not of this library: saved as what they are, or refused."""

import json
from typing import Any

import numpy as np

from rnnlm.backend import ops
from rnnlm.checks import shown
from rnnlm.errors import InputError
from rnnlm.models.base import Model
from rnnlm.models.build import MODELS
from rnnlm.models.weights import undrawn

__all__ = ["CLASS", "expect_made_anew", "is_own"]

CLASS = "class"  # key of config.json that names a class of someone's own
READ = 8  # words that a model and the one made anew must score alike


def is_own(cls: type[Model]) -> bool:
    """Whether a class is none of this library's, where those that are not in its table, the book's, have methods more
    than one that is."""
    return cls.__module__.partition(".")[0] != "rnnlm" and MODELS.get(cls.__name__) is not cls


def expect_made_anew(model: Model) -> None:
    """Check that a model of someone's own class comes out of its `config` as it is, but for its weights.

    Raises:
        InputError: it does not: its class can't be made from a configuration alone, or it is another model then.
    """
    kind = type(model).__name__
    if kind in MODELS:
        raise InputError(f"the class of a model of your own must have another name than rnnlm.{kind} to be saved")
    remedy = (
        f"give {kind} a classmethod from_config(config) that makes the same model of model.config, whose class is "
        f"{kind}.configuration, or save the weights alone, by model.save_params(file)"
    )
    try:
        json.dumps(vars(model.config))
        with undrawn():
            twin = type(model).from_config(model.config)
    except (InputError, TypeError, AttributeError) as error:
        raise InputError(f"{kind} can't be made anew from its config ({error}): {remedy}") from error
    shapes = [{name: p.shape for name, p in zip(one.names, one.params)} for one in (model, twin)]
    if type(twin) is not type(model) or shapes[0] != shapes[1]:
        raise InputError(f"{kind} made anew from its config has other weights, {shown(shapes[1])}: {remedy}")
    twin.load_state_dict(model.state_dict())
    if not np.allclose(_scores(model), _scores(twin), rtol=1e-4, atol=1e-5, equal_nan=True):
        raise InputError(f"{kind} made anew from its config gives other scores with the same weights: {remedy}")


def _scores(model: Model) -> Any:
    """What it says of some words, from the beginning."""
    state = model.get_state()
    model.reset_state()
    scores = ops.asnumpy(model.predict([[k % model.vocab_size for k in range(READ)]]))
    model.set_state(state)
    return scores
