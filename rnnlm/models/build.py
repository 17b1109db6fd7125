"""Models by the name of their class, as a model folder has it."""

from collections.abc import Mapping
from typing import Any

from rnnlm.errors import InputError
from rnnlm.models.base import Model
from rnnlm.models.better import BetterRnnlm
from rnnlm.models.config import ModelConfig
from rnnlm.models.general import AwdLstm, LanguageModel
from rnnlm.models.rnnlm import Rnnlm
from rnnlm.models.simple import SimpleRnnlm

__all__ = ["MODELS", "build_model", "config_of"]

MODELS: dict[str, type[Model]] = {
    cls.__name__: cls for cls in (LanguageModel, SimpleRnnlm, Rnnlm, BetterRnnlm, AwdLstm)
}


def build_model(config: ModelConfig) -> Model:
    """A new model as `config` describes it.

    Raises:
        InputError: an unknown model, or sizes out of range.
    """
    return _class_of(config.model).from_config(config)


def config_of(fields: Mapping[str, Any]) -> ModelConfig:
    """The configuration with these fields, of the kind that the model which they name is built from.

    Raises:
        InputError: an unknown model, or sizes out of range.
        TypeError: a field that the configuration of this model has not.
    """
    return _class_of(fields.get("model", ModelConfig.model)).configuration(**fields)


def _class_of(name: Any) -> type[Model]:
    if not isinstance(name, str) or name not in MODELS:
        raise InputError(f"model must be one of {', '.join(MODELS)}, got {name!r}")
    return MODELS[name]
