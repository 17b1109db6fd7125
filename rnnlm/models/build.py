"""Models by name: of their classes, as saved in model folders, and of their kinds, as in options."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from rnnlm.checks import did_you_mean, instance_of
from rnnlm.errors import InputError
from rnnlm.models.base import Model
from rnnlm.models.better import BetterRnnlm
from rnnlm.models.config import ModelConfig, ModelOptions
from rnnlm.models.general import AwdLstm, LanguageModel
from rnnlm.models.nnlm import NNLM, CbowLm
from rnnlm.models.quantized import QuantizedModel
from rnnlm.models.rnnlm import Rnnlm
from rnnlm.models.simple import SimpleRnnlm

__all__ = ["KINDS", "MODELS", "build_model", "config_for", "config_of"]

MODELS: dict[str, type[Model]] = {
    cls.__name__: cls for cls in (LanguageModel, SimpleRnnlm, Rnnlm, BetterRnnlm, AwdLstm, NNLM, CbowLm, QuantizedModel)
}
KINDS: dict[str, type[Model]] = {"recurrent": LanguageModel, "nnlm": NNLM, "cbow-lm": CbowLm}  # in options


def build_model(config: ModelConfig) -> Model:
    """Return a new model built from `config`.

    Raises:
        InputError: an unknown model, or sizes out of range.
    """
    return _class_of(instance_of("config", config, ModelConfig).model).from_config(config)


def config_for(options: ModelOptions, vocab_size: int) -> ModelConfig:
    """Return the configuration for `options`, of the class that their model requires.

    Raises:
        InputError: an unknown model, or an option out of range.
    """
    if not isinstance(instance_of("options", options, ModelOptions).model, str) or options.model not in KINDS:
        hint = did_you_mean(str(options.model).lower(), KINDS)
        raise InputError(f"model must be one of {', '.join(KINDS)}, got {options.model!r}{hint}")
    cls = KINDS[options.model]
    return cls.configuration(**{**asdict(options), "model": cls.__name__, "vocab_size": vocab_size})


def config_of(fields: Mapping[str, Any]) -> ModelConfig:
    """Return the configuration with these fields, of the class that the model in fields["model"] requires.

    Raises:
        InputError: an unknown model, or sizes out of range.
        TypeError: a field that the configuration of this model does not have.
    """
    return _class_of(fields.get("model", ModelConfig.model)).configuration(**fields)


def _class_of(name: Any) -> type[Model]:
    if not isinstance(name, str) or name not in MODELS:
        raise InputError(f"model must be one of {', '.join(MODELS)}, got {name!r}")
    return MODELS[name]
