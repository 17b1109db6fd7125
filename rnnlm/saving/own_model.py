"""Models of classes that are not of this library: checks that they can be saved."""

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

CLASS = "class"  # key of config.json with the name of such a class
READ = 8  # words on which a model and the rebuilt one must give equal scores


def is_own(cls: type[Model]) -> bool:
    """Whether a class is the user's own. The book's models count as this library's: they only add methods to those in
    `MODELS`."""
    return cls.__module__.partition(".")[0] != "rnnlm" and MODELS.get(cls.__name__) is not cls


def expect_made_anew(model: Model) -> None:
    """Check that a model of the user's own class, rebuilt from its `config` with the same weights, is the same model.

    Raises:
        InputError: the class can't be built from a configuration alone, or the rebuilt model is different.
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
        raise InputError(f"{kind} can't be rebuilt from its config ({error}): {remedy}") from error
    shapes = [{name: p.shape for name, p in zip(one.names, one.params)} for one in (model, twin)]
    if type(twin) is not type(model) or shapes[0] != shapes[1]:
        raise InputError(f"{kind} rebuilt from its config has other weights, {shown(shapes[1])}: {remedy}")
    twin.load_state_dict(model.state_dict())
    if not np.allclose(_scores(model), _scores(twin), rtol=1e-4, atol=1e-5, equal_nan=True):
        raise InputError(f"{kind} rebuilt from its config gives other scores with the same weights: {remedy}")


def _scores(model: Model) -> Any:
    """Return the model's scores for a few words, from a zero state; the state is restored."""
    state = model.get_state()
    model.reset_state()
    scores = ops.asnumpy(model.predict([[k % model.vocab_size for k in range(READ)]]))
    model.set_state(state)
    return scores
